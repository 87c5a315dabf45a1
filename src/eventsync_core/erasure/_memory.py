from collections.abc import Sequence

import attrs

from eventsync_core.bodies import MemoryBodies
from eventsync_core.erasure._port import Erased
from eventsync_core.journal import Entry, MemoryJournal
from eventsync_core.ledger import MemoryHolds, MemoryLedger
from eventsync_core.legacy import MemoryLegacy, MemoryPast
from eventsync_core.payloads import Deed, MemoryPayloads


@attrs.define
class MemoryErasing:
    """`Erasing` over what is in memory."""

    journal: MemoryJournal
    ledger: MemoryLedger
    holds: MemoryHolds
    legacy: MemoryLegacy
    past: MemoryPast
    bodies: MemoryBodies
    payloads: MemoryPayloads

    def there(self, stream: str) -> Erased:
        """See `Erasing.there`."""
        provenance = self.legacy.taken_of(stream, self.bodies.unclaimed(stream))
        bodies, failures = self.bodies.of(stream)
        return Erased(
            provenance=len(provenance),
            bodies=len(bodies),
            failures=len(failures),
            words=self.ledger.words_of(stream) + len(self.past.words_of(stream)),
            reasons=self.holds.reasons_of(stream),
            aggregates=sum(entry.event.aggregate is not None for entry in self._entries(stream)),
        )

    def _entries(self, stream: str) -> list[Entry]:
        return self.journal.entries(stream, limit=1 << 40)

    def erase(self, stream: str, aside: Sequence[int], deed: Deed) -> Erased:
        """See `Erasing.erase`."""
        found = self.there(stream)
        gone = self.legacy.forget(stream, self.bodies.unclaimed(stream), aside)
        self.bodies.forget(stream)
        self.ledger.silence(stream)
        self.past.silence(stream)
        self.holds.silence(stream)
        self.payloads.note(deed, 0, 0)
        return attrs.evolve(found, set_aside=gone)

    def erase_aggregates(self, stream: str) -> int:
        """See `Erasing.erase_aggregates`."""
        named = [
            entry
            for entry in self._entries(stream)
            if not entry.has_text and entry.event.aggregate is not None
        ]
        for entry in named:
            self.journal.forget_aggregate(stream, entry.position)
        return len(named)
