"""One spelling for each URL, so that equal places compare equal (RFC 3986, section 6)."""

from ipaddress import IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from eventsync_core.errors import TargetUrlError

_DEFAULT_PORTS = {"http": 80, "https": 443}


def canonical_url(url: str, *, keep_query: bool = False) -> str:
    """
    Return the one spelling of *url*.

    Scheme and host in lower case, an international host in IDNA, IPv6 in brackets, no
    default port, user info or fragment, no slash at the end of the path. The query goes too,
    except with *keep_query*, for endpoints where it matters.

    Raises:
        TargetUrlError: It is not an absolute http or https URL with a host.
    """
    text = url.strip()
    if not text.isprintable() or any(mark in text for mark in (" ", "\\")):
        raise TargetUrlError("a target URL has no spaces, backslashes or control characters")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        # What Python says quotes the URL, which may hold a password.
        raise TargetUrlError("not a URL that can be read") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise TargetUrlError("a target URL starts with https:// or http://")
    host = _host(parts)
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        host = f"{host}:{port}"
    query = f"?{parts.query}" if keep_query and parts.query else ""
    return f"{parts.scheme}://{host}{parts.path.rstrip('/')}{query}"


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if "[" in parts.netloc:
        try:
            return f"[{IPv6Address(host)}]"
        except ValueError:
            raise TargetUrlError("not an IPv6 address") from None
    try:
        host = host.encode("ascii").decode() if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        raise TargetUrlError("not a host name") from None
    if not host or any(
        not part.replace("-", "").replace("_", "").isalnum()
        for part in host.removesuffix(".").split(".")
    ):
        raise TargetUrlError("a target URL names a host")
    return host.lower()


def is_loopback(url: str) -> bool:
    """Say whether *url* names this machine: localhost or a loopback address."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def without_user_info(url: str) -> str:
    """Return *url* without user and password, which belong into no URL that is kept or shown."""
    head, authority, tail = _split(url)
    return f"{head}{authority.rpartition('@')[2]}{tail}"


def holds_user_info(url: str) -> bool:
    """
    Say whether *url* names a user or a password, with or without a scheme before them.

    An `@` in its path, query or fragment names none.
    """
    return "@" in _split(url)[1]


def _split(url: str) -> tuple[str, str, str]:
    """Return what stands before the host and port, these with a user if any, and the rest."""
    before, mark, rest = url.partition("://") if "://" in url else ("", "", url)
    ends = [place for place in (rest.find(char) for char in "/?#") if place >= 0]
    end = min(ends, default=len(rest))
    return f"{before}{mark}", rest[:end], rest[end:]
