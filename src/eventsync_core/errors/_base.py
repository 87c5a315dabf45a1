import shlex
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
    if argv and not _has_raw_bytes(argv):
        return {"argv": list(argv)}
    return {"text": spelt(argv) or text or "see the message"}


def _has_raw_bytes(argv: Sequence[str]) -> bool:
    """Say whether a word holds bytes that are no text, so that no JSON can hold the command."""
    return any("\ud800" <= each <= "\udfff" for word in argv for each in word)


def spelt(argv: Sequence[str]) -> str:
    """Return a command as a POSIX shell takes it; with raw bytes as bash and zsh do."""
    return " ".join(_raw(word) if _has_raw_bytes([word]) else shlex.quote(word) for word in argv)


def _raw(word: str) -> str:
    """Return *word* as `$'…'`, its raw bytes as `\\xNN`."""
    escaped = word.replace("\\", "\\\\").replace("'", "\\'")
    try:
        raw = escaped.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raw = escaped.encode("utf-8", "backslashreplace")
    return f"$'{raw.decode('utf-8', 'backslashreplace')}'"


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
