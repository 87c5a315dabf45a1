from collections.abc import Sequence

import attrs

from eventsync_core.bodies import MemoryBodies
from eventsync_core.erasure._port import Erased
from eventsync_core.journal import MemoryJournal
from eventsync_core.ledger import MemoryLedger
from eventsync_core.legacy import MemoryLegacy, MemoryPast
from eventsync_core.payloads import Deed, MemoryPayloads


@attrs.define
class MemoryErasing:
    """`Erasing` over what is in memory."""

    journal: MemoryJournal
    ledger: MemoryLedger
    legacy: MemoryLegacy
    past: MemoryPast
    bodies: MemoryBodies
    payloads: MemoryPayloads

    def there(self, stream: str) -> Erased:
        """See `Erasing.there`."""
        provenance = self.legacy.taken_of(self._ids(stream), stream)
        bodies, failures = self.bodies.of(stream)
        return Erased(
            provenance=len(provenance),
            bodies=len(bodies),
            failures=len(failures),
            words=self.ledger.words_of(stream) + len(self.past.words_of(stream)),
        )

    def _ids(self, stream: str) -> set[str]:
        entries = self.journal.entries(stream, limit=1 << 40)
        return {entry.event.event_id for entry in entries}

    def erase(self, stream: str, aside: Sequence[int], deed: Deed) -> Erased:
        """See `Erasing.erase`."""
        found = self.there(stream)
        gone = self.legacy.forget(self._ids(stream), stream, aside)
        self.bodies.forget(stream)
        self.ledger.silence(stream)
        self.past.silence(stream)
        self.payloads.note(deed, 0, 0)
        return attrs.evolve(found, set_aside=gone)
