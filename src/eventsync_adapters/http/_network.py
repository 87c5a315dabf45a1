"""The network below httpx, with an end to every exchange: no step waits beyond its deadline."""

import logging
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from threading import local
from typing import Any

import httpcore
import httpx

_IDLE_SECONDS = 5.0
_SLICE = 16_384

# httpx's own transport takes no network from outside; it maps errors the same way.
_SAME: Mapping[type[Exception], type[httpx.TransportError]] = {
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    httpcore.PoolTimeout: httpx.PoolTimeout,
    httpcore.TimeoutException: httpx.TimeoutException,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.NetworkError: httpx.NetworkError,
    httpcore.ProxyError: httpx.ProxyError,
    httpcore.UnsupportedProtocol: httpx.UnsupportedProtocol,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
    httpcore.ProtocolError: httpx.ProtocolError,
}


class Deadline(local):
    """
    When the exchange of this thread ends, by the clock passed in.

    Each thread has its own; outside of `within` nothing is bounded.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._ends: float | None = None

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Bound everything in the block to *seconds*."""
        self._ends = self._monotonic() + seconds
        try:
            yield
        finally:
            self._ends = None

    @property
    def is_set(self) -> bool:
        """An exchange of this thread is going on."""
        return self._ends is not None

    @property
    def is_over(self) -> bool:
        """The time of this exchange is used up."""
        return self._ends is not None and self._monotonic() >= self._ends

    def patience(self, timeout: float | None, late: type[Exception]) -> float | None:
        """
        Return how long one step may wait: *timeout*, or less near the end.

        Raises:
            Exception: *late*, when the time is used up.
        """
        if self._ends is None:
            return timeout
        left = self._ends - self._monotonic()
        if left <= 0:
            raise late("the exchange took too long")
        return left if timeout is None else min(timeout, left)


class Discretion(logging.Filter):
    """
    Keeps the headers of our answers out of httpcore's log; a server may repeat there what it got.

    It hears of this process's other exchanges too and lets them pass. In use until `end`.
    """

    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline
        self._log = logging.getLogger("httpcore.http11")
        self._log.addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether *record* may be logged."""
        return not (self._deadline.is_set and "response_headers" in record.getMessage())

    def end(self) -> None:
        """Leave the log as it was."""
        self._log.removeFilter(self)


class _Stream(httpcore.NetworkStream):
    """A connection whose reads and writes end with the exchange."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        patience = self._deadline.patience(timeout, httpcore.ReadTimeout)
        return self._inner.read(max_bytes, patience)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # The inner stream allows its time-out for each part that the other end takes.
        for start in range(0, len(buffer), _SLICE):
            patience = self._deadline.patience(timeout, httpcore.WriteTimeout)
            self._inner.write(buffer[start : start + _SLICE], patience)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        patience = self._deadline.patience(timeout, httpcore.ConnectTimeout)
        inner = self._inner.start_tls(ssl_context, server_hostname, patience)
        return _Stream(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """Opens connections that end with the exchange."""

    def __init__(self, deadline: Deadline) -> None:
        self._inner = httpcore.SyncBackend()
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        patience = self._deadline.patience(timeout, httpcore.ConnectTimeout)
        inner = self._inner.connect_tcp(host, port, patience, local_address, socket_options)
        return _Stream(inner, self._deadline)


class BoundedTransport(httpx.BaseTransport):
    """A transport of httpx for HTTP/1.1, direct or by *proxy*, within a deadline."""

    def __init__(
        self, deadline: Deadline, trust: Callable[[], ssl.SSLContext], proxy: str | None = None
    ) -> None:
        self._backend = _Backend(deadline)
        self._trust = trust
        self._way = None if proxy is None else httpx.Proxy(proxy)
        self._pools: dict[bool, httpcore.ConnectionPool] = {}

    def _pool(self, url: httpx.URL) -> httpcore.ConnectionPool:
        """Return the connections for *url*; only those with TLS ask whom to trust."""
        way = self._way
        is_secure = "https" in (url.scheme, way.url.scheme if way else "")
        if is_secure not in self._pools:
            context = self._trust() if is_secure else None
            self._pools[is_secure] = (
                httpcore.ConnectionPool(
                    ssl_context=context,
                    keepalive_expiry=_IDLE_SECONDS,
                    network_backend=self._backend,
                )
                if way is None
                else httpcore.HTTPProxy(
                    proxy_url=_url(way.url),
                    proxy_auth=way.raw_auth,
                    ssl_context=context,
                    keepalive_expiry=_IDLE_SECONDS,
                    network_backend=self._backend,
                )
            )
        return self._pools[is_secure]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request* and return the answer's head, its body still to be read."""
        with _as_httpx():
            answer = self._pool(request.url).handle_request(
                httpcore.Request(
                    method=request.method,
                    url=_url(request.url),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        return httpx.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(answer),
            extensions=answer.extensions,
        )

    def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx():
            yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


@contextmanager
def _as_httpx() -> Iterator[None]:
    try:
        yield
    except tuple(_SAME) as error:
        kind = next(_SAME[base] for base in type(error).__mro__ if base in _SAME)
        raise kind(str(error)) from error


def _url(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
    )
