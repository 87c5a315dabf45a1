from collections.abc import Collection, Sequence

import attrs

from eventsync_core.journal import MemoryJournal
from eventsync_core.legacy._belonging import belongs
from eventsync_core.legacy._model import Noted, Provenance, RowKey, SetAside, Stored, Why


@attrs.define
class MemoryLegacy:
    """A `Legacy` that lives as long as the object."""

    _journal: MemoryJournal
    _sources: dict[str, Noted] = attrs.field(factory=dict)
    _taken: dict[tuple[str, RowKey], Provenance] = attrs.field(factory=dict)
    _aside: dict[int, SetAside] = attrs.field(factory=dict)
    _last: dict[str, int] = attrs.field(factory=dict)

    def stored(self, event_ids: Sequence[str], *, with_text: bool = False) -> dict[str, Stored]:
        """See `Legacy.stored`."""
        found = {}
        for event_id in event_ids:
            entry = self._journal.find(event_id)
            if entry is not None:
                found[event_id] = Stored(
                    stream=entry.stream,
                    position=entry.position,
                    digest=entry.event.digest,
                    canonical_digest=entry.event.canonical_digest,
                    text=None if entry.is_purged or not with_text else entry.event.text,
                )
        return found

    def note(self, noted: Noted, *, at: int) -> None:
        """See `Legacy.note`."""
        del at
        self._sources[noted.source.path] = noted

    def sources(self) -> list[Noted]:
        """See `Legacy.sources`."""
        return list(self._sources.values())

    def take(self, rows: Sequence[Provenance]) -> int:
        """See `Legacy.take`."""
        before = len(self._taken)
        for row in rows:
            self._taken.setdefault((row.path, row.key), row)
        return len(self._taken) - before

    def known(self, path: str, keys: Sequence[RowKey]) -> set[RowKey]:
        """See `Legacy.known`."""
        return {key for key in keys if (path, key) in self._taken}

    def taken(
        self, path: str, part: str, *, after: int = -1, upto: int, limit: int = 1000
    ) -> list[Provenance]:
        """See `Legacy.taken`."""
        found = sorted(
            (
                row
                for row in self._taken.values()
                if (row.path, row.key.part) == (path, part) and after < row.key.row <= upto
            ),
            key=lambda row: row.key,
        )
        last = found[min(limit, len(found)) - 1].key.row if found else 0
        return [row for row in found if row.key.row <= last]

    def provenance(self, event_id: str) -> list[Provenance]:
        """See `Legacy.provenance`."""
        return [row for row in self._taken.values() if row.event_id == event_id]

    def set_aside(self, rows: Sequence[SetAside]) -> int:
        """See `Legacy.set_aside`."""
        before = len(self._aside)
        known = {(row.path, row.key) for row in self._aside.values()}
        for row in rows:
            if (row.path, row.key) not in known:
                known.add((row.path, row.key))
                number = self._last["row"] = self._last.get("row", 0) + 1
                self._aside[number] = attrs.evolve(row, number=number)
        return len(self._aside) - before

    def aside(
        self, *, after: int = 0, limit: int = 1000, is_open_conflict: bool = False
    ) -> list[SetAside]:
        """See `Legacy.aside`."""
        found = [
            attrs.evolve(row, raw=b"")
            for number, row in self._aside.items()
            if number > after and (not is_open_conflict or _is_open_conflict(row))
        ]
        return found[:limit]

    def aside_count(self) -> int:
        """See `Legacy.aside_count`."""
        return len(self._aside)

    def aside_of(self, path: str, keys: Sequence[RowKey]) -> dict[RowKey, SetAside]:
        """See `Legacy.aside_of`."""
        wanted = set(keys)
        return {
            row.key: attrs.evolve(row, raw=b"")
            for row in self._aside.values()
            if row.path == path and row.key in wanted
        }

    def aside_under(self, event_id: str) -> list[SetAside]:
        """See `Legacy.aside_under`."""
        found = (row for row in self._aside.values() if row.event_id == event_id)
        return [attrs.evolve(row, raw=b"") for row in found]

    def bytes_of(self, number: int) -> bytes | None:
        """See `Legacy.bytes_of`."""
        found = self._aside.get(number)
        return None if found is None else found.raw

    def open_conflicts(self, path: str | None = None) -> int:
        """See `Legacy.open_conflicts`."""
        return sum(
            _is_open_conflict(row) and path in (None, row.path) for row in self._aside.values()
        )

    def resolve(self, numbers: Sequence[int], resolution: str, *, at: int) -> int:
        """See `Legacy.resolve`."""
        changed = 0
        for number in numbers:
            row = self._aside.get(number)
            if row is not None and not row.resolution:
                self._aside[number] = attrs.evolve(row, resolution=resolution, resolved_at=at)
                changed += 1
        return changed

    def taken_of(self, project: str, bodies: Collection[str]) -> list[tuple[str, RowKey]]:
        """Return what is on record of rows that belong to the project, or hold one of *bodies*."""
        return [
            place
            for place, row in self._taken.items()
            if belongs(row.event_id, self._stream(row.event_id), project)
            or (row.event_id in bodies and self._stream(row.event_id) is None)
        ]

    def _stream(self, event_id: str) -> str | None:
        entry = self._journal.find(event_id)
        return None if entry is None else entry.stream

    def forget(self, project: str, bodies: Collection[str], aside: Sequence[int]) -> int:
        """
        Forget what `taken_of` returns and the rows of *aside*; return how many these were.

        That rows of *bodies* were dealt with stays.
        """
        for place in self.taken_of(project, bodies):
            row = self._taken.pop(place)
            if row.event_id in bodies:
                self._taken[place] = row.nameless()
        return sum(self._aside.pop(number, None) is not None for number in aside)


def _is_open_conflict(row: SetAside) -> bool:
    return row.why is Why.CONFLICT and not row.resolution
