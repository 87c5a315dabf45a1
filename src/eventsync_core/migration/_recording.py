"""What old programs noted beside events is read once all events are in."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

import attrs

from eventsync_core.clock import Clock
from eventsync_core.errors import SourceError
from eventsync_core.legacy import Became, Noted, Source
from eventsync_core.migration._bringing import Bringing, OnRows
from eventsync_core.migration._columns import TableRow
from eventsync_core.migration._guarding import guarding
from eventsync_core.migration._model import Migration, MigrationRules, OnRow, SourceReport
from eventsync_core.migration._past_port import OldRecords, OldTable, RowsReading
from eventsync_core.migration._putting_away import PuttingAway
from eventsync_core.stores import Stores

_ROWS_AT_ONCE = 5_000
_KEEP = "keep the file as it is, or move it away: no event depends on it"


@attrs.define(kw_only=True)
class Recording:
    """
    Takes in targets, deliveries and settled conflicts, in units of work that are each whole.

    `stores` is None where there is no store yet; a preview stores nothing. `imported` are the
    canonical digests of events that a preview would have imported, by id.
    """

    stores: Stores | None
    rules: MigrationRules
    result: Migration
    clock: Clock
    on_row: OnRow
    imported: Mapping[str, bytes]

    def take(self, records: Sequence[OldRecords]) -> None:
        """Take in *records*; what is wrong with one of their files is that file's error."""
        grew = bool(self.result.count(Became.IMPORTED))
        noted = [] if self.stores is None else self.stores.legacy.sources()
        known = {each.source.path: each.fingerprint for each in noted}
        for each in records:
            self._take_deliveries(each, known, grew=grew)
            if each.audit is not None:
                away = PuttingAway(self.stores, self.rules, self.result, self.clock, self.imported)
                if self._is_unchanged(each.audit, known):
                    self._report(each.audit.source).is_unchanged = True
                else:
                    self._read(each.audit, away.take)

    def _take_deliveries(
        self, records: OldRecords, known: Mapping[str, str], *, grew: bool
    ) -> None:
        tables = [each for each in (records.targets, records.ledger) if each is not None]
        if not grew and all(self._is_unchanged(each, known) for each in tables):
            for each in tables:
                self._report(each.source).is_unchanged = True
            return
        bringing = Bringing(self.stores, self.result, self.clock, self.imported)
        is_whole = True
        if records.targets is not None:
            is_whole = self._read(records.targets, bringing.targets).error is None
        if records.ledger is not None:
            self._read(records.ledger, bringing.deliveries, is_whole=is_whole)

    def _is_unchanged(self, table: OldTable, known: Mapping[str, str]) -> bool:
        fingerprint = known.get(table.source.path)
        return bool(fingerprint) and fingerprint == table.fingerprint()

    def _report(self, source: Source) -> SourceReport:
        report = SourceReport(source=source)
        self.result.sources.append(report)
        return report

    def _read(self, table: OldTable, take: OnRows, *, is_whole: bool = True) -> SourceReport:
        """Take in the rows of *table*; it is settled then, if what it leads to *is_whole*."""
        report = self._report(table.source)
        try:
            with guarding(table.source), table.reading() as reading:
                self._take_chunks(report, reading, take)
                report.other = dict(reading.other)
                report.was_read = True
                if reading.damage:
                    report.error = SourceError(reading.damage, code="source_damaged", fix=_KEEP)
                elif is_whole:
                    report.fingerprint = reading.fingerprint
        except SourceError as error:
            error.fix_text = _KEEP
            report.error = error
        else:
            self._note(report)
        return report

    def _take_chunks(self, report: SourceReport, reading: RowsReading, take: OnRows) -> None:
        chunk: list[TableRow] = []
        for row in reading.rows():
            chunk.append(row)
            if len(chunk) == _ROWS_AT_ONCE:
                self._take_chunk(report, chunk, take)
                chunk = []
        self._take_chunk(report, chunk, take)

    def _take_chunk(self, report: SourceReport, rows: Sequence[TableRow], take: OnRows) -> None:
        with self._unit():
            self._note(report)
            told = take(report, rows)
        for key, name, word in told:
            self.on_row(report.source, key, name, word)

    def _unit(self) -> AbstractContextManager[None]:
        is_alone = self.result.is_preview or self.stores is None
        return nullcontext() if is_alone or self.stores is None else self.stores.atomic()

    def _note(self, report: SourceReport) -> None:
        """Put the source on record, as it is known so far."""
        if not self.result.is_preview and self.stores is not None:
            noted = Noted(source=report.source, fingerprint=report.fingerprint)
            self.stores.legacy.note(noted, at=self.clock())
