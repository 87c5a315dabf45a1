from collections.abc import Iterable

import attrs

from eventsync_core.journal import Entry, Journal
from eventsync_core.ledger import MemoryLedger, MemorySuperseding
from eventsync_core.measures._model import Retained, Storage
from eventsync_core.receivers import Outcome

_ALL = 1 << 40


@attrs.define
class MemoryMeasures:
    """`Measures` over a journal, a ledger and the supersessions in memory."""

    journal: Journal
    ledger: MemoryLedger
    superseding: MemorySuperseding

    def retained(self) -> list[Retained]:
        """See `Measures.retained`."""
        found = []
        for head in self.journal.heads():
            entries = self.journal.entries(head.stream, limit=_ALL)
            if entries:
                sizes = [entry.event.size for entry in entries if entry.has_text]
                found.append(Retained(head.stream, len(sizes), sum(sizes)))
        return found

    def oldest_kept_at(self) -> int | None:
        """See `Measures.oldest_kept_at`."""
        return min(
            (
                entry.captured_at
                for head in self.journal.heads()
                for entry in self.journal.entries(head.stream, limit=_ALL)
                if entry.has_text
            ),
            default=None,
        )

    def oldest_owed_at(self, target_id: str, stream: str) -> int | None:
        """See `Measures.oldest_owed_at`."""
        reach = self.ledger.reach(target_id, stream)
        if reach is None:
            return None
        entries = self.journal.entries(stream, after=reach, limit=_ALL)
        owed = (entry for entry in entries if self._is_owed(target_id, entry))
        return next((entry.captured_at for entry in owed), None)

    def _is_owed(self, target_id: str, entry: Entry) -> bool:
        if entry.event.hold or not entry.has_text:
            return False
        if self.superseding.is_superseded(entry.stream, entry.position):
            return False
        row = self.ledger.entry(target_id, entry.stream, entry.position)
        return row is None or not (row.is_settled or row.outcome is Outcome.PENDING)

    def event_ids(self, stream: str, positions: Iterable[int]) -> dict[int, str]:
        """See `Measures.event_ids`."""
        wanted = set(positions)
        entries = self.journal.entries(stream, limit=_ALL)
        return {e.position: e.event.event_id for e in entries if e.position in wanted}

    def storage(self) -> Storage | None:
        """See `Measures.storage`: memory is no disk."""
        return None
