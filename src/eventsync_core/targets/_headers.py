"""What can be sent as a header, and which of them are not free to choose."""

import re

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FRAMING = frozenset({"content-length", "transfer-encoding"})
_SIGNING = "webhook-"


def is_header_name(name: str) -> bool:
    """Say whether *name* can be that of a header."""
    return _NAME.fullmatch(name) is not None


def is_header_value(value: str) -> bool:
    """Say whether *value* can be sent as it is, without a second header hidden in it."""
    return value == value.strip() and value.isascii() and value.isprintable()


def is_framing(name: str) -> bool:
    """Say whether the header frames a body, and is therefore set by each request."""
    return name.lower() in _FRAMING


def header_flaw(name: str, *, is_signed: bool) -> str:
    """
    Return why nobody may choose a header of that *name*; nothing where anyone may.

    *is_signed* says that requests are signed, which sets headers too.
    """
    if not is_header_name(name):
        return f"header {name[:60]!a} cannot be sent: that is no name of one"
    if is_framing(name):
        return f"header {name} is set by each request"
    if is_signed and name.lower().startswith(_SIGNING):
        return f"header {name} is set by signing"
    return ""
