from collections.abc import Iterator, Sequence
from typing import NamedTuple

from eventsync_core.clock import Clock
from eventsync_core.desk._model import PAGE
from eventsync_core.errors import UnknownEventError
from eventsync_core.events import Hold
from eventsync_core.journal import Entry
from eventsync_core.stores import Stores


class Moved(NamedTuple):
    """How many entries were held or released, and how many stood so before."""

    changed: int
    unchanged: int


def find_entries(stores: Stores, event_ids: Sequence[str]) -> list[Entry]:
    """
    Return the entries of *event_ids*, each once.

    Raises:
        UnknownEventError: Some are not stored; it names them.
    """
    found = {event_id: stores.journal.find(event_id) for event_id in event_ids}
    unknown = [event_id for event_id, entry in found.items() if entry is None]
    if unknown:
        raise UnknownEventError(*unknown)
    return [entry for entry in found.values() if entry is not None]


def hold(stores: Stores, event_ids: Sequence[str], *, reason: str, actor: str, at: int) -> Moved:
    """
    Let the events be offered to nobody until they are released; all of them or none.

    Raises:
        UnknownEventError: Some are not stored; nothing changed.
    """
    entries = find_entries(stores, event_ids)
    with stores.atomic():
        changed = sum(
            stores.holds.hold(stream, positions, reason=reason, actor=actor, at=at)
            for stream, positions in _places(entries)
        )
    return Moved(changed, len(entries) - changed)


def release(stores: Stores, event_ids: Sequence[str], *, actor: str, at: int) -> Moved:
    """
    Let the events be offered again where they are granted; all of them or none.

    Raises:
        UnknownEventError: Some are not stored; nothing changed.
    """
    entries = find_entries(stores, event_ids)
    with stores.atomic():
        changed = sum(
            stores.holds.release(stream, positions, actor=actor, at=at)
            for stream, positions in _places(entries)
        )
    return Moved(changed, len(entries) - changed)


def release_all(stores: Stores, stream: str, why: Hold, *, actor: str, clock: Clock) -> int:
    """
    Release all entries of *stream* that are held for that reason and return how many.

    Each page is a unit of work; one that is interrupted has released whole pages only.
    """
    return sum(
        stores.holds.release(stream, page, actor=actor, at=clock())
        for page in held_pages(stores, stream, why)
    )


def held_pages(stores: Stores, stream: str, why: Hold) -> Iterator[list[int]]:
    """Yield the positions of *stream* that are held for that reason, page by page."""
    after = 0
    while page := stores.holds.held(stream, why, after=after, limit=PAGE):
        after = page[-1]
        yield page


def _places(entries: Sequence[Entry]) -> Iterator[tuple[str, list[int]]]:
    for stream in dict.fromkeys(entry.stream for entry in entries):
        yield stream, [entry.position for entry in entries if entry.stream == stream]
