import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Generic, Never, TypeVar

import attrs

from eventsync_adapters.legacy_queues._journal_era import (
    add_journal_era,
    is_of_journal_era,
    records_of,
)
from eventsync_adapters.legacy_queues._lines import LineFile
from eventsync_adapters.legacy_queues._project_store import ENTRIES
from eventsync_adapters.legacy_queues._queue import BODY_PARTS, QUEUE
from eventsync_adapters.legacy_queues._sources import DatabaseSource
from eventsync_core.authority import Hypotheses, match_digest
from eventsync_core.errors import SourceError
from eventsync_core.legacy import Kind, Source
from eventsync_core.migration import OldRecords, OldSource, OldTable

_QUEUE = re.compile(r"queue-([0-9a-f]+)\.db", re.ASCII)
_PART = re.compile(r"(.+)-(?:journal|wal|shm)", re.DOTALL)
_OVERFLOW = re.compile(r"overflow-.+\.jsonl", re.DOTALL)
_PROJECT = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_LEGACY = "legacy"
_STORE, _OWN = "sync.db", "queue.db"
_WITHOUT_JOURNALS = (Kind.OVERFLOW, Kind.EVENT_LOG)
_Old = TypeVar("_Old", OldSource, OldTable)
_LINKED = "remove the other names, or name these files too: --from FILE"

Tried = Callable[[], Hypotheses]
"""Returns whose a queue may be; asked of only where there is a queue."""


@attrs.frozen
class Skipped:
    """A file that was not read, and why."""

    path: str
    why: str


@attrs.frozen
class _Name(Generic[_Old]):
    """One of the names that lead to a file, and what the file is by that name."""

    name: Path
    path: Path
    old: _Old
    names_on_disk: int


@attrs.frozen
class _File(Generic[_Old]):
    """A file with all names that lead to it; the one that counts has its place in a list."""

    listed: list[_Old]
    place: int
    names: list[_Name[_Old]] = attrs.field(factory=list)

    def choose(self) -> Path:
        """Decide which name counts, and return it."""
        kept, self.listed[self.place] = _chosen(self.names)
        return kept.name


@attrs.define
class Found:
    """
    The sources below some roots, in the order they are imported, and what was left out.

    `met` counts the names that were met, taken in or not.
    """

    sources: list[OldSource] = attrs.field(factory=list)
    skipped: list[Skipped] = attrs.field(factory=list)
    records: list[OldRecords] = attrs.field(factory=list)
    met: int = 0
    _files: dict[tuple[int, int], _File[Any]] = attrs.field(factory=dict)

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
        self.met += 1
        if stored_path(path) not in {each.path for each in self.skipped}:
            self.skipped.append(Skipped(stored_path(path), why))

    def add(self, name: Path, make: Callable[[Path], OldSource]) -> None:
        """
        Take in the file that *name* leads to, which *make* gives for the place it really has.

        Beside that place its journals are. One that several names lead to is one source.
        """
        self.add_to(self.sources, name, make)

    def add_to(self, listed: list[_Old], name: Path, make: Callable[[Path], _Old]) -> None:
        """Do so, and let *listed* have it, if no other name of the file came before."""
        path = _real(name)
        try:
            info = path.stat()
        except FileNotFoundError:
            if name.is_symlink():
                self.skip(name, "it points to nothing")
            return
        except OSError:
            # Reading it says why it cannot be reached.
            self.met += 1
            listed.append(make(path))
            return
        if not stat.S_ISREG(info.st_mode):
            self.skip(name, "it is no file")
            return
        self.met += 1
        file = self._files.setdefault((info.st_dev, info.st_ino), _File(listed, len(listed)))
        one = _Name(name, path, make(path), info.st_nlink)
        if not file.names:
            listed.append(one.old)
        file.names.append(one)

    def at(self, name: Path) -> OldTable | None:
        """Return the table that stands in the file at *name*, if it was taken in."""
        try:
            info = name.stat()
        except OSError:
            return None
        file = self._files.get((info.st_dev, info.st_ino))
        if file is None or file.listed is self.sources:
            return None
        table: OldTable = file.listed[file.place]
        return table

    def choose(self) -> None:
        """Decide which name counts, where several lead to one file."""
        for file in self._files.values():
            kept = file.choose()
            for each in file.names:
                if each.name != kept:
                    self.skip(each.name, f"it is the same file as {stored_path(_real(kept))}")


def _chosen(names: Sequence[_Name[_Old]]) -> tuple[_Name[_Old], _Old]:
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
        unread: Any = _Unread(first.old.source, why, "source_linked", _LINKED, first.old)
        return first, unread
    return first, first.old


def _has_journal(path: Path) -> bool:
    return any(os.path.lexists(f"{path}-{part}") for part in ("journal", "wal"))


def _real(name: Path) -> Path:
    try:
        return name.resolve()
    except (OSError, RuntimeError):
        # A link that leads to itself.
        return name


def stored_path(path: Path) -> str:
    """Return *path* in characters that can be stored, if not printed; other bytes as `\\xNN`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def place_of(name: Path) -> str:
    """Return the place that *name* leads to, as a source at it tells its path."""
    return stored_path(_real(name))


def find_sources(home: Path, more: Sequence[Path] = (), *, tried: Tried | None = None) -> Found:
    """
    Return the old files of *home*, and of the folders and files in *more*; none is opened.

    Below a folder those of its `.spec-kitty` and of its `.kittify/sync` count too; in a folder of
    *more* also those that a home has in folders of their own. *tried* says whose a queue may be.
    """
    found = Found()
    _in_root(found, home.resolve(), tried)
    met = [_in_place(found, place, tried) for place in more]
    listed = partial(_listed, found, kind=Kind.JOURNAL)
    groups = add_journal_era(found, (home,), listed, stored_path)
    for place, before in zip(more, met, strict=True):
        start = found.met
        inside = _inside(place.resolve()) if place.is_dir() else []
        groups += add_journal_era(found, (place, *inside), listed, stored_path)
        if not before + found.met - start:
            found.skip(place, "nothing was found there")
    found.choose()
    found.records += records_of(groups, found.at)
    return found


def _in_place(found: Found, place: Path, tried: Tried | None) -> int:
    """Take in the files of a place that somebody named, but those of the journal era."""
    before = found.met
    if not place.is_dir():
        if not is_of_journal_era(place):
            _named(found, place.parent.resolve() / place.name, tried)
        return found.met - before
    path = place.resolve()
    for root in (path, path / ".spec-kitty"):
        _in_root(found, root, tried)
    _overflow(found, path / ".kittify" / "sync")
    for name in _inside(path):
        if _QUEUE.fullmatch(name.name) or name.name == _STORE:
            _named(found, name, tried)
        elif name.name != _OWN and not is_of_journal_era(name):
            found.skip(name, "its name is not that of a queue")
    return found.met - before


def _inside(folder: Path) -> list[Path]:
    """Return the databases that stand in a folder itself."""
    try:
        return sorted(name for name in folder.iterdir() if name.suffix == ".db")
    except OSError:
        return []


def _named(found: Found, name: Path, tried: Tried | None) -> None:
    """Take in the file that somebody named."""
    if name.suffix == ".jsonl":
        is_overflow = _OVERFLOW.fullmatch(name.name)
        found.add(name, partial(_lines, Kind.OVERFLOW if is_overflow else Kind.EVENT_LOG))
    elif name.name == _STORE:
        found.add(name, _project)
    else:
        match = _QUEUE.fullmatch(name.name)
        is_guess = match is None and name.name != _OWN
        digest = match[1] if match else _LEGACY
        found.add(name, partial(_queue, digest, tried, is_guess=is_guess))


def _in_root(found: Found, root: Path, tried: Tried | None) -> None:
    found.add(root / _OWN, partial(_queue, _LEGACY, tried))
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
        found.met += 1
        found.sources.append(_Unread(Source(path=stored_path(folder), kind=kind), why))
        return []


def _lines(kind: Kind, path: Path) -> LineFile:
    return LineFile(path, Source(path=stored_path(path), kind=kind))


def _project(path: Path) -> DatabaseSource:
    return DatabaseSource(path, Source(path=stored_path(path), kind=Kind.PROJECT_STORE), ENTRIES)


def _queue(
    digest: str, tried: Tried | None, path: Path, *, is_guess: bool = False
) -> DatabaseSource:
    match = match_digest(digest, tried()) if tried is not None else None
    source = Source(
        path=stored_path(path),
        kind=Kind.QUEUE,
        target=f"{'unknown' if match is None else 'known'}:{digest}",
        spelling="" if match is None else match.spelling,
    )
    return DatabaseSource(path, source, QUEUE, BODY_PARTS, is_guess)


@attrs.frozen
class _Unread:
    """What may hold rows, but is not read."""

    source: Source
    why: str
    code: str = "source_unreadable"
    fix: str = ""
    old: OldSource | OldTable | None = None

    def fingerprint(self) -> str:
        """See `OldSource.fingerprint`."""
        return "" if self.old is None else self.old.fingerprint()

    @contextmanager
    def reading(self) -> Iterator[Never]:
        """See `OldSource.reading`."""
        raise self._error()
        yield

    @contextmanager
    def emptying(self) -> Iterator[Never]:
        """See `OldSource.emptying`."""
        raise self._error()
        yield

    def _error(self) -> SourceError:
        return SourceError(f"{self.source.path}: {self.why}", code=self.code, fix=self.fix)
