"""What each failure of httpx means: in words without secrets, and whether a byte may have left."""

from collections.abc import Mapping

import httpx

from eventsync_core.ids import one_line
from eventsync_core.receivers import Answer

_LONGEST_DETAIL = 200

# Whether a byte of the request may have left. A class that is not listed counts as its base.
REACHED: Mapping[type[Exception], tuple[str, bool]] = {
    httpx.HTTPError: ("the request failed", True),
    httpx.RequestError: ("the request failed", True),
    httpx.HTTPStatusError: ("the request failed", True),
    httpx.TransportError: ("the connection failed", True),
    httpx.TimeoutException: ("it took too long", True),
    httpx.ConnectTimeout: ("no connection within the time allowed", False),
    httpx.ReadTimeout: ("no answer within the time allowed", True),
    httpx.WriteTimeout: ("the request could not be sent within the time allowed", True),
    httpx.PoolTimeout: ("no free connection within the time allowed", False),
    httpx.NetworkError: ("the network failed", True),
    httpx.ConnectError: ("no connection", False),
    httpx.ReadError: ("the connection broke off", True),
    httpx.WriteError: ("the connection broke off while sending", True),
    httpx.CloseError: ("the connection could not be closed", True),
    httpx.ProxyError: ("the proxy made no connection", False),
    httpx.UnsupportedProtocol: ("the URL has a scheme that cannot be used", False),
    httpx.ProtocolError: ("this was not HTTP", True),
    httpx.LocalProtocolError: ("the request could not be sent as HTTP", True),
    # Also how httpx reports that the server had closed an idle connection. Whether the
    # request was read before that cannot be known.
    httpx.RemoteProtocolError: ("the answer broke off or was not HTTP", True),
    httpx.DecodingError: ("the answer could not be decoded", True),
    httpx.TooManyRedirects: ("the server redirects", True),
    # Our own URL is read before anything is sent: this one came with the answer.
    httpx.InvalidURL: ("the answer names a URL that cannot be read", True),
    httpx.StreamError: ("the answer could not be read", True),
}

# Their text is the system's or the proxy's. That of the others can hold a URL, a header or
# what the server sent, and with it a secret.
_SPEAKING = (httpx.NetworkError, httpx.ProxyError)

# Nothing could be sent: the name, the way there, the proxy or TLS stood in the way.
_NO_CONNECTION = (httpx.ConnectTimeout, httpx.ConnectError, httpx.ProxyError)

CAUGHT = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError)


def fault_of(error: Exception) -> Answer:
    """Return the answer that stands for *error*: one line of fault, no status."""
    words, reached = next(REACHED[kind] for kind in type(error).__mro__ if kind in REACHED)
    detail = one_line(str(error), _LONGEST_DETAIL) if isinstance(error, _SPEAKING) else ""
    return Answer(
        fault=f"{words}: {detail}" if detail else words,
        reached=reached,
        no_connection=isinstance(error, _NO_CONNECTION),
    )
