"""Every exception of httpx has its meaning."""

import inspect
import time

import httpx
import pytest

from eventsync_adapters.http import Transport

NOTHING_LEFT: set[type[Exception]] = {
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
}
NO_CONNECTION = {httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError}
MAY_HAVE_LEFT: set[type[Exception]] = {
    httpx.CloseError,
    httpx.DecodingError,
    httpx.HTTPError,
    httpx.HTTPStatusError,
    httpx.InvalidURL,  # ours is read before; this one came with the answer
    httpx.LocalProtocolError,
    httpx.NetworkError,
    httpx.ProtocolError,
    httpx.ReadError,
    httpx.ReadTimeout,
    httpx.RemoteProtocolError,
    httpx.RequestError,
    httpx.StreamError,
    httpx.StreamClosed,
    httpx.StreamConsumed,
    httpx.RequestNotRead,
    httpx.ResponseNotRead,
    httpx.TimeoutException,
    httpx.TooManyRedirects,
    httpx.TransportError,
    httpx.WriteError,
    httpx.WriteTimeout,
}
# Cookies are neither kept nor read by name.
CANNOT_HAPPEN = {httpx.CookieConflict}
ALL = {
    found for _, found in inspect.getmembers(httpx, inspect.isclass) if issubclass(found, Exception)
}


def make(kind: type[Exception]) -> Exception:
    request = httpx.Request("POST", "http://user:secret@a.example/?key=secret")
    text = "http://user:secret@a.example/ header b'Bearer secret'"
    if kind is httpx.HTTPStatusError:
        return httpx.HTTPStatusError(text, request=request, response=httpx.Response(500))
    if issubclass(kind, httpx.RequestError) or kind is httpx.HTTPError:
        return kind(text)
    if kind in (httpx.InvalidURL, httpx.StreamError):
        return kind(text)
    return kind()


def test_every_exception_of_httpx_is_known() -> None:
    """A new one must be given a meaning here and in the table."""
    assert ALL == NOTHING_LEFT | MAY_HAVE_LEFT | CANNOT_HAPPEN


@pytest.mark.parametrize("kind", sorted(NOTHING_LEFT | MAY_HAVE_LEFT, key=str))
def test_every_exception_becomes_an_answer(kind: type[Exception]) -> None:
    """`reached` is false only where nothing can have left, `no_connection` set where none was."""

    def fail(_: httpx.Request) -> httpx.Response:
        raise make(kind)

    speaking = (httpx.NetworkError, httpx.ProxyError)
    with Transport(
        monotonic=time.monotonic, inner=httpx.MockTransport(fail), verify=False
    ) as transport:
        answer = transport.post("http://a.example/", b"{}", {})

    assert answer.status is None
    assert answer.reached is (kind in MAY_HAVE_LEFT)
    assert answer.no_connection is (kind in NO_CONNECTION)
    assert answer.fault
    assert "secret" not in answer.fault or issubclass(kind, speaking)
