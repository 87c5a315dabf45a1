"""What is shown: data on stdout, talk on stderr, JSON as exactly one object."""

import errno
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TextIO

import attrs

from eventsync_cli.exits import ExitCode
from eventsync_core.codec import write_document
from eventsync_core.errors import Reason, spelt

__all__ = [
    "Progress",
    "Result",
    "begin",
    "counted",
    "ended",
    "fail",
    "forget",
    "is_told",
    "later",
    "listing",
    "say",
    "show",
    "table",
    "write_out",
]

_SECOND = 1_000_000
_PATIENCE = _SECOND // 2


@attrs.frozen(kw_only=True)
class Result:
    """
    What a command has to say.

    `document` is its JSON without `schema` and `ok`, `lines` the same for a person; `talk`
    goes to stderr either way. `reason` says why `code` is not 0. `is_act` says that it did what
    it is for, and not only looked: such a one is logged where that is asked for.
    """

    document: Mapping[str, Any]
    lines: Sequence[str] = ()
    talk: Sequence[str] = ()
    code: ExitCode = ExitCode.OK
    reason: Reason | None = None
    is_act: bool = False


def show(answer: Result, *, as_json: bool) -> ExitCode:
    """Write *answer* and return its code."""
    if as_json:
        document = {"schema": 1, "ok": answer.code is ExitCode.OK, **answer.document}
        if answer.reason is not None and answer.code is not ExitCode.OK:
            document["error"] = answer.reason.document()
        write_out(write_document(document))
    else:
        for line in answer.lines:
            write_out(line)
    for line in answer.talk:
        say(line)
    if answer.reason is not None and not as_json:
        _say_reason(answer.reason)
    return answer.code


def fail(reason: Reason, code: ExitCode, *, as_json: bool) -> ExitCode:
    """Write that a command failed for *reason*, and return *code*."""
    if as_json:
        write_out(write_document({"schema": 1, "ok": False, "error": reason.document()}))
    else:
        _say_reason(reason)
    for line in _Told.later:
        say(line)
    return code


def later(lines: Iterable[str]) -> None:
    """Let *lines* of talk follow what is said of the failure that ends this command."""
    _Told.later = tuple(lines)


def _say_reason(reason: Reason) -> None:
    say(f"eventsync: {reason.message} [{reason.code}]")
    fix = spelt(reason.fix_argv) or reason.fix_text
    if fix:
        say(f"fix: {fix}")


class _Told:
    """
    What became of this command's data.

    Whether it was written: a program must find one object, not two. Whether it was lost: then
    the command did not do all that was asked. `later` is said at its very end.
    """

    is_told = False
    is_lost = False
    later: tuple[str, ...] = ()


def begin() -> None:
    """Note that nothing was written by this command so far."""
    _Told.is_told = _Told.is_lost = False
    _Told.later = ()


def ended(code: int) -> int:
    """Return *code*; where all went well but the data could not be written, that of the store."""
    return ExitCode.STORE if _Told.is_lost and code == ExitCode.OK else code


def is_told() -> bool:
    """Say whether this command has written its data."""
    return _Told.is_told


def write_out(text: str) -> None:
    """Write one line of data to stdout; what cannot be written is told once, on stderr."""
    _Told.is_told = True
    fault = _write(sys.stdout, text)
    if fault is not None and not _Told.is_lost:
        _Told.is_lost = True
        _say_reason(
            Reason(
                code="output_lost",
                message=f"the output cannot be written: {fault}",
                fix_text="write it elsewhere; what the command did is done",
            )
        )


def say(text: str) -> None:
    """Write one line of talk to stderr."""
    _write(sys.stderr, text)


def _write(stream: TextIO | None, text: str) -> str | None:
    """Return what stood in the way; None too where a reader went away, which is no error."""
    if stream is None:
        return None
    try:
        try:
            stream.write(text + "\n")
        except UnicodeEncodeError:
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        stream.flush()
    except OSError as error:
        forget(stream)
        # Windows says EINVAL of a pipe that nobody reads.
        gone = isinstance(error, ConnectionError) or error.errno == errno.EINVAL
        return None if gone else error.strerror or type(error).__name__
    return None


def forget(stream: TextIO) -> None:
    """Let what *stream* still holds go nowhere: the interpreter flushes once more at its end."""
    import os

    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def counted(count: int, noun: str) -> str:
    """Return so many of *noun*, spelt."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return *rows* as lines with columns aligned."""
    if not rows:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def listing(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Return label and value per line: two spaces, the label in 24 columns, the value."""
    return [f"  {label:<24}  {value}".rstrip() for label, value in pairs]


class Progress:
    """A bar on stderr for work that lasts; nothing where stderr is no terminal."""

    def __init__(
        self, label: str, clock: Callable[[], int], *, total: int | None, no_color: bool
    ) -> None:
        self._label, self._clock, self._total = label, clock, total
        self._no_color = no_color
        self._is_wanted = sys.stderr.isatty()
        self._started = clock()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def reach(self, done: int) -> None:
        """Show that *done* of the whole are done."""
        if not self._is_wanted:
            return
        if self._bar is None:
            if self._clock() - self._started < _PATIENCE:
                return
            self._start()
        self._bar.update(self._task, completed=done)

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bar

        console = Console(stderr=True, no_color=self._no_color)
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=console,
            transient=True,
        )
        self._bar.start()
        self._task = self._bar.add_task(self._label, total=self._total)
