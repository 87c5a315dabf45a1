"""Why a command did not end well; light enough for the fastest command."""

from typing import NamedTuple

from eventsync_core.errors import EventSyncError

__all__ = ["MOST_ITEMS", "Reason", "reason_of"]

MOST_ITEMS = 1_000
"""Lists carry at most this many items beside their exact count."""


class Reason(NamedTuple):
    """A stable word, one line for a person, and what helps: a command, else words."""

    code: str
    message: str
    fix_text: str = ""
    fix_argv: tuple[str, ...] = ()


def reason_of(error: EventSyncError) -> Reason:
    """Return what *error* says, as a reason."""
    return Reason(error.code, error.message, error.fix_text, tuple(error.fix_argv))
