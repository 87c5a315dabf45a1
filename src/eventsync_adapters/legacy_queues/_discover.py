import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import attrs

from eventsync_adapters.legacy_queues._journal_era import add_journal_era, is_of_journal_era
from eventsync_adapters.legacy_queues._lines import OverflowSource
from eventsync_adapters.legacy_queues._queue import QueueSource
from eventsync_core.authority import Hypotheses, match_digest
from eventsync_core.errors import SourceError
from eventsync_core.legacy import Kind, Source
from eventsync_core.migration import Emptying, OldRecords, OldSource, OldTable, Reading

_QUEUE = re.compile(r"queue-([0-9a-f]+)\.db", re.ASCII)
_PART = re.compile(r"(.+)-(?:journal|wal|shm)", re.DOTALL)
_OVERFLOW = re.compile(r"overflow-.+\.jsonl", re.DOTALL)
_LEGACY = "legacy"


@attrs.frozen
class Skipped:
    """A file that was not read, and why."""

    path: str
    why: str


@attrs.define
class Found:
    """The sources below some roots, in the order they are imported, and what was left out."""

    sources: list[OldSource] = attrs.field(factory=list)
    skipped: list[Skipped] = attrs.field(factory=list)
    records: list[OldRecords] = attrs.field(factory=list)
    _files: dict[tuple[int, int], str] = attrs.field(factory=dict)

    @property
    def is_empty(self) -> bool:
        """Nothing was found that could be read."""
        return not (self.sources or self.records)

    @property
    def everything(self) -> Sequence[OldSource | OldTable]:
        """All files that may hold rows, in the order they are read."""
        return [*self.sources, *(table for each in self.records for table in each.tables)]

    def add(self, name: Path, make: Callable[[Path], OldSource]) -> None:
        """Take in the file that *name* leads to, which *make* gives for its real place."""
        if self.is_new(name):
            self.sources.append(make(name.resolve()))

    def skip(self, path: Path, why: str) -> None:
        """Note that *path* is left out."""
        if shown(path) not in {each.path for each in self.skipped}:
            self.skipped.append(Skipped(shown(path), why))

    def is_new(self, path: Path) -> bool:
        """Say whether *path* is a file that no other name led to; else note why not."""
        try:
            info = path.stat()
        except FileNotFoundError:
            if path.is_symlink():
                self.skip(path, "it points to nothing")
            return False
        except OSError:
            # Reading it says why it cannot be reached.
            return True
        if not stat.S_ISREG(info.st_mode):
            self.skip(path, "it is no file")
            return False
        first = self._files.get((info.st_dev, info.st_ino))
        if first is None:
            self._files[info.st_dev, info.st_ino] = shown(path)
            return True
        if first != shown(path):
            self.skip(path, f"it is the same file as {first}")
        return False


def shown(path: Path) -> str:
    """Return *path* in characters that can be stored and shown."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def find_sources(
    home: Path, more: Sequence[Path] = (), *, tried: Hypotheses | None = None
) -> Found:
    """
    Return the old queues of *home*, and of the folders and files in *more*; none is opened.

    Below a folder those of its `.spec-kitty` and of its `.kittify/sync` count too. *tried* says
    whose a queue may be.
    """
    found = Found()
    _in_root(found, home.resolve(), tried)
    for place in more:
        path = place.resolve()
        if path.is_dir():
            for root in (path, path / ".spec-kitty"):
                _in_root(found, root, tried)
            _overflow(found, path / ".kittify" / "sync")
        elif not is_of_journal_era(path) and found.is_new(path):
            found.sources.append(_named(path, tried))
    add_journal_era(found, (home, *more), partial(_listed, found), shown)
    return found


def _named(path: Path, tried: Hypotheses | None) -> OldSource:
    """Return the source at *path*, which somebody named."""
    if path.suffix == ".jsonl":
        return OverflowSource(path, Source(path=shown(path), kind=Kind.OVERFLOW))
    match = _QUEUE.fullmatch(path.name)
    return _queue(path, match[1] if match else _LEGACY, tried)


def _in_root(found: Found, root: Path, tried: Hypotheses | None) -> None:
    alone = root / "queue.db"
    if found.is_new(alone):
        found.sources.append(_queue(alone, _LEGACY, tried))
    for path in _listed(found, root / "queues"):
        match = _QUEUE.fullmatch(path.name)
        if match is None:
            part = _PART.fullmatch(path.name)
            if part is None or _QUEUE.fullmatch(part[1]) is None:
                found.skip(path, "its name is not that of a queue")
        elif found.is_new(path):
            found.sources.append(_queue(path, match[1], tried))
    _overflow(found, root)


def _overflow(found: Found, folder: Path) -> None:
    try:
        names = sorted(path for path in folder.iterdir() if _OVERFLOW.fullmatch(path.name))
    except OSError:
        return
    for path in names:
        if found.is_new(path):
            source = Source(path=shown(path), kind=Kind.OVERFLOW)
            found.sources.append(OverflowSource(path, source))


def _listed(found: Found, folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        found.sources.append(
            _Unlisted(Source(path=shown(folder), kind=Kind.QUEUE), error.strerror or "unreadable")
        )
        return []


def _queue(path: Path, digest: str, tried: Hypotheses | None) -> QueueSource:
    match = match_digest(digest, tried) if tried is not None else None
    source = Source(
        path=shown(path),
        kind=Kind.QUEUE,
        target=f"{'unknown' if match is None else 'known'}:{digest}",
        spelling="" if match is None else match.spelling,
    )
    return QueueSource(path, source)


@attrs.frozen
class _Unlisted:
    """A folder that may hold queues, but cannot be listed."""

    source: Source
    why: str

    def fingerprint(self) -> str:
        """See `OldSource.fingerprint`."""
        return ""

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """See `OldSource.reading`."""
        raise SourceError(f"{self.source.path} cannot be listed: {self.why}")
        yield

    @contextmanager
    def emptying(self) -> Iterator[Emptying]:
        """See `OldSource.emptying`."""
        raise SourceError(f"{self.source.path} cannot be listed: {self.why}")
        yield
