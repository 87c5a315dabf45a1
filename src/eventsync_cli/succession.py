"""What superseded an entry, and what it stands for, as the journal's commands show it."""

from collections.abc import Sequence
from typing import Any

import attrs

from eventsync_core.clock import iso_time
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.journal import Entry
from eventsync_core.stores import Stores

__all__ = [
    "place_of",
    "succession_document",
    "succession_lines",
    "succession_of",
    "superseded_among",
]

_MOST_NAMED = 20


@attrs.frozen
class _Relative:
    """The other event of a link, and since when it holds."""

    event_id: str
    position: int
    at: int


@attrs.frozen
class _Succession:
    """The event that stands for an entry, if one does, and those it stands for itself."""

    by: _Relative | None
    over: Sequence[_Relative]
    count: int


def place_of(entry: Entry) -> tuple[str, int]:
    """Return where the entry stands."""
    return entry.stream, entry.position


def superseded_among(stores: Stores, entries: Sequence[Entry]) -> set[tuple[str, int]]:
    """Return the places of those of *entries* that are superseded."""
    return {
        (stream, position)
        for stream in {entry.stream for entry in entries}
        for position in stores.superseding.superseded(
            stream, [entry.position for entry in entries if entry.stream == stream]
        )
    }


def succession_of(stores: Stores, entry: Entry) -> _Succession:
    """Look up what superseded the entry and what it supersedes."""
    stream, position = place_of(entry)
    link = stores.superseding.superseded(stream, [position]).get(position)
    links = stores.superseding.supersedes(stream, position)
    return _Succession(
        None if link is None else _relative(stores, stream, link.by, link.at),
        [_relative(stores, stream, each.position, each.at) for each in links[:MOST_ITEMS]],
        len(links),
    )


def _relative(stores: Stores, stream: str, position: int, at: int) -> _Relative:
    (entry,) = stores.journal.entries(stream, after=position - 1, limit=1)
    return _Relative(entry.event.event_id, position, at)


def succession_document(found: _Succession) -> dict[str, Any]:
    """Return it as JSON."""
    return {
        "superseded_by": None if found.by is None else _document(found.by),
        "supersedes": [_document(each) for each in found.over],
        "supersedes_count": found.count,
    }


def _document(relative: _Relative) -> dict[str, Any]:
    return {
        "event_id": relative.event_id,
        "position": relative.position,
        "at": iso_time(relative.at),
    }


def succession_lines(found: _Succession) -> list[str]:
    """Return it for a person; nothing for an event that never had to do with another."""
    lines = []
    if found.by is not None:
        since = iso_time(found.by.at)
        lines.append(
            f"  superseded by {found.by.event_id} at position {found.by.position}, {since}"
        )
    shown = found.over[:_MOST_NAMED]
    lines += [f"  supersedes {each.event_id} at position {each.position}" for each in shown]
    if found.count > len(shown):
        lines.append(f"  and {found.count - len(shown)} more")
    return lines
