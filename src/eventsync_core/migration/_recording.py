"""What old programs noted beside events is brought with these."""

from collections.abc import Mapping, Sequence, Set
from contextlib import AbstractContextManager, ExitStack, nullcontext
from types import TracebackType

import attrs

from eventsync_core.clock import Clock
from eventsync_core.errors import SourceError
from eventsync_core.legacy import Became, Brought, Kind, Noted, RowKey, SetAside, Source
from eventsync_core.migration._bringing import Bringing, Foreseen, OnRows, Told
from eventsync_core.migration._columns import TableRow
from eventsync_core.migration._guarding import guarding
from eventsync_core.migration._merging import Merging
from eventsync_core.migration._model import Migration, OnRow, SourceReport
from eventsync_core.migration._on_record import on_record
from eventsync_core.migration._past_port import OldRecords, OldTable, RowsReading
from eventsync_core.migration._past_rows import read_delivery, read_settled
from eventsync_core.migration._putting_away import PuttingAway
from eventsync_core.stores import Stores

_WITH_OWN_FIX = ("source_linked", "no_room_for_copy")
_ROWS_AT_ONCE = 5_000
_KEEP = (
    "what it calls delivered is offered again once its stream is granted (a receiver that has it "
    "answers duplicate): run the command again, or name a backup with --from, before you grant"
)
_DAMAGED = (
    "what could be read of it counts; rows that could not may be offered again once their stream "
    "is granted: put a backup in its place, or move it out of the home"
)
_KEEP_AUDIT = "run the command again, or name a backup: it may hold contents that are nowhere else"


@attrs.define(eq=False)
class _Place:
    """The records of one place, and what came of them so far."""

    records: OldRecords
    bringing: Bringing
    is_unchanged: bool
    is_audited: bool
    reports: dict[str, SourceReport] = attrs.field(factory=dict)
    told: dict[str, Told] = attrs.field(factory=dict)
    reading: RowsReading | None = None
    is_open: bool = False

    @property
    def tables(self) -> Sequence[OldTable]:
        """Its targets and its ledger, where there are any."""
        return [each for each in (self.records.targets, self.records.ledger) if each is not None]

    def report(self, source: Source) -> SourceReport:
        """Return the report of one of its files."""
        return self.reports.setdefault(source.path, SourceReport(source=source))


@attrs.define(kw_only=True)
class Recording:
    """
    Takes in targets, deliveries and settled conflicts, in units of work that are each whole.

    Targets come before any event, the deliveries of an event with it, and those of events that
    were known before at the end. Ledgers stay open as long as this is entered. `stores` is None
    where there is no store yet; a preview stores nothing.
    """

    stores: Stores | None
    result: Migration
    clock: Clock
    on_row: OnRow
    merging: Merging
    new_conflicts: list[SetAside]
    records: Sequence[OldRecords]
    _places: list[_Place] = attrs.field(factory=list)
    _known: Mapping[str, str] = attrs.field(factory=dict)
    _stack: ExitStack = attrs.field(factory=ExitStack)

    def __enter__(self) -> None:
        noted = [] if self.stores is None else self.stores.legacy.sources()
        self._known = {each.source.path: each.fingerprint for each in noted}
        foreseen = Foreseen()
        for each in self.records:
            tables = [table for table in (each.targets, each.ledger) if table is not None]
            place = _Place(
                each,
                Bringing(self.stores, self.result, self.clock, self.merging.seen, foreseen),
                is_unchanged=all(map(self._is_unchanged, tables)),
                is_audited=each.audit is None or self._is_unchanged(each.audit),
            )
            self._places.append(place)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def begin(self) -> None:
        """Register targets and open ledgers, unless that was done, before an event is imported."""
        for place in self._places:
            self._open(place)

    def _open(self, place: _Place) -> None:
        if place.is_open:
            return
        place.is_open = True
        if place.records.targets is not None:
            self._read(place, place.records.targets, place.bringing.targets)
        ledger = place.records.ledger
        if ledger is not None:
            try:
                with guarding(ledger.source):
                    place.reading = self._stack.enter_context(ledger.reading())
            except SourceError as error:
                self._fail(place.report(ledger.source), error)

    def bring(self, event_ids: Sequence[str]) -> None:
        """Bring the deliveries of events in the unit of work that stores them."""
        for place in self._places:
            ledger = place.records.ledger
            if place.reading is None or ledger is None:
                continue
            try:
                with guarding(ledger.source):
                    found = [read_delivery(row) for row in place.reading.rows_of(event_ids)]
            except SourceError as error:
                place.reading = None
                self._fail(place.report(ledger.source), error)
                continue
            if found:
                self._note(place.report(ledger.source))
                place.bringing.early(ledger.source, found)

    def put_away(self) -> None:
        """Take in what old programs put away; it may be all that is left of an event."""
        if all(place.is_audited for place in self._places):
            return
        self.begin()
        for place in self._places:
            audit = place.records.audit
            if audit is not None and not place.is_audited:
                away = PuttingAway(
                    self.stores, self.result, self.clock, self.merging, self.new_conflicts
                )
                self._read(place, audit, away.take, fix=_KEEP_AUDIT)

    def finish(self) -> None:
        """Take in what ledgers say of events that were known before, and report everything."""
        reports = [each for place in self._places for each in place.reports.values()]
        found = [*self.result.sources, *reports]
        # A ledger may tell of events, and name targets, that were not known when it was read.
        grew = any(each.counts[Became.IMPORTED] or each.targets[Brought.IMPORTED] for each in found)
        left = [place for place in self._places if grew or not place.is_unchanged]
        for place in left:
            self._open(place)
        for place in self._places:
            if place in left:
                self._tell(place, place.records.targets)
                self._finish_ledger(place)
            else:
                for table in place.tables:
                    place.reports[table.source.path] = SourceReport(
                        source=table.source, is_unchanged=True
                    )
            if place.records.audit is not None and place.is_audited:
                place.report(place.records.audit.source).is_unchanged = True
            self._tell(place, place.records.audit)
            self.result.sources += [place.report(table.source) for table in place.records.tables]

    def _finish_ledger(self, place: _Place) -> None:
        ledger, targets = place.records.ledger, place.records.targets
        if ledger is not None and place.reading is not None:
            is_whole = targets is None or place.report(targets.source).error is None
            report = place.report(ledger.source)
            try:
                with guarding(ledger.source):
                    self._take_in(place, report, place.reading, place.bringing.deliveries)
                    _look(report, place.reading)
                    if not is_whole:
                        report.fingerprint = ""
            except SourceError as error:
                self._fail(report, error)
            else:
                self._note(report)

    def _tell(self, place: _Place, table: OldTable | None) -> None:
        """Say what became of the rows of *table*, which are stored by now."""
        for key, name, word in () if table is None else place.told.pop(table.source.path, ()):
            if table is not None:
                self.on_row(table.source, key, name, word)

    def _is_unchanged(self, table: OldTable) -> bool:
        fingerprint = self._known.get(table.source.path)
        return bool(fingerprint) and fingerprint == table.fingerprint()

    def _read(self, place: _Place, table: OldTable, take: OnRows, *, fix: str = _KEEP) -> None:
        """Take in the rows of *table*."""
        report = place.report(table.source)
        try:
            with guarding(table.source), table.reading() as reading:
                self._take_in(place, report, reading, take)
                _look(report, reading)
        except SourceError as error:
            self._fail(report, error, fix)
        else:
            self._note(report)

    def _fail(self, report: SourceReport, error: SourceError, fix: str = _KEEP) -> None:
        if error.code not in _WITH_OWN_FIX:
            error.fix_text = fix
        report.error = error
        if self._known.get(report.source.path):
            # Else it would count as read while it looks as it did.
            self._note(report)

    def _take_in(
        self, place: _Place, report: SourceReport, reading: RowsReading, take: OnRows
    ) -> None:
        chunk: list[TableRow] = []
        for row in reading.rows():
            chunk.append(row)
            if len(chunk) == _ROWS_AT_ONCE:
                self._take_chunk(place, report, chunk, take)
                chunk = []
        self._take_chunk(place, report, chunk, take)

    def _take_chunk(
        self, place: _Place, report: SourceReport, rows: Sequence[TableRow], take: OnRows
    ) -> None:
        before: Set[tuple[RowKey, Became | Brought]] = self._before(report, rows)
        with self._unit():
            self._note(report)
            told = take(report, rows)
        news = [each for each in told if not (each[2] is Brought.KNOWN or each[::2] in before)]
        if report.source.kind is not Kind.LEDGER:
            place.told.setdefault(report.source.path, []).extend(news)
            return
        for key, name, word in news:
            self.on_row(report.source, key, name, word)

    def _before(self, report: SourceReport, rows: Sequence[TableRow]) -> Set[tuple[RowKey, Became]]:
        """Return what is on record of rows that were settled conflicts."""
        if report.source.kind is not Kind.AUDIT:
            return frozenset()
        return on_record(self.stores, report.source.path, [read_settled(row).key for row in rows])

    def _unit(self) -> AbstractContextManager[None]:
        is_alone = self.result.is_preview or self.stores is None
        return nullcontext() if is_alone or self.stores is None else self.stores.atomic()

    def _note(self, report: SourceReport) -> None:
        """Put the source on record, as it is known so far."""
        if not self.result.is_preview and self.stores is not None:
            noted = Noted(source=report.source, fingerprint=report.fingerprint)
            self.stores.legacy.note(noted, at=self.clock())


def _look(report: SourceReport, reading: RowsReading) -> None:
    """Note what a file is like whose rows were read."""
    report.other = dict(reading.other)
    report.was_read = True
    if reading.damage:
        report.error = SourceError(reading.damage, code="source_damaged", fix=_DAMAGED)
    else:
        report.fingerprint = reading.fingerprint
