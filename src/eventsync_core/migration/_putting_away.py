"""Contents that an old program put away when it settled conflicts stay on record."""

from collections.abc import Sequence

import attrs

from eventsync_core.clock import Clock
from eventsync_core.events import Event
from eventsync_core.legacy import (
    Became,
    Decision,
    Judged,
    Resolution,
    SetAside,
    Source,
    judge,
)
from eventsync_core.migration._bringing import Told
from eventsync_core.migration._columns import TableRow
from eventsync_core.migration._merging import Merging, aside_of, provenance_of
from eventsync_core.migration._model import Migration, SourceReport
from eventsync_core.migration._past_rows import read_settled
from eventsync_core.migration._resolving import without_bytes
from eventsync_core.stores import Stores

_SETTLED = "an old program settled this conflict, and kept the content of its journal"


@attrs.define
class PuttingAway:
    """Decides over contents that lost a conflict, and with a preview no more than that."""

    stores: Stores | None
    result: Migration
    clock: Clock
    merging: Merging
    new_conflicts: list[SetAside]
    _imported: set[str] = attrs.field(factory=set)

    def take(self, report: SourceReport, rows: Sequence[TableRow]) -> Told:
        """
        Set the contents of *rows* aside with their bytes, as conflicts that are resolved.

        One that is canonically equal to the event in the journal is another provenance of it.
        Of an event that is in no journal it is the content, and imported; another content of it
        is a conflict that nobody has decided.
        """
        told: Told = []
        for row in map(read_settled, rows):
            rules = self.merging.rules
            judged = judge(row, families=rules.families, project=rules.project)
            became = self._became(report, judged)
            report.counts[became] += 1
            told.append((judged.key, row.event_id or "", became))
        return told

    def _became(self, report: SourceReport, judged: Judged) -> Became:
        event, source = judged.event, report.source
        existing = b"" if event is None else self._existing(event.event_id)
        if event is not None and (not existing or event.event_id in self._imported):
            return self._merge(report, judged, event)
        is_same = event is not None and event.canonical_digest == existing
        if not is_same and self._is_open(source, judged):
            return Became.CONFLICT
        if self.stores is not None and not self.result.is_preview:
            if is_same:
                origin = provenance_of(source, judged, self.clock())
                self.stores.legacy.take([origin])
            else:
                self._set_aside(self.stores, source, judged, existing)
        return Became.DEDUPLICATED if is_same else Became.RESOLVED

    def _merge(self, report: SourceReport, judged: Judged, event: Event) -> Became:
        """Let the content be an event as that of any source."""
        self._imported.add(event.event_id)
        at = self.clock()
        (decision,) = self.merging.merge(report.source, [judged], at=at)
        if decision.became is Became.IMPORTED:
            report.held += event.hold is not None
        elif decision.became is Became.CONFLICT and self.result.is_preview:
            self.new_conflicts.append(without_bytes(aside_of(report.source, decision, at)))
        return decision.became

    def _is_open(self, source: Source, judged: Judged) -> bool:
        """Say whether the row is a conflict on record that nobody has decided."""
        if self.stores is None:
            return False
        aside = self.stores.legacy.aside_of(source.path, [judged.key]).get(judged.key)
        return aside is not None and not aside.resolution

    def _existing(self, event_id: str) -> bytes:
        if self.stores is not None:
            stored = self.stores.legacy.stored([event_id]).get(event_id)
            if stored is not None:
                return stored.canonical_digest
        return self.merging.seen.get(event_id, b"")

    def _set_aside(self, stores: Stores, source: Source, judged: Judged, existing: bytes) -> None:
        at = self.clock()
        aside = aside_of(source, Decision(judged, Became.RESOLVED, existing), at)
        detail = judged.detail or _SETTLED
        stores.legacy.set_aside([attrs.evolve(aside, detail=detail)])
        found = stores.legacy.aside_of(source.path, [judged.key]).values()
        numbers = [each.number for each in found]
        stores.legacy.resolve(numbers, Resolution.KEEP_JOURNAL.value, at=at)
