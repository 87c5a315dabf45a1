"""One spelling for each URL, so that equal places compare equal (RFC 3986, section 6)."""

import re
from ipaddress import IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from eventsync_core.errors import TargetUrlError

_DEFAULT_PORTS = {"http": 80, "https": 443}
_BRACKETED = re.compile(r"\[[^\[\]]*\](:[0-9]*)?")


def canonical_url(url: str, *, keep_query: bool = False) -> str:
    """
    Return the one spelling of *url*.

    Scheme and host in lower case, an international host in IDNA 2008, IPv6 in brackets, no
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
    if "[" in parts.netloc or "]" in parts.netloc:
        if not _BRACKETED.fullmatch(parts.netloc.rpartition("@")[2]):
            raise TargetUrlError("not an IPv6 address")
        try:
            return f"[{IPv6Address(host)}]"
        except ValueError:
            raise TargetUrlError("not an IPv6 address") from None
    if not host.isascii():
        host = _international(host)
    if not host or any(
        not part.replace("-", "").replace("_", "").isalnum()
        for part in host.removesuffix(".").split(".")
    ):
        raise TargetUrlError("a target URL names a host")
    return host.lower()


def _international(host: str) -> str:
    # The codec of Python is IDNA 2003, which leads to other hosts than the transport's.
    import idna

    try:
        return idna.encode(host.lower()).decode("ascii")
    except UnicodeError:
        raise TargetUrlError("not a host name") from None


def is_loopback(url: str) -> bool:
    """Say whether *url* names this machine: localhost or a loopback address."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def may_get_tokens(url: str) -> bool:
    """Say whether nobody on the way to *url* reads what is sent: it has TLS, or is this machine."""
    try:
        place = canonical_url(url)
    except TargetUrlError:
        return False
    return place.startswith("https://") or is_loopback(place)


def require_safe(url: str) -> None:
    """
    Let only a server pass that a token may be sent to.

    Raises:
        TargetUrlError: It is on another machine and not reached by TLS, or no server.
    """
    if may_get_tokens(url):
        return
    error = TargetUrlError("a server on another machine is reached by https:// only")
    error.fix_text = "name it by https://"
    raise error


def without_user_info(url: str) -> str:
    """
    Return *url* without user and password, which belong into no URL that is kept or shown.

    With or without a scheme. Of what cannot be read and may still hold them, nothing is returned
    but that it is so.
    """
    head, authority, tail = _split(url)
    found = f"{head}{authority.rpartition('@')[2]}{tail}"
    if "@" not in found:
        return found
    try:
        canonical_url(found)
    except TargetUrlError:
        return "<a URL that cannot be read>"
    return found


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
