from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from hashlib import sha256

import attrs

from eventsync_core.clock import Clock
from eventsync_core.errors import StoreUnreadableError
from eventsync_core.journal import Entry, Head, LeftOut, heads_of
from eventsync_core.ledger import read_ranges, write_ranges
from eventsync_core.lines import (
    MANIFEST_KEY,
    Carried,
    Manifest,
    Seal,
    Sealed,
    line_of,
    manifest_line,
    read_line,
    read_manifest,
)
from eventsync_core.payloads import Deed, Kept
from eventsync_core.retention._choice import Choice, Stay, targets_of, why_stays
from eventsync_core.retention._collect import (
    Collected,
    check_last,
    going,
    owed,
    pages,
    pieces,
    purge,
)
from eventsync_core.stores import Stores

Write = Callable[[str], object]

_ENTRIES_AT_ONCE = 500


@attrs.define
class Archived:
    """
    What went by an archive: as `Collected`; `undelivered` of it some target lacks.

    `written` events are in the file, also what stayed here in the end or went another way.
    `damaged` was meant too, and stays as it is: its text is missing or not the captured one.
    """

    collected: Collected
    undelivered: int = 0
    written: int = 0
    damaged: LeftOut = attrs.field(factory=LeftOut)

    def count_undelivered(self, going: Iterable[Kept]) -> None:
        """Count those of *going* that some target lacks."""
        targets = self.collected.targets
        self.undelivered += sum(
            not targets or not kept.delivered_to.issuperset(targets) for kept in going
        )


@attrs.frozen(kw_only=True)
class ArchiveFile:
    """
    Where an archive goes: *opened* gives what writes text to it and makes the file durable
    under its name when the block ends; *read_back* yields its lines, without line feeds.
    """

    opened: Callable[[], AbstractContextManager[Write]]
    read_back: Callable[[], Iterable[str]]


def plan_archive(stores: Stores, choice: Choice, stream: str | None, *, at: int) -> Archived:
    """
    Say what `archive` would do now, what was not delivered included; nothing changes.

    Raises:
        UnknownTargetError: A target that was named is not registered.
        StoreUnreadableError: Which entries are the last ones cannot be told.
    """
    found = Archived(Collected(targets_of(stores, choice)))
    for head, piece in _pieces(stores, choice, stream, found, at=at):
        sound = _sound(stores, head, piece, found)
        found.collected.add(head.stream, len(sound), sum(entry.event.size for entry in sound))
        found.written += len(sound)
        positions = {entry.position for entry in sound}
        leaving = [kept for kept in piece if kept.position in positions]
        found.count_undelivered(leaving)
        found.collected.owed += owed(stores, head, leaving)
    return found


def archive(
    stores: Stores,
    choice: Choice,
    stream: str | None,
    deed: Deed,
    clock: Clock,
    file: ArchiveFile,
    *,
    include_undelivered: bool,
    progress: Callable[[int], None] | None = None,
) -> Archived:
    """
    Write the payloads that *choice* means to *file*, read them back, and let them go here.

    None goes before all of them were read back as they were captured; a damaged one stays here.
    Without *include_undelivered* what some target lacks stays here. What is sent or opened
    again meanwhile stays here too, and is in the archive all the same.

    Raises:
        StoreUnreadableError: What was written was not read back.
        StoreError: The store cannot be used; what went before is in the archive.
    """
    done = Archived(Collected(targets_of(stores, choice)))
    include, at = include_undelivered, clock()
    written, sealed = _write(stores, choice, stream, file, done, include=include, at=at)
    if read_seal(file.read_back()) != sealed:
        raise StoreUnreadableError("the archive does not hold what was written; nothing is gone")
    known = Collected(done.collected.targets, stayed=done.collected.stayed)
    done = Archived(known, written=sealed.events, damaged=done.damaged)
    for head, ranges in written:
        positions = list(read_ranges(ranges))
        gone = purge(stores, choice, head, positions, deed, clock, known, include=include)
        done.count_undelivered(gone)
        if progress is not None:
            progress(done.collected.purged)
    return done


def _write(
    stores: Stores,
    choice: Choice,
    stream: str | None,
    file: ArchiveFile,
    done: Archived,
    *,
    include: bool,
    at: int,
) -> tuple[list[tuple[Head, str]], Sealed]:
    written: list[tuple[Head, str]] = []
    seal = Seal()
    with file.opened() as write:
        for head, piece in _pieces(stores, choice, stream, done, include=include, at=at):
            entries = _sound(stores, head, piece, done)
            if not entries:
                continue
            lines = _lines(head, entries)
            for number, line in enumerate(lines):
                seal.add(line[:-1], is_event=number > 0)
            write("".join(lines))
            written.append((head, write_ranges(entry.position for entry in entries)))
        write(manifest_line(seal.sealed))
    return written, seal.sealed


def _lines(head: Head, entries: Sequence[Entry]) -> list[str]:
    manifest = Manifest(
        stream=head.stream,
        positions=tuple(entry.position for entry in entries),
        digests=tuple(entry.event.digest.hex() for entry in entries),
    )
    events = [line_of(entry.event.event_id, entry.event.text) for entry in entries]
    return [manifest_line(manifest), *events]


def _sound(stores: Stores, head: Head, piece: Sequence[Kept], found: Archived) -> list[Entry]:
    """Return the entries of *piece* with the captured text under its id; the others are noted."""
    wanted = {kept.position for kept in piece}
    first, last = min(wanted), max(wanted)
    limit = min(last - first + 1, _ENTRIES_AT_ONCE)
    entries = stores.journal.entries(head.stream, after=first - 1, limit=limit)
    return [
        entry
        for entry in entries
        if entry.position in wanted and found.damaged.sift(entry, by_id=True)
    ]


def read_seal(lines: Iterable[str]) -> Sealed | None:
    """
    Return what seals the archive of *lines*, when all that it says of its events is true.

    None: it is no whole archive.
    """
    seal, expected = Seal(), iter(tuple[str, ...]())
    for line in lines:
        found = read_line(line)
        if isinstance(found, Carried):
            if next(expected, "") != sha256(found.text.encode()).hexdigest():
                return None
            seal.add(line, is_event=True)
        elif found.key == MANIFEST_KEY:
            manifest = read_manifest(found.content)
            if next(expected, None) is not None:
                return None
            if isinstance(manifest, Sealed):
                return manifest if manifest == seal.sealed else None
            expected = iter(manifest.digests)
            seal.add(line, is_event=False)
    return None


def _pieces(
    stores: Stores,
    choice: Choice,
    stream: str | None,
    found: Archived,
    *,
    include: bool = True,
    at: int,
) -> Iterator[tuple[Head, list[Kept]]]:
    for head in heads_of(stores.journal, stream):
        check_last(stores, choice, head)
        in_flight = stores.leases.in_flight(head.stream, at=at)
        there = 0
        for page in pages(stores, head.stream, head.position):
            there += len(page)
            meant = going(page, choice, head, found.collected, in_flight, include=include)
            for piece in pieces(list(meant)):
                yield head, piece
        if there + stores.payloads.counts(head.stream).events < head.position:
            _note_missing(stores, choice, head, found)


def _note_missing(stores: Stores, choice: Choice, head: Head, found: Archived) -> None:
    """Note the entries that *choice* means whose payload did not go on record, and is missing."""
    for after, upto in _gaps(stores, head):
        while after < upto:
            limit = min(_ENTRIES_AT_ONCE, upto - after)
            page = stores.journal.entries(head.stream, after=after, limit=limit)
            for entry in page:
                found.damaged.skip(head.stream, after, min(entry.position, upto + 1))
                after = entry.position
                is_meant = why_stays(_as_kept(entry), choice, (), head=head.position)
                if after <= upto and is_meant is Stay.UNDELIVERED:
                    found.damaged.sift(entry, by_id=True)
            if not page:
                found.damaged.skip(head.stream, after, upto + 1)
                break


def _gaps(stores: Stores, head: Head) -> Iterator[tuple[int, int]]:
    """Yield where no payload is: behind which position, and up to which."""
    last = 0
    for page in pages(stores, head.stream, head.position):
        for kept in page:
            if kept.position > last + 1:
                yield last, kept.position - 1
            last = kept.position
    if last < head.position:
        yield last, head.position


def _as_kept(entry: Entry) -> Kept:
    return Kept(
        position=entry.position,
        event_id=entry.event.event_id,
        event_type=entry.event.event_type,
        captured_at=entry.captured_at,
        size=entry.event.size,
    )
