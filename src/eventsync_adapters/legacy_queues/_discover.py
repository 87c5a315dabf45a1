import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import attrs

from eventsync_adapters.legacy_queues._journal_era import add_journal_era, is_of_journal_era
from eventsync_adapters.legacy_queues._lines import LineFile
from eventsync_adapters.legacy_queues._project_store import ENTRIES
from eventsync_adapters.legacy_queues._queue import BODY_PARTS, QUEUE
from eventsync_adapters.legacy_queues._sources import DatabaseSource
from eventsync_core.authority import Hypotheses, match_digest
from eventsync_core.errors import SourceError
from eventsync_core.legacy import Kind, Source
from eventsync_core.migration import Emptying, OldRecords, OldSource, OldTable, Reading

_QUEUE = re.compile(r"queue-([0-9a-f]+)\.db", re.ASCII)
_PART = re.compile(r"(.+)-(?:journal|wal|shm)", re.DOTALL)
_OVERFLOW = re.compile(r"overflow-.+\.jsonl", re.DOTALL)
_PROJECT = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_LEGACY = "legacy"
_STORE = "sync.db"
_WITHOUT_JOURNALS = (Kind.OVERFLOW, Kind.EVENT_LOG)
_LINKED = "remove the other names, or name these files too: --from FILE"

Tried = Callable[[], Hypotheses]
"""Returns whose a queue may be; asked of only where there is a queue."""


@attrs.frozen
class Skipped:
    """A file that was not read, and why."""

    path: str
    why: str


@attrs.frozen
class _Name:
    """One of the names that lead to a file, and what the file is by that name."""

    name: Path
    path: Path
    old: OldSource
    names_on_disk: int


@attrs.define
class Found:
    """The sources below some roots, in the order they are imported, and what was left out."""

    sources: list[OldSource] = attrs.field(factory=list)
    skipped: list[Skipped] = attrs.field(factory=list)
    records: list[OldRecords] = attrs.field(factory=list)
    _files: dict[tuple[int, int], tuple[int, list[_Name]]] = attrs.field(factory=dict)

    @property
    def is_empty(self) -> bool:
        """Nothing was found that could be read."""
        return not (self.sources or self.records)

    @property
    def everything(self) -> Sequence[OldSource | OldTable]:
        """All files that may hold rows, in the order they are read."""
        return [*self.sources, *(table for each in self.records for table in each.tables)]

    def skip(self, path: Path, why: str) -> None:
        """Note that *path* is left out."""
        if shown(path) not in {each.path for each in self.skipped}:
            self.skipped.append(Skipped(shown(path), why))

    def add(self, name: Path, make: Callable[[Path], OldSource]) -> None:
        """
        Take in the file that *name* leads to, which *make* gives for the place it really has.

        Beside that place its journals are. One that several names lead to is one source.
        """
        path = _real(name)
        try:
            info = path.stat()
        except FileNotFoundError:
            if name.is_symlink():
                self.skip(name, "it points to nothing")
            return
        except OSError:
            # Reading it says why it cannot be reached.
            self.sources.append(make(path))
            return
        if not stat.S_ISREG(info.st_mode):
            self.skip(name, "it is no file")
            return
        one = _Name(name, path, make(path), info.st_nlink)
        _, names = self._files.setdefault((info.st_dev, info.st_ino), (len(self.sources), []))
        if not names:
            self.sources.append(one.old)
        names.append(one)

    def choose(self) -> None:
        """Decide which name counts, where several lead to one file."""
        for place, names in self._files.values():
            kept, source = _chosen(names)
            self.sources[place] = source
            for each in names:
                if each.name != kept.name:
                    self.skip(each.name, f"it is the same file as {shown(kept.path)}")


def _chosen(names: Sequence[_Name]) -> tuple[_Name, OldSource]:
    """Return the name of a file that counts, and the source that it is."""
    first = names[0]
    places = {each.path: each for each in names}
    if first.names_on_disk == 1 or first.old.source.kind in _WITHOUT_JOURNALS:
        return first, first.old
    beside = [each for path, each in places.items() if _has_journal(path)]
    if len(beside) == 1:
        return beside[0], beside[0].old
    if beside or first.names_on_disk > len(places):
        why = "it has other names, and only beside one of them its journal can be"
        return first, _Unread(first.old.source, why, "source_linked", _LINKED, first.old)
    return first, first.old


def _has_journal(path: Path) -> bool:
    return any(os.path.lexists(f"{path}-{part}") for part in ("journal", "wal"))


def _real(name: Path) -> Path:
    try:
        return name.resolve()
    except (OSError, RuntimeError):
        # A link that leads to itself.
        return name


def shown(path: Path) -> str:
    """Return *path* in characters that can be stored and shown."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def place_of(name: Path) -> str:
    """Return the place that *name* leads to, as a source at it tells its path."""
    return shown(_real(name))


def find_sources(home: Path, more: Sequence[Path] = (), *, tried: Tried | None = None) -> Found:
    """
    Return the old files of *home*, and of the folders and files in *more*; none is opened.

    Below a folder those of its `.spec-kitty` and of its `.kittify/sync` count too. *tried* says
    whose a queue may be.
    """
    found = Found()
    _in_root(found, home.resolve(), tried)
    for place in more:
        if place.is_dir():
            path = place.resolve()
            for root in (path, path / ".spec-kitty"):
                _in_root(found, root, tried)
            _overflow(found, path / ".kittify" / "sync")
        elif not is_of_journal_era(place):
            _named(found, place.parent.resolve() / place.name, tried)
    listed = partial(_listed, found, kind=Kind.JOURNAL)
    add_journal_era(found, (home, *more), listed, shown)
    found.choose()
    return found


def _named(found: Found, name: Path, tried: Tried | None) -> None:
    """Take in the file that somebody named."""
    if name.suffix == ".jsonl":
        is_overflow = _OVERFLOW.fullmatch(name.name)
        found.add(name, partial(_lines, Kind.OVERFLOW if is_overflow else Kind.EVENT_LOG))
    elif name.name == _STORE:
        found.add(name, _project)
    else:
        match = _QUEUE.fullmatch(name.name)
        found.add(name, partial(_queue, match[1] if match else _LEGACY, tried))


def _in_root(found: Found, root: Path, tried: Tried | None) -> None:
    found.add(root / "queue.db", partial(_queue, _LEGACY, tried))
    for name in _listed(found, root / "queues"):
        match = _QUEUE.fullmatch(name.name)
        if match is not None:
            found.add(name, partial(_queue, match[1], tried))
            continue
        part = _PART.fullmatch(name.name)
        if part is None or _QUEUE.fullmatch(part[1]) is None:
            found.skip(name, "its name is not that of a queue")
    for name in _listed(found, root / "projects", Kind.PROJECT_STORE):
        store = name / "sync" / _STORE
        if _PROJECT.fullmatch(name.name):
            found.add(store, _project)
        elif os.path.lexists(store):
            found.skip(store, "its folder is not named as a project is")
    _overflow(found, root)


def _overflow(found: Found, folder: Path) -> None:
    try:
        names = sorted(path for path in folder.iterdir() if _OVERFLOW.fullmatch(path.name))
    except OSError:
        return
    for name in names:
        found.add(name, partial(_lines, Kind.OVERFLOW))


def _listed(found: Found, folder: Path, kind: Kind = Kind.QUEUE) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        why = f"it cannot be listed: {error.strerror or 'unreadable'}"
        found.sources.append(_Unread(Source(path=shown(folder), kind=kind), why))
        return []


def _lines(kind: Kind, path: Path) -> LineFile:
    return LineFile(path, Source(path=shown(path), kind=kind))


def _project(path: Path) -> DatabaseSource:
    return DatabaseSource(path, Source(path=shown(path), kind=Kind.PROJECT_STORE), ENTRIES)


def _queue(digest: str, tried: Tried | None, path: Path) -> DatabaseSource:
    match = match_digest(digest, tried()) if tried is not None else None
    source = Source(
        path=shown(path),
        kind=Kind.QUEUE,
        target=f"{'unknown' if match is None else 'known'}:{digest}",
        spelling="" if match is None else match.spelling,
    )
    return DatabaseSource(path, source, QUEUE, BODY_PARTS)


@attrs.frozen
class _Unread:
    """What may hold rows, but is not read."""

    source: Source
    why: str
    code: str = "source_unreadable"
    fix: str = ""
    old: OldSource | None = None

    def fingerprint(self) -> str:
        """See `OldSource.fingerprint`."""
        return "" if self.old is None else self.old.fingerprint()

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """See `OldSource.reading`."""
        raise self._error()
        yield

    @contextmanager
    def emptying(self) -> Iterator[Emptying]:
        """See `OldSource.emptying`."""
        raise self._error()
        yield

    def _error(self) -> SourceError:
        return SourceError(f"{self.source.path}: {self.why}", code=self.code, fix=self.fix)
