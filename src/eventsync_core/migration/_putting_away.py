"""Contents that an old program put away when it settled conflicts stay on record."""

from collections.abc import Mapping, Sequence

import attrs

from eventsync_core.clock import Clock
from eventsync_core.legacy import (
    Became,
    Judged,
    Provenance,
    Resolution,
    SetAside,
    Source,
    Why,
    judge,
)
from eventsync_core.migration._bringing import Told
from eventsync_core.migration._columns import TableRow
from eventsync_core.migration._model import Migration, MigrationRules, SourceReport
from eventsync_core.migration._past_rows import read_settled
from eventsync_core.stores import Stores

_SETTLED = "an old program settled this conflict, and kept the content of its journal"


@attrs.define
class PuttingAway:
    """Decides over contents that lost a conflict, and with a preview no more than that."""

    stores: Stores | None
    rules: MigrationRules
    result: Migration
    clock: Clock
    imported: Mapping[str, bytes]

    def take(self, report: SourceReport, rows: Sequence[TableRow]) -> Told:
        """
        Set the contents of *rows* aside with their bytes, as conflicts that are resolved.

        One that is canonically equal to the event in the journal is another provenance of it.
        """
        told: Told = []
        for row in map(read_settled, rows):
            judged = judge(row, families=self.rules.families, project=self.rules.project)
            event = judged.event
            existing = b"" if event is None else self._existing(event.event_id)
            is_same = event is not None and event.canonical_digest == existing
            if self.stores is not None and not self.result.is_preview:
                if is_same:
                    self._take(self.stores, report.source, judged)
                else:
                    self._set_aside(self.stores, report.source, judged, existing)
            became = Became.DEDUPLICATED if is_same else Became.RESOLVED
            report.counts[became] += 1
            told.append((judged.key, row.event_id or "", became))
        return told

    def _existing(self, event_id: str) -> bytes:
        if self.stores is not None:
            stored = self.stores.legacy.stored([event_id]).get(event_id)
            if stored is not None:
                return stored.canonical_digest
        return self.imported.get(event_id, b"")

    def _take(self, stores: Stores, source: Source, judged: Judged) -> None:
        origin = Provenance(
            path=source.path,
            key=judged.key,
            event_id="" if judged.event is None else judged.event.event_id,
            queued_at=judged.row.queued_at,
            retry_count=None,
            taken_at=self.clock(),
        )
        stores.legacy.take([origin])

    def _set_aside(self, stores: Stores, source: Source, judged: Judged, existing: bytes) -> None:
        row, event, at = judged.row, judged.event, self.clock()
        aside = SetAside(
            path=source.path,
            key=judged.key,
            event_id=(row.event_id or "") if event is None else event.event_id,
            why=judged.why or Why.CONFLICT,
            detail=judged.detail or _SETTLED,
            size=len(row.raw),
            at=at,
            existing=existing,
            incoming=b"" if event is None else event.canonical_digest,
            queued_at=row.queued_at,
            raw=row.raw,
        )
        stores.legacy.set_aside([aside])
        found = stores.legacy.aside_of(source.path, [judged.key]).values()
        numbers = [each.number for each in found]
        stores.legacy.resolve(numbers, Resolution.KEEP_JOURNAL.value, at=at)
