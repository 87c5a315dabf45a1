from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import ExitStack, nullcontext
from typing import TypeVar

import attrs

from eventsync_core.clock import Clock
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.errors import SourceError
from eventsync_core.legacy import Became, Judged, Noted, RowKey, SetAside, SourceRow, judge
from eventsync_core.migration._body_merging import BodyMerging
from eventsync_core.migration._body_rows import FAILURES, JudgedBody, judge_body
from eventsync_core.migration._cleaning import (
    clean_up,
    keep_if_it_must,
    may_remove,
    quarantined_left,
)
from eventsync_core.migration._guarding import each_of, guarding, letting_through, telling
from eventsync_core.migration._merging import Merging, aside_of
from eventsync_core.migration._model import Migration, MigrationRules, OnRow, SourceReport
from eventsync_core.migration._on_record import on_record
from eventsync_core.migration._past_port import OldRecords
from eventsync_core.migration._port import OldSource, Reading
from eventsync_core.migration._recording import Recording
from eventsync_core.migration._resolving import (
    numbered,
    open_conflicts,
    resolve,
    without_bytes,
)
from eventsync_core.stores import Stores

_ROWS_IN_ONE_UNIT = 20_000
_ROWS_AT_ONCE = 5_000
_BYTES_AT_ONCE = 16 * 1024 * 1024
_ASIDE = (Became.CONFLICT, Became.QUARANTINED)
_Row = TypeVar("_Row")
_AS_IT_IS = MigrationRules()
_Before = Set[tuple[RowKey, Became]]


@letting_through()
def migrate(
    stores: Stores,
    sources: Sequence[OldSource],
    rules: MigrationRules = _AS_IT_IS,
    *,
    clock: Clock,
    records: Sequence[OldRecords] = (),
    progress: Callable[[int], None] = lambda _: None,
    on_row: OnRow = lambda *_: None,
) -> Migration:
    """
    Bring what *sources* hold into *stores*, any number of times, and say what became of it.

    What *records* say of events that are known then follows; these are never emptied.

    The rows of a source are one unit of work, those of a very large one several that are each
    whole. Rows leave their source at the end, once they were read back, unless a conflict or an
    error of that source stands in the way, or the stores are not durable. *progress* is told
    how many rows were dealt with. What *on_row* raises ends the run, and is nobody else's error.

    Raises:
        StoreError: Units of work that had ended are kept; nothing else was stored or deleted.
    """
    rules = _for(stores, rules)
    run = _Run(stores, rules, Migration(is_preview=False), clock, progress, telling(on_row))
    known = _noted(stores)
    for old in sources:
        run.take(old, known.get(old.source.path))
    run.result.not_in_conflict -= resolve(stores, rules, at=clock())
    for old, report in zip(sources, run.result.sources, strict=True):
        report.is_blocked = bool(stores.legacy.open_conflicts(report.source.path))
        keep_if_it_must(report, rules)
        if not report.is_unchanged and report.was_read:
            clean_up(stores, old, report, rules, at=clock())
        run.result.quarantined_left += quarantined_left(report, rules)
    for row in open_conflicts(stores):
        run.conflict(row)
    run.record(records)
    run.result.quarantined = numbered(stores, run.result.quarantined)
    return run.result


def preview(
    stores: Stores | None,
    sources: Sequence[OldSource],
    rules: MigrationRules = _AS_IT_IS,
    *,
    clock: Clock,
    records: Sequence[OldRecords] = (),
    progress: Callable[[int], None] = lambda _: None,
) -> Migration:
    """
    Return what `migrate` would do now; nothing is stored or deleted.

    Without stores: there is none yet.
    """
    if stores is not None:
        rules = _for(stores, rules)
    run = _Run(stores, rules, Migration(is_preview=True), clock, progress, lambda *_: None)
    known = {} if stores is None else _noted(stores)
    for old in sources:
        run.take(old, known.get(old.source.path))
    conflicts = {(row.path, row.key): row for row in run.new_conflicts}
    for row in () if stores is None else open_conflicts(stores):
        run.result.not_in_conflict.discard(row.event_id)
        if rules.resolution(row.event_id, row.key.part) is None:
            conflicts[row.path, row.key] = row
    for row in conflicts.values():
        run.conflict(row)
    blocked = Counter(row.path for row in conflicts.values())
    for report in run.result.sources:
        report.is_blocked = bool(blocked[report.source.path])
        keep_if_it_must(report, rules)
        report.removed = may_remove(report, rules)
        run.result.quarantined_left += quarantined_left(report, rules)
        if report.rows_left is not None:
            report.rows_left -= report.removed
    run.record(records)
    if stores is not None:
        run.result.quarantined = numbered(stores, run.result.quarantined)
    return run.result


def _for(stores: Stores, rules: MigrationRules) -> MigrationRules:
    """Return *rules* for these stores: what may vanish must not be the only place of a row."""
    return rules if stores.is_durable else attrs.evolve(rules, keep_sources=True)


def _noted(stores: Stores) -> dict[str, Noted]:
    return {noted.source.path: noted for noted in stores.legacy.sources()}


@attrs.define
class _Run:
    stores: Stores | None
    rules: MigrationRules
    result: Migration
    clock: Clock
    progress: Callable[[int], None]
    on_row: OnRow
    new_conflicts: list[SetAside] = attrs.field(factory=list)
    _merging: Merging = attrs.field(init=False)
    _bodies: BodyMerging = attrs.field(init=False)
    _untold: list[tuple[RowKey, str, Became]] = attrs.field(factory=list)
    _done: int = 0
    _is_on_record: bool = False

    def __attrs_post_init__(self) -> None:
        self._merging = Merging(self.stores, self.rules, self.result.is_preview)
        self._bodies = BodyMerging(self.stores, self.rules, self.result.is_preview)
        self.result.not_in_conflict = set(self.rules.resolve)

    def take(self, old: OldSource, noted: Noted | None) -> None:
        """Take in one source, unless it is as it was when nothing new was in it."""
        self._is_on_record = noted is not None
        report = SourceReport(source=old.source)
        self.result.sources.append(report)
        if noted is not None and self._is_unchanged(old, noted):
            report.unchanged_since(noted)
            return
        try:
            with ExitStack() as stack:
                with guarding(old.source):
                    reading = stack.enter_context(old.reading())
                    is_large = _is_large(reading)
                self._take_whole(report, reading, is_large=is_large)
                self._tell(report)
                with guarding(old.source):
                    _look(report, reading)
        except SourceError as error:
            self._untold.clear()
            report.error = error

    def _take_whole(self, report: SourceReport, reading: Reading, *, is_large: bool) -> None:
        """Make all rows of the source one unit of work, unless they are very many."""
        is_alone = is_large or self.stores is None or self.result.is_preview
        done, conflicts, listed = self._done, len(self.new_conflicts), len(self.result.quarantined)
        count = self.result.quarantined_count
        self._merging.remember()
        self._bodies.remember()
        try:
            with nullcontext() if is_alone or self.stores is None else self.stores.atomic():
                self._take_rows(report, reading, is_whole=not is_large)
        except SourceError:
            if not is_large:
                report.forget()
                self._untold.clear()
                self._merging.forget()
                self._bodies.forget()
                self._done, self.result.quarantined_count = done, count
                del self.new_conflicts[conflicts:], self.result.quarantined[listed:]
            raise

    def _take_rows(self, report: SourceReport, reading: Reading, *, is_whole: bool) -> None:
        source = report.source
        events = each_of(source, self._judged(reading.events()))
        for rows in _chunks(events, lambda each: len(each.row.raw)):
            self._merge(report, rows)
            # Else these are there until the next have been read.
            del rows
            self._told_so_far(report, is_stored=not is_whole)
        judged = each_of(source, map(judge_body, reading.bodies()))
        for bodies in _chunks(judged, lambda each: each.row.size):
            self._merge_bodies(report, bodies)
            del bodies
            self._told_so_far(report, is_stored=not is_whole)

    def _told_so_far(self, report: SourceReport, *, is_stored: bool) -> None:
        if is_stored:
            self._tell(report)
        self.progress(self._done)

    def _tell(self, report: SourceReport) -> None:
        """Say what became of the rows that are stored by now."""
        for key, name, became in self._untold:
            self.on_row(report.source, key, name, became)
        self._untold.clear()

    def _is_unchanged(self, old: OldSource, noted: Noted) -> bool:
        is_kept = self.rules.keep_sources or old.source.kind.is_kept
        if not noted.fingerprint or noted.open_left or (noted.rows_left and not is_kept):
            return False
        return old.fingerprint() == noted.fingerprint

    def _judged(self, rows: Iterable[SourceRow]) -> Iterator[Judged]:
        for row in rows:
            yield judge(row, families=self.rules.families, project=self.rules.project)

    def _merge(self, report: SourceReport, rows: Sequence[Judged]) -> None:
        at = self.clock()
        before = self._before(report, [each.key for each in rows])
        with guarding(report.source):
            decisions = self._merging.merge(report.source, rows, at=at)
        for each in decisions:
            judged, became = each.judged, each.became
            report.counts[became] += 1
            if became is Became.IMPORTED and judged.event is not None:
                report.held += judged.event.hold is not None
            name = judged.row.event_id if judged.event is None else judged.event.event_id
            self._note(report, judged.key, name or "", became, before)
            if judged.event is None and judged.row.is_unfinished:
                report.unfinished = judged.key
            if became in _ASIDE:
                self._put_aside(without_bytes(aside_of(report.source, each, at)), became)
        self._done += len(rows)

    def _merge_bodies(self, report: SourceReport, rows: Sequence[JudgedBody]) -> None:
        at = self.clock()
        before = self._before(report, [each.key for each in rows])
        with guarding(report.source):
            results = self._bodies.merge(report.source, rows, at=at)
        for each, became in zip(rows, results, strict=True):
            counts = report.failures if each.key.part == FAILURES else report.bodies
            counts[became] += 1
            self._note(report, each.key, each.name, became, before)
            if became in _ASIDE:
                aside = self._bodies.aside(report.source, each, at)
                self._put_aside(without_bytes(aside), became)
        self._done += len(rows)

    def _before(self, report: SourceReport, keys: Sequence[RowKey]) -> _Before:
        """Return what is on record of rows; of a source that never was, nothing can be."""
        is_told = self._is_on_record and not self.result.is_preview
        return on_record(self.stores, report.source.path, keys) if is_told else frozenset()

    def _note(
        self, report: SourceReport, key: RowKey, name: str, became: Became, before: _Before
    ) -> None:
        report.note(key, became)
        if became in (Became.CONFLICT, Became.RESOLVED):
            self.result.not_in_conflict.discard(name)
        if (key, became) not in before:
            self._untold.append((key, name, became))

    def _put_aside(self, row: SetAside, became: Became) -> None:
        if became is Became.QUARANTINED:
            self.result.quarantine(row)
        elif self.result.is_preview:
            self.new_conflicts.append(row)

    def record(self, records: Sequence[OldRecords]) -> None:
        """Take in what was noted beside events."""
        Recording(
            stores=self.stores,
            rules=self.rules,
            result=self.result,
            clock=self.clock,
            on_row=self.on_row,
            imported=self._merging.seen,
        ).take(records)

    def conflict(self, row: SetAside) -> None:
        """Note a conflict that nobody has resolved."""
        self.result.conflict_count += 1
        self.result.not_in_conflict.discard(row.event_id)
        if len(self.result.conflicts) < MOST_ITEMS:
            self.result.conflicts.append(row)


def _is_large(reading: Reading) -> bool:
    counts = reading.waiting.values()
    return any(count < 0 for count in counts) or sum(counts) > _ROWS_IN_ONE_UNIT


def _look(report: SourceReport, reading: Reading) -> None:
    """Note what the source is like, apart from its rows."""
    report.other = dict(reading.other)
    report.kept_because = reading.kept_because
    report.rows_left = report.rows
    report.was_read = True
    counted = sum(reading.waiting.values())
    if report.rows == counted:
        report.fingerprint = reading.fingerprint
    if reading.damage:
        report.error = SourceError(reading.damage, code="source_damaged")
    elif report.rows < counted:
        said = f"of its {counted} rows only {report.rows} could be read"
        report.error = SourceError(f"{report.source.path}: {said}", code="source_damaged")


def _chunks(rows: Iterable[_Row], size_of: Callable[[_Row], int]) -> Iterator[list[_Row]]:
    """Yield *rows* in lists that are each one unit of work."""
    chunk: list[_Row] = []
    size = 0
    for row in rows:
        chunk.append(row)
        size += size_of(row)
        # Else it is there until the next has been read.
        del row
        if len(chunk) >= _ROWS_AT_ONCE or size >= _BYTES_AT_ONCE:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
