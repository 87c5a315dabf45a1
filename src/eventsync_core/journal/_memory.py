from collections.abc import Sequence
from itertools import accumulate

import attrs

from eventsync_core.events import Event, Hold, Producer
from eventsync_core.journal._model import Appended, Entry, Head, Known
from eventsync_core.journal._rules import chain_next, chain_start, chains_after, reconcile


@attrs.define
class MemoryJournal:
    """A `Journal` that lives as long as the object; the model the others are held against."""

    _streams: dict[str, list[Entry]] = attrs.field(factory=dict)
    _ids: dict[str, Entry] = attrs.field(factory=dict)
    _clocks: dict[str, int] = attrs.field(factory=dict)

    def append(
        self, stream: str, events: Sequence[Event], *, at: int, producer: Producer | None = None
    ) -> list[Appended]:
        """See `Journal.append`."""
        return [self._append_one(stream, event, at, producer) for event in events]

    def _append_one(
        self, stream: str, event: Event, at: int, producer: Producer | None
    ) -> Appended:
        known = self._ids.get(event.event_id)
        if known is not None:
            digest = known.event.canonical_digest
            place = (known.stream, known.position)
            is_gone = not known.has_text
            return reconcile(Known(event.event_id, *place, digest, is_gone), event)
        entries = self._streams.setdefault(stream, [])
        position = len(entries) + 1
        before = entries[-1].chain if entries else chain_start(stream)
        chain = chain_next(before, position, event.event_id, event.digest)
        entry = Entry(event, stream, position, chain, at, producer)
        entries.append(entry)
        self._ids[event.event_id] = entry
        return Appended(event.event_id, stream, position, "held" if event.hold else "stored")

    def mark(self, stream: str, position: int, hold: Hold | None, reason: str | None) -> None:
        """Hold the entry for that reason, or with None let it go."""
        entry = self._streams[stream][position - 1]
        event = attrs.evolve(entry.event, hold=hold, hold_reason=reason)
        marked = attrs.evolve(entry, event=event)
        self._streams[stream][position - 1] = self._ids[event.event_id] = marked

    def purge(self, stream: str, position: int) -> None:
        """Let the payload of the entry go, which is there."""
        entry = self._streams[stream][position - 1]
        event = attrs.evolve(entry.event, text="")
        purged = attrs.evolve(entry, event=event, is_purged=True)
        self._streams[stream][position - 1] = self._ids[event.event_id] = purged

    def forget_aggregate(self, stream: str, position: int) -> None:
        """Take the name of its aggregate out of the entry."""
        entry = self._streams[stream][position - 1]
        event = attrs.evolve(entry.event, aggregate=None)
        self._streams[stream][position - 1] = self._ids[event.event_id] = attrs.evolve(
            entry, event=event
        )

    def restore(self, entry: Entry, captured: Event) -> None:
        """Put the payload of *entry* back, which is not there or damaged."""
        event = attrs.evolve(entry.event, text=captured.text, aggregate=captured.aggregate)
        whole = attrs.evolve(entry, event=event, is_purged=False)
        self._streams[entry.stream][entry.position - 1] = self._ids[event.event_id] = whole

    def find(self, event_id: str) -> Entry | None:
        """See `Journal.find`."""
        return self._ids.get(event_id)

    def entries(
        self, stream: str, *, after: int = 0, limit: int = 1000, max_bytes: int | None = None
    ) -> list[Entry]:
        """See `Journal.entries`."""
        found = self._streams.get(stream, [])[after : after + limit]
        if max_bytes is None:
            return found
        totals = accumulate(entry.event.size * entry.has_text for entry in found)
        return found[: max(1, sum(total <= max_bytes for total in totals))]

    def positions(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[int]:
        """See `Journal.positions`."""
        return [entry.position for entry in self.entries(stream, after=after, limit=limit)]

    def chains_before(self, stream: str, position: int, *, reach: int = 2) -> tuple[bytes, ...]:
        """See `Journal.chains_before`."""
        first = max(position - 1 - reach, 0)
        before = self._streams.get(stream, [])[first : max(position - 1, 0)]
        if position > 1 and (not before or before[-1].position != position - 1):
            return ()
        rows = [
            (each.position, each.event.event_id, each.event.digest, each.chain) for each in before
        ]
        return chains_after(stream, rows)

    def heads(self) -> list[Head]:
        """See `Journal.heads`."""
        found = []
        for stream in sorted(self._streams | self._clocks):
            entries = self._streams.get(stream, [])
            chain = entries[-1].chain if entries else chain_start(stream)
            found.append(Head(stream, len(entries), chain, self._clocks.get(stream, 0)))
        return found

    def next_lamport(self, stream: str, *, seen: int = 0) -> int:
        """See `Journal.next_lamport`."""
        self._clocks[stream] = max(self._clocks.get(stream, 0), seen) + 1
        return self._clocks[stream]
