import contextlib
import gzip
import re
import ssl
import zlib
from collections.abc import Callable, Iterator, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib import import_module
from types import TracebackType
from typing import Self

import attrs
import httpx

from eventsync_adapters.http._faults import CAUGHT, fault_of
from eventsync_core.receivers import Answer

LARGEST_ANSWER = 1_048_576

_GZIP_OR_ZLIB = 47
_CHUNK = 65_536
_DECODABLE = frozenset({"gzip", "x-gzip", "deflate"})
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

    `read` is the longest silence; `answer` bounds the whole of a request whose answer arrives
    in small pieces, and is looked at with each piece of its body.
    """

    connect: float = 10.0
    read: float = 60.0
    answer: float = 90.0


class Transport:
    """
    Posts bodies and returns whatever comes back as an `Answer`.

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
            timeout=httpx.Timeout(self._timeouts.read, connect=self._timeouts.connect),
            transport=inner,
            mounts={
                pattern: None if url is None else httpx.HTTPTransport(proxy=url, verify=verify)
                for pattern, url in (proxies or {}).items()
            },
        )

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """
        Post *body*, compressed, to exactly *url* and return what came back.

        A fault of the network is an answer without a status, never an exception. At most one
        mebibyte of answer is read, decompressed; `is_whole` is false for one that is larger
        (`exceeds`), broke off, took too long or cannot be decompressed.
        """
        request = self._request(url, body, headers)
        if isinstance(request, Answer):
            return request
        deadline = self._monotonic() + self._timeouts.answer
        try:
            response = self._client.send(request, stream=True)
            with contextlib.closing(response):
                return self._read(response, deadline)
        except CAUGHT as error:
            return fault_of(error)

    def _request(self, url: str, body: bytes, headers: Mapping[str, str]) -> httpx.Request | Answer:
        """Return the request, or the answer that says why there can be none."""
        unfit = [name for name, value in headers.items() if not _is_sendable(name, value)]
        if unfit:
            return Answer(fault=f"the header {unfit[0]!r} cannot be sent", reached=False)
        sent = httpx.Headers({"Content-Type": "application/json"})
        sent.update({name: value for name, value in headers.items() if _is_free(name)})
        sent["Content-Encoding"] = "gzip"
        try:
            request = self._client.build_request("POST", url, content=_compress(body), headers=sent)
            # The resolver raises this too, outside of httpx's exceptions.
            request.url.host.encode("idna")
        except (httpx.InvalidURL, UnicodeError):
            return Answer(fault="the URL cannot be used", reached=False)
        return request

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
        body = _Body(response.headers.get("content-encoding", ""))
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


class _Body:
    """An answer's body as it arrives: decompressed, within the bound."""

    def __init__(self, encoding: str) -> None:
        self.read = bytearray()
        self.is_whole = False
        coded = encoding.strip().lower() not in ("", "identity")
        self._is_readable = not coded or encoding.strip().lower() in _DECODABLE
        self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB) if coded else None

    def take(self, chunk: bytes) -> bool:
        """Add *chunk*; return False where nothing more can be read."""
        room = LARGEST_ANSWER + 1 - len(self.read)
        try:
            self.read += self._inflate.decompress(chunk, room) if self._inflate else chunk[:room]
        except zlib.error:
            return False
        return self._is_readable and len(self.read) <= LARGEST_ANSWER

    def end(self) -> None:
        """Note that the server said the body ends here."""
        self.is_whole = self._is_readable and (self._inflate is None or self._inflate.eof)


def _is_sendable(name: str, value: str) -> bool:
    """Say whether the header can be sent as it is, without a second one hidden in it."""
    if value != value.strip() or not (value.isascii() and value.isprintable()):
        return False
    return _NAME.fullmatch(name) is not None


def _is_free(name: str) -> bool:
    """Say whether the header may be chosen: not one that frames the body."""
    return name.lower() not in ("content-length", "transfer-encoding")


def _compressor() -> Callable[..., bytes]:
    try:
        found: Callable[..., bytes] = import_module("isal.igzip").compress
    except ImportError:
        return gzip.compress
    return found


_FASTEST = _compressor()


def _compress(body: bytes) -> bytes:
    return _FASTEST(body, compresslevel=1, mtime=0)
