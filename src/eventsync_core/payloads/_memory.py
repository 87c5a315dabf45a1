from collections.abc import Sequence

import attrs

from eventsync_core.events import Event
from eventsync_core.journal import MemoryJournal, lacks_text
from eventsync_core.ledger import MemoryLedger
from eventsync_core.payloads._model import Act, Deed, Kept, Purge, PurgedCounts
from eventsync_core.targets import TargetRegistry

_Place = tuple[str, int]


@attrs.define
class MemoryPayloads:
    """`Payloads` over a journal and a ledger in memory."""

    journal: MemoryJournal
    ledger: MemoryLedger
    targets: TargetRegistry
    _purges: dict[int, Purge] = attrs.field(factory=dict)
    _gone: dict[_Place, int] = attrs.field(factory=dict)

    def kept(self, stream: str, *, after: int, upto: int) -> list[Kept]:
        """See `Payloads.kept`."""
        return [
            Kept(
                position=entry.position,
                event_id=entry.event.event_id,
                event_type=entry.event.event_type,
                captured_at=entry.captured_at,
                size=entry.event.size,
                delivered_to=self._delivered_to(stream, entry.position),
            )
            for entry in self.journal.entries(stream, after=after, limit=max(upto - after, 0))
            if entry.has_text
        ]

    def _delivered_to(self, stream: str, position: int) -> frozenset[str]:
        found = set()
        for target in self.targets.targets():
            row = self.ledger.entry(target.target_id, stream, position)
            if row is not None and row.outcome is not None and row.outcome.is_delivered:
                found.add(target.target_id)
        return frozenset(found)

    def purge(self, stream: str, positions: Sequence[int], deed: Deed) -> tuple[int, int]:
        """See `Payloads.purge`."""
        there = [
            entry
            for position in positions
            for entry in self.journal.entries(stream, after=position - 1, limit=1)
            if entry.has_text
        ]
        if not there:
            return 0, 0
        size = sum(entry.event.size for entry in there)
        number = self.note(deed, len(there), size)
        for entry in there:
            self.journal.purge(stream, entry.position)
            self._gone[stream, entry.position] = number
        return len(there), size

    def note(self, deed: Deed, events: int, size: int) -> int:
        """Put on record that so much more went, or came back, by *deed*; return its number."""
        known = [each.number for each in self._purges.values() if each.deed == deed]
        number = known[0] if known else len(self._purges) + 1
        before = self._purges.get(number, Purge(number=number, deed=deed, events=0, size=0))
        self._purges[number] = attrs.evolve(
            before, events=before.events + events, size=before.size + size
        )
        return number

    def restore(self, events: Sequence[Event], deed: Deed) -> list[str]:
        """See `Payloads.restore`."""
        restored = []
        for event in events:
            entry = self.journal.find(event.event_id)
            if entry is None or not lacks_text(entry, event):
                continue
            self.journal.restore(entry, event)
            self._gone.pop((entry.stream, entry.position), None)
            if entry.event.hold is None:
                self.ledger.owe_everywhere(entry.stream, entry.position, at=deed.at)
            self.note(deed, 1, event.size)
            restored.append(event.event_id)
        return restored

    def tombstone(self, stream: str, position: int) -> Purge | None:
        """See `Payloads.tombstone`."""
        number = self._gone.get((stream, position))
        return None if number is None else self._purges[number]

    def is_erased(self, stream: str, position: int) -> bool:
        """Say whether the entry's payload was purged with its project."""
        purge = self.tombstone(stream, position)
        return purge is not None and purge.deed.act is Act.PURGE

    def purges(self, *, after: int = 0, limit: int = 1000) -> list[Purge]:
        """See `Payloads.purges`."""
        return [each for number, each in self._purges.items() if number > after][:limit]

    def counts(self, stream: str = "") -> PurgedCounts:
        """See `Payloads.counts`."""
        found = [(place, number) for place, number in self._gone.items() if _of(place, stream)]
        sizes = [
            entry.event.size
            for (where, position), _ in found
            for entry in self.journal.entries(where, after=position - 1, limit=1)
        ]
        return PurgedCounts(
            events=len(found),
            size=sum(sizes),
            archived=sum(self._purges[number].deed.act is Act.ARCHIVE for _, number in found),
        )


def _of(place: _Place, stream: str) -> bool:
    return stream in ("", place[0])
