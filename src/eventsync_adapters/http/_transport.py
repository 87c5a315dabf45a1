import contextlib
import ssl
from collections.abc import Callable, Mapping
from functools import cache, partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Self

import attrs
import httpx

from eventsync_adapters.http._body import LARGEST_ANSWER, AnswerBody
from eventsync_adapters.http._faults import CAUGHT, fault_of
from eventsync_adapters.http._network import BoundedTransport, Deadline, Discretion
from eventsync_adapters.http._redact import secrets_of_url
from eventsync_core.receivers import Answer
from eventsync_core.targets import is_framing, is_header_name, is_header_value

_OWN_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": "eventsync",
}


@attrs.frozen(kw_only=True)
class Timeouts:
    """
    How long each step of a request may take, in seconds.

    `read` is the longest silence after a post. `answer` bounds a whole post and `look` a whole
    get, whatever arrives and however slowly; they are looked at with each read and each 16 KiB
    written.
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
    tells seconds for the bound on slow exchanges. `secrets` are the passwords of the proxies,
    which an answer may quote. *inner* stands in for the network in tests.
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
        self._deadline = Deadline(monotonic)
        self._timeouts = timeouts or Timeouts()
        ways = proxies or {}
        self.secrets = tuple(text for url in ways.values() for text in secrets_of_url(url or ""))
        trust = _trusting(verify=verify)
        self._client = httpx.Client(
            headers=_OWN_HEADERS,
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
            trust_env=False,
            follow_redirects=False,
            transport=inner or BoundedTransport(self._deadline, trust),
            mounts={
                pattern: None if url is None else BoundedTransport(self._deadline, trust, url)
                for pattern, url in ways.items()
            },
        )
        self._discretion = Discretion(self._deadline)

    def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        """
        Post exactly *content* to exactly *url* and return what came back.

        A fault of the network is an answer without a status, never an exception. At most one
        mebibyte of answer is read, decompressed; `is_whole` is false for one that is larger
        (`exceeds`), broke off, took too long or cannot be decompressed.
        """
        return self._exchange("POST", url, content, headers)

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Ask *url* and return what came back, as `post` does, but sooner."""
        return self._exchange("GET", url, None, headers)

    def _exchange(
        self, method: str, url: str, content: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        times = self._timeouts
        read, whole = (times.look,) * 2 if content is None else (times.read, times.answer)
        unfit = [
            name
            for name, value in headers.items()
            if not (is_header_name(name) and is_header_value(value))
        ]
        if unfit:
            return Answer(fault=f"the header {unfit[0]!r} cannot be sent", reached=False)
        try:
            request = self._client.build_request(
                method,
                url,
                content=content,
                headers={name: value for name, value in headers.items() if not is_framing(name)},
                timeout=httpx.Timeout(read, connect=self._timeouts.connect),
            )
            # The resolver raises this too, outside of httpx's exceptions.
            request.url.host.encode("idna")
        except (httpx.InvalidURL, UnicodeError):
            return Answer(fault="the URL cannot be used", reached=False)
        with self._deadline.within(whole):
            try:
                response = self._client.send(request, stream=True)
                with contextlib.closing(response):
                    return self._read(response, whole)
            except CAUGHT as error:
                return self._fault(error, whole)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()
        self._discretion.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _read(self, response: httpx.Response, whole: float) -> Answer:
        body = AnswerBody(response.headers.get("content-encoding", ""))
        fault = ""
        try:
            for chunk in response.iter_raw():
                if not body.take(chunk):
                    break
            else:
                body.end()
        except CAUGHT as error:
            fault = self._fault(error, whole).fault
        return Answer(
            status=response.status_code,
            headers=dict(response.headers),
            body=bytes(body.read),
            fault=fault,
            is_whole=body.is_whole,
            exceeds=len(body.read) > LARGEST_ANSWER,
        )

    def _fault(self, error: Exception, whole: float) -> Answer:
        answer = fault_of(error)
        if isinstance(error, httpx.TimeoutException) and self._deadline.is_over:
            said = f"the exchange took longer than {whole:g} s"
            return attrs.evolve(answer, fault=said)
        return answer


def _trusting(*, verify: ssl.SSLContext | bool) -> Callable[[], ssl.SSLContext]:
    """Return what makes the context when it is asked for: the usual certificates cost 35 ms."""
    if isinstance(verify, bool):
        return cache(partial(httpx.create_ssl_context, verify=verify, trust_env=False))
    return lambda: verify
