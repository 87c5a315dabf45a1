import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs

from eventsync_adapters import machine
from eventsync_core.errors import SourceError
from eventsync_core.legacy import RowKey, Source, SourceRow
from eventsync_core.migration import BodyRow, Left

_BLANK = b" \t\r\n"


@attrs.frozen
class OverflowSource:
    """A file of events, one a line, that an old program wrote when its queue was full."""

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
        yield LinesReading(self._lines(), self.fingerprint())

    @contextmanager
    def emptying(self) -> Iterator["LinesEmptying"]:
        """See `OldSource.emptying`."""
        before = self.fingerprint()
        yield LinesEmptying(self, self._lines(), before)

    def _lines(self) -> list[bytes]:
        before = self.fingerprint()
        try:
            text = self.path.read_bytes()
        except OSError as error:
            raise SourceError(f"{self.path} cannot be read: {error.strerror}") from error
        if self.fingerprint() != before:
            raise SourceError(f"{self.path} is being written to", code="source_locked")
        return text.split(b"\n")


def _rows(lines: Sequence[bytes]) -> Iterator[SourceRow]:
    for number, line in enumerate(lines, 1):
        if line.strip(_BLANK):
            yield SourceRow(part="lines", row=number, event_id=None, raw=line.removesuffix(b"\r"))


class LinesReading:
    """The lines of an overflow file: a `Reading`."""

    def __init__(self, lines: Sequence[bytes], fingerprint: str) -> None:
        self.fingerprint = fingerprint
        self.damage = ""
        self.kept_because = ""
        self.other: Mapping[str, int] = {}
        self._lines = lines

    @property
    def waiting(self) -> Mapping[str, int]:
        """See `Reading.waiting`."""
        return {"lines": sum(1 for _ in _rows(self._lines))}

    def events(self) -> Iterator[SourceRow]:
        """See `Reading.events`."""
        return _rows(self._lines)

    def bodies(self) -> Iterator[BodyRow]:
        """See `Reading.bodies`."""
        return iter(())


class LinesEmptying:
    """An overflow file that is emptied of what the store holds: an `Emptying`."""

    def __init__(self, old: OverflowSource, lines: list[bytes], before: str) -> None:
        self._old = old
        self._lines = lines
        self._before = before
        self._keys = {row.key for row in _rows(lines)}

    def remove(self, keys: Sequence[RowKey]) -> int:
        """See `Emptying.remove`; an emptied line stays as a blank one, so that numbers hold."""
        gone = self._keys.intersection(keys)
        if not gone:
            return 0
        lines = list(self._lines)
        for key in gone:
            lines[key.row - 1] = b""
        if self._keys == gone:
            lines = []
        self._replace(lines)
        self._lines, self._keys = lines, self._keys - gone
        self._before = self._old.fingerprint()
        return len(gone)

    def settle(self) -> Left:
        """See `Emptying.settle`."""
        return Left(self._old.fingerprint(), len(self._keys))

    def _replace(self, lines: Sequence[bytes]) -> None:
        path = self._old.path
        beside = path.with_name(f".{path.name}.eventsync")
        try:
            mode = path.stat().st_mode & 0o777
            beside.touch(mode)
            with beside.open("wb") as file:
                file.write(b"\n".join(lines))
                file.flush()
                os.fsync(file.fileno())
            if self._old.fingerprint() != self._before:
                raise SourceError(f"{path} is being written to", code="source_locked")
            beside.replace(path)
            machine.sync_folder(path.parent)
        except OSError as error:
            raise SourceError(
                f"{path} cannot be emptied: {error.strerror}",
                code="source_not_emptied",
                fix="nothing is lost: run the command again later, or with --keep-sources",
            ) from error
        finally:
            with contextlib.suppress(OSError):
                beside.unlink()
