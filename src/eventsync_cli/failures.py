"""Every failure as a reason and an exit code; every command ends through here or `render`."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from eventsync_cli.exits import ExitCode
from eventsync_core.errors import (
    BackupDamagedError,
    DiscardRefusedError,
    EventSyncError,
    HomeNotEmptyError,
    JournalModeRefusedError,
    NotGrantedError,
    NotJsonError,
    NotToldError,
    OutputLostError,
    OutputUnusableError,
    PayloadConflictError,
    ProjectUnusableError,
    Reason,
    RedactionError,
    ServerMissingError,
    SettingsError,
    StoreError,
    TargetConflictError,
    TargetUrlError,
    UnknownEventError,
    UnknownTargetError,
    reason_of,
)

__all__ = ["UsageProblemError", "explain", "if_interrupted"]

_LONGEST = 300
_KEPT = "what was done before is kept"
_AGAIN = "run the command again"


class UsageProblemError(EventSyncError):
    """The command line asks for something that cannot be."""

    code = "usage"

    def __init__(
        self,
        message: str,
        *,
        code: str = "usage",
        fix_argv: tuple[str, ...] = (),
        fix_text: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.fix_argv = fix_argv or (() if fix_text else ("eventsync", "--help"))
        self.fix_text = fix_text


_EXITS: tuple[tuple[type[EventSyncError], ExitCode], ...] = (
    (StoreError, ExitCode.STORE),
    (OutputLostError, ExitCode.STORE),
    (BackupDamagedError, ExitCode.STORE),
    (HomeNotEmptyError, ExitCode.REFUSED),
    (ServerMissingError, ExitCode.REFUSED),
    (TargetConflictError, ExitCode.REFUSED),
    (DiscardRefusedError, ExitCode.REFUSED),
    (JournalModeRefusedError, ExitCode.REFUSED),
    (NotGrantedError, ExitCode.REFUSED),
    (SettingsError, ExitCode.REFUSED),
    (UsageProblemError, ExitCode.USAGE),
    (ProjectUnusableError, ExitCode.USAGE),
    (OutputUnusableError, ExitCode.USAGE),
    (TargetUrlError, ExitCode.USAGE),
    (UnknownEventError, ExitCode.USAGE),
    (UnknownTargetError, ExitCode.USAGE),
    (NotJsonError, ExitCode.INCOMPLETE),
    (NotToldError, ExitCode.INCOMPLETE),
    (PayloadConflictError, ExitCode.INCOMPLETE),
    (RedactionError, ExitCode.INCOMPLETE),
)


class _UnsureInterrupt(KeyboardInterrupt):
    """What then is not sure, and what helps."""


@contextmanager
def if_interrupted(said: str, fix: str = _AGAIN) -> Iterator[None]:
    """Let `explain` say this of an interrupt in the block, for what then is not sure."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise _UnsureInterrupt(said, fix) from error


def explain(error: BaseException) -> tuple[Reason, ExitCode]:
    """Return what *error* says to a person or program, and the exit code it leads to."""
    if isinstance(error, EventSyncError):
        return reason_of(error), _exit_of(error)
    if isinstance(error, click.exceptions.Abort | KeyboardInterrupt):
        said, fix = error.args if isinstance(error, _UnsureInterrupt) else (_KEPT, _AGAIN)
        reason = Reason(code="interrupted", message=f"interrupted; {said}", fix_text=fix)
        return reason, ExitCode.INCOMPLETE
    if isinstance(error, click.ClickException):
        return _explain_usage(error), ExitCode.USAGE
    return _explain_bug(error), ExitCode.BUG


def _exit_of(error: EventSyncError) -> ExitCode:
    for kind, code in _EXITS:
        if isinstance(error, kind):
            return code
    return ExitCode.BUG


def _explain_usage(error: click.ClickException) -> Reason:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "eventsync"
    message = " ".join(error.format_message().split())
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        message = f"{path} needs a command"
    return Reason(code="usage", message=message, fix_argv=(*path.split(), "--help"))


def _explain_bug(error: BaseException) -> Reason:
    text = " ".join(str(error).split())[:_LONGEST]
    return Reason(
        code="unexpected",
        message=f"unexpected error: {type(error).__name__}: {text}",
        fix_text=f"{_KEPT}; please report this",
    )
