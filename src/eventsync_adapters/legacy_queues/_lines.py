import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from io import FileIO
from pathlib import Path
from typing import NamedTuple

import attrs

from eventsync_adapters.legacy_queues._copy import when_settled
from eventsync_adapters.legacy_queues._writable import why_not_emptied
from eventsync_core.errors import SourceError
from eventsync_core.legacy import Kind, RowKey, Source, SourceRow
from eventsync_core.migration import Left, TableRow

_BLANK = b" \t\r\n"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """
    A line that is not blank: its number from 1, its first byte in the file, what it holds.

    It has its end, if it is followed by a newline.
    """

    number: int
    start: int
    raw: bytes
    has_end: bool

    @property
    def row(self) -> SourceRow:
        """The line as a row."""
        return SourceRow(
            part="lines",
            row=self.number,
            event_id=None,
            raw=self.raw,
            is_unfinished=not self.has_end,
        )


@attrs.frozen
class LineFile:
    """
    A file of events, one a line: an `OldSource`.

    A line leaves it by being overwritten with blanks. So the file keeps its size and its
    inode, and what other programs append meanwhile stays.
    """

    path: Path
    source: Source

    def fingerprint(self) -> str:
        """See `OldSource.fingerprint`."""
        with contextlib.suppress(OSError):
            info = self.path.stat()
            return f"{info.st_dev}:{info.st_ino}:{info.st_size}:{info.st_mtime_ns}"
        return ""

    @contextmanager
    def reading(self) -> Iterator["LinesReading"]:
        """See `OldSource.reading`."""
        lines, fingerprint = self.read()
        if not fingerprint:
            raise SourceError(f"{self.path} is being written to", code="source_locked")
        kept_because = why_not_emptied(self.path, has_journal=False)
        yield LinesReading(lines, fingerprint, kept_because=kept_because)

    @contextmanager
    def emptying(self) -> Iterator["LinesEmptying"]:
        """See `OldSource.emptying`."""
        try:
            file = FileIO(self.path, "r+b")
        except OSError as error:
            raise _not_emptied(self.path, error) from error
        with file:
            yield LinesEmptying(self, file)

    def read(self) -> tuple[list[Line], str]:
        """
        Return the lines, and the fingerprint; that is empty if the file changed meanwhile.

        Raises:
            SourceError: The system does not give it.
        """
        before = self.fingerprint()
        try:
            text = self.path.read_bytes()
        except FileNotFoundError as error:
            raise SourceError(f"{self.path} is not there any more", code="source_gone") from error
        except OSError as error:
            raise SourceError(f"{self.path} cannot be read: {error.strerror}") from error
        return list(self._lines(text)), before if self.fingerprint() == before else ""

    def _lines(self, text: bytes) -> Iterator[Line]:
        start = 0
        is_log = self.source.kind is Kind.EVENT_LOG
        if is_log and text.startswith(_BYTE_ORDER_MARK):
            start = len(_BYTE_ORDER_MARK)
        for number, line in enumerate(text[start:].split(b"\n"), 1):
            has_end = start + len(line) < len(text)
            if line.strip(_BLANK):
                # Blanks at its beginning are an event without an end that was overwritten.
                raw = line if is_log else line.lstrip(b" ")
                yield Line(number, start + len(line) - len(raw), raw.removesuffix(b"\r"), has_end)
            start += len(line) + 1


@attrs.frozen
class LinesReading:
    """The lines of a file: a `Reading`."""

    _lines: Sequence[Line]
    fingerprint: str
    damage: str = ""
    kept_because: str = ""
    other: Mapping[str, int] = attrs.field(factory=dict)

    @property
    def waiting(self) -> Mapping[str, int]:
        """See `Reading.waiting`."""
        return {"lines": len(self._lines)}

    def events(self) -> Iterator[SourceRow]:
        """See `Reading.events`."""
        return (line.row for line in self._lines)

    def bodies(self) -> Iterator[TableRow]:
        """See `Reading.bodies`."""
        return iter(())


class LinesEmptying:
    """A file whose lines are overwritten where the store holds them: an `Emptying`."""

    def __init__(self, old: LineFile, file: FileIO) -> None:
        self._old = old
        self._file = file
        lines, _ = old.read()
        self._there = {line.number: line for line in lines}

    def remove(self, keys: Sequence[RowKey]) -> int:
        """
        See `Emptying.remove`.

        Only bytes that are still the same are overwritten, and never the newline behind them.
        """
        try:
            removed = sum(self._blank(key) for key in keys)
            if removed:
                os.fsync(self._file.fileno())
        except OSError as error:
            raise _not_emptied(self._old.path, error) from error
        return removed

    def _blank(self, key: RowKey) -> bool:
        line = self._there.get(key.row)
        if line is None or sha256(line.raw).digest() != key.digest:
            return False
        self._file.seek(line.start)
        if _exactly(self._file, len(line.raw)) != line.raw:
            return False
        self._file.seek(line.start)
        view = memoryview(b" " * len(line.raw))
        while view:
            view = view[self._file.write(view) :]
        del self._there[key.row]
        return True

    def settle(self) -> Left:
        """See `Emptying.settle`."""
        when_settled(self._old.path)
        lines, fingerprint = self._old.read()
        return Left("" if lines else fingerprint, len(lines))


def _exactly(file: FileIO, size: int) -> bytes:
    found = b""
    while len(found) < size and (piece := file.read(size - len(found))):
        found += piece
    return found


def _not_emptied(path: Path, error: OSError) -> SourceError:
    return SourceError(
        f"{path} cannot be emptied: {error.strerror}",
        code="source_not_emptied",
        fix="nothing is lost: run the command again later, or with --keep-sources",
    )
