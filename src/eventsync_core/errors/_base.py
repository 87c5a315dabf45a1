from collections.abc import Sequence
from typing import Any, NamedTuple


class EventSyncError(Exception):
    """
    Base of all errors.

    Attributes:
        code: A stable word for programs.
        fix_text: What a person can do about it.
        fix_argv: A command that helps in this state, if there is one.
    """

    code = "error"
    fix_text = ""
    fix_argv: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """One line, without payloads or secrets."""
        return " ".join(str(self).split())


def fix_document(argv: Sequence[str], text: str) -> dict[str, Any]:
    """Return what helps as JSON: a command to run, else words."""
    return {"argv": list(argv)} if argv else {"text": text or "see the message"}


class Reason(NamedTuple):
    """Why something is not in order: a stable word, one line, and what helps."""

    code: str
    message: str
    fix_text: str = ""
    fix_argv: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "code": self.code,
            "message": self.message,
            "fix": fix_document(self.fix_argv, self.fix_text),
        }


def reason_of(error: EventSyncError) -> Reason:
    """Return what *error* says, as a reason."""
    return Reason(error.code, error.message, error.fix_text, tuple(error.fix_argv))
