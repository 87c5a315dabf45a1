"""
Columns as they are read where one damaged row must not hide the others.

The driver refuses a whole query for one text that is not UTF-8; so these are read as bytes.
"""


def text_of(stored: bytes | None) -> str:
    """Return *stored* as text; of what is no UTF-8 any more a text that no digest agrees with."""
    return (stored or b"").decode("utf-8", "replace")


def digest_of(stored: bytes | None) -> bytes:
    """Return the digest written as hex in *stored*; empty, and so nobody's, if it is none."""
    try:
        return bytes.fromhex((stored or b"").decode("ascii"))
    except ValueError:
        return b""


class Spoilt(str):
    """What stands where a text stood and is no UTF-8 any more, as far as it can be read."""

    __slots__ = ()


def spoilt_or_text(stored: bytes) -> str:
    """Return *stored* as text, or what is no UTF-8 any more as `Spoilt`."""
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return Spoilt(stored.decode("utf-8", "replace"))
