import contextlib
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Self

import attrs
import httpx

from eventsync_adapters.http._body import LARGEST_ANSWER, AnswerBody
from eventsync_adapters.http._faults import CAUGHT, fault_of
from eventsync_core.receivers import Answer

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OWN_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": "eventsync",
}


@attrs.frozen(kw_only=True)
class Timeouts:
    """
    How long each step of a request may take, in seconds.

    `read` is the longest silence after a post, `look` after a get; `answer` bounds the whole
    of a request whose answer arrives in small pieces, and is looked at with each piece of its
    body.
    """

    connect: float = 10.0
    read: float = 60.0
    look: float = 10.0
    answer: float = 90.0


class Transport:
    """
    Makes single requests and returns whatever comes back as an `Answer`.

    One keep-alive client: nothing is retried, no redirect followed, no cookie kept, and the
    environment is not looked at. *proxies* maps patterns like `all://` or
    `https://example.com` to proxy URLs, or to None for a direct connection. *monotonic*
    tells seconds for the bound on slow answers. *inner* stands in for the network in tests.
    """

    def __init__(
        self,
        *,
        monotonic: Callable[[], float],
        timeouts: Timeouts | None = None,
        proxies: Mapping[str, str | None] | None = None,
        verify: ssl.SSLContext | bool = True,
        inner: httpx.BaseTransport | None = None,
    ) -> None:
        self._monotonic = monotonic
        self._timeouts = timeouts or Timeouts()
        self._client = httpx.Client(
            headers=_OWN_HEADERS,
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
            verify=verify,
            trust_env=False,
            follow_redirects=False,
            transport=inner,
            mounts={
                pattern: None if url is None else httpx.HTTPTransport(proxy=url, verify=verify)
                for pattern, url in (proxies or {}).items()
            },
        )

    def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        """
        Post exactly *content* to exactly *url* and return what came back.

        A fault of the network is an answer without a status, never an exception. At most one
        mebibyte of answer is read, decompressed; `is_whole` is false for one that is larger
        (`exceeds`), broke off, took too long or cannot be decompressed.
        """
        return self._exchange("POST", url, content, headers, self._timeouts.read)

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Ask *url* and return what came back, as `post` does."""
        return self._exchange("GET", url, None, headers, self._timeouts.look)

    def _exchange(
        self, method: str, url: str, content: bytes | None, headers: Mapping[str, str], read: float
    ) -> Answer:
        unfit = [name for name, value in headers.items() if not _is_sendable(name, value)]
        if unfit:
            return Answer(fault=f"the header {unfit[0]!r} cannot be sent", reached=False)
        try:
            request = self._client.build_request(
                method,
                url,
                content=content,
                headers={name: value for name, value in headers.items() if _is_free(name)},
                timeout=httpx.Timeout(read, connect=self._timeouts.connect),
            )
            # The resolver raises this too, outside of httpx's exceptions.
            request.url.host.encode("idna")
        except (httpx.InvalidURL, UnicodeError):
            return Answer(fault="the URL cannot be used", reached=False)
        deadline = self._monotonic() + self._timeouts.answer
        try:
            response = self._client.send(request, stream=True)
            with contextlib.closing(response):
                return self._read(response, deadline)
        except CAUGHT as error:
            return fault_of(error)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _read(self, response: httpx.Response, deadline: float) -> Answer:
        body = AnswerBody(response.headers.get("content-encoding", ""))
        fault = ""
        try:
            for chunk in self._chunks(response, deadline):
                if not body.take(chunk):
                    break
            else:
                body.end()
        except TimeoutError as error:
            fault = str(error)
        except CAUGHT as error:
            fault = fault_of(error).fault
        return Answer(
            status=response.status_code,
            headers=dict(response.headers),
            body=bytes(body.read),
            fault=fault,
            is_whole=body.is_whole,
            exceeds=len(body.read) > LARGEST_ANSWER,
        )

    def _chunks(self, response: httpx.Response, deadline: float) -> Iterator[bytes]:
        for chunk in response.iter_raw():
            yield chunk
            if self._monotonic() > deadline:
                raise TimeoutError(f"the answer took longer than {self._timeouts.answer:g} s")


def _is_sendable(name: str, value: str) -> bool:
    """Say whether the header can be sent as it is, without a second one hidden in it."""
    if value != value.strip() or not (value.isascii() and value.isprintable()):
        return False
    return _NAME.fullmatch(name) is not None


def _is_free(name: str) -> bool:
    """Say whether the header may be chosen: not one that frames the body."""
    return name.lower() not in ("content-length", "transfer-encoding")
