"""Names: which stream an event belongs to, which target a URL names; and text that others gave."""

import re
from enum import StrEnum
from hashlib import sha256
from string import ascii_lowercase, ascii_uppercase

__all__ = [
    "CUT",
    "DEFAULT_STREAM",
    "UNASSIGNED_STREAM",
    "Kind",
    "given_words",
    "is_event_id",
    "is_target_key",
    "lower_name",
    "one_line",
    "printable",
    "stream_key",
    "target_key",
]

CUT = "\u2026"
DEFAULT_STREAM = "default"
UNASSIGNED_STREAM = "unassigned"
_ASCII_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_LONGEST_ID = 200
_TARGET_KEY = re.compile(r"tgt_[0-9a-f]{16}")
_LONGEST_WORDS = 200


class Kind(StrEnum):
    """What answers at a target."""

    TEAMSPACE = "teamspace"
    EXTERNAL = "external_receiver"
    STUB = "stub"


def is_event_id(value: object) -> bool:
    """Say whether *value* may name an event: 1 to 200 printable characters."""
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_ID and value.isprintable()


def one_line(text: str, longest: int) -> str:
    """Return *text* with blanks for what cannot be printed; `CUT` ends one that is longer."""
    text = text.strip()
    kept = text if len(text) <= longest else text[: longest - 1]
    line = "".join(char if char.isprintable() else " " for char in kept).strip()
    return line if kept is text else line + CUT


def printable(text: str) -> str:
    """Return *text* with escapes for what cannot be printed, as `\\x1b`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def given_words(text: str) -> str:
    """Return a person's words as they are kept: printable, one line, 200 characters."""
    return one_line(" ".join(text.split()), _LONGEST_WORDS)


def stream_key(project: str | None, named: str | None = None) -> str:
    """
    Return the stream of an event: its own project, else the one *named* by the caller.

    Both count in lower case, which of ASCII letters alone is one spelling for one project; blank
    ones not at all. Without either it is `default`; the working directory never counts.
    """
    return lower_name(project or "") or lower_name(named or "") or DEFAULT_STREAM


def lower_name(name: str) -> str:
    """Return *name* without blanks around it, its ASCII letters in lower case and no others."""
    return name.strip().translate(_ASCII_LOWER)


def is_target_key(text: str) -> bool:
    """Say whether *text* looks like what `target_key` returns."""
    return _TARGET_KEY.fullmatch(text) is not None


def target_key(kind: Kind, url: str, team: str, user: str) -> str:
    """
    Return the id of a target: the same four parts always give the same id.

    *url* is canonical; what is deployed there is no part of it.
    """
    text = "\0".join((kind, url, team, user))
    return "tgt_" + sha256(text.encode()).hexdigest()[:16]
