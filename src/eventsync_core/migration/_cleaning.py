"""Rows that the store holds leave their source."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from eventsync_core.errors import SourceError
from eventsync_core.legacy import Became, Noted, Provenance, RowKey, is_safe, row_digest
from eventsync_core.migration._body_rows import BODIES, FAILURES, failure_name, read_name
from eventsync_core.migration._guarding import guarding
from eventsync_core.migration._model import MigrationRules, SourceReport
from eventsync_core.migration._port import Emptying, Left, OldSource
from eventsync_core.stores import Stores

_PAGE = 1_000
_TEXTS_AT_ONCE = 100
_ROWS_AT_ONCE = 20_000


def may_remove(report: SourceReport, rules: MigrationRules) -> int:
    """Return how many rows of the source may leave it."""
    is_kept = rules.keep_sources or report.source.kind.is_kept
    if report.is_blocked or report.error is not None or is_kept:
        return 0
    gone = [Became.IMPORTED, Became.DEDUPLICATED, Became.RESOLVED]
    if rules.take_quarantined:
        gone.append(Became.QUARANTINED)
    stays = rules.take_quarantined and report.unfinished is not None
    return sum(report.of_all(became) for became in gone) - stays


def quarantined_left(report: SourceReport, rules: MigrationRules) -> int:
    """
    Return how many rows that hold no event wait in the source.

    Where rows stay, by its kind or by the rules, they do not once somebody took them, in a kept
    one whatever else is open there. One that may still become an event is not taken.
    """
    is_kept = report.source.kind.is_kept
    is_free = report.error is None and (is_kept or not report.is_blocked)
    if report.is_unchanged:
        return 0
    if rules.take_quarantined and is_free:
        return int(report.unfinished is not None and not is_kept)
    return report.of_all(Became.QUARANTINED)


def keep_if_it_must(report: SourceReport, rules: MigrationRules) -> None:
    """Note that the source cannot be cleaned up, if rows of it were to be deleted."""
    if report.kept_because and may_remove(report, rules):
        report.error = SourceError(
            report.kept_because,
            code="source_not_emptied",
            fix="nothing is lost: --keep-sources leaves the file alone",
        )


def clean_up(
    stores: Stores, old: OldSource, report: SourceReport, rules: MigrationRules, *, at: int
) -> None:
    """
    Delete from the source what the store was seen to hold, and put on record how it stands.

    Each row is read back first, and only deleted while its bytes are the same.
    """
    left = None
    if may_remove(report, rules):
        try:
            with guarding(old.source), old.emptying() as emptying:
                _remove(stores, emptying, report, rules)
                left = emptying.settle()
        except SourceError as error:
            report.error = error
            report.rows_left = report.rows - report.removed
            return
        report.rows_left = left.rows
    stores.legacy.note(_noted(report, left, rules), at=at)


def _noted(report: SourceReport, left: Left | None, rules: MigrationRules) -> Noted:
    """Return how the source is put on record: with its fingerprint if nothing can be new in it."""
    undecided = quarantined_left(report, rules)
    kinds = list(Became) if left is None else [Became.QUARANTINED]
    fingerprint = report.fingerprint
    if left is not None:
        # Other rows that are left there came or changed after the source was read.
        fingerprint = left.fingerprint if left.rows == undecided else ""
    if report.is_blocked:
        undecided += max(1, report.of_all(Became.CONFLICT))
    return Noted(
        source=report.source,
        fingerprint="" if report.error is not None else fingerprint,
        rows_left=report.rows_left or 0,
        open_left=undecided,
        became=report.left(*kinds) if report.rows_left else "",
    )


def _remove(
    stores: Stores, emptying: Emptying, report: SourceReport, rules: MigrationRules
) -> None:
    for part, (first, last) in report.ranges.items():
        pages = _seen(stores, report.source.path, part, after=first - 1, upto=last)
        for keys in _in_lots(pages):
            report.removed += emptying.remove(keys)
    taken = report.quarantined if rules.take_quarantined else []
    aside = [*report.resolved, *(key for key in taken if key != report.unfinished)]
    for keys in _in_lots(
        _read_back(stores, report.source.path, aside[start : start + _PAGE])
        for start in range(0, len(aside), _PAGE)
    ):
        report.removed += emptying.remove(keys)


def _in_lots(pages: Iterable[list[RowKey]]) -> Iterator[list[RowKey]]:
    """Yield the keys of *pages* in lots that are each deleted in one transaction."""
    lot: list[RowKey] = []
    for page in pages:
        lot += page
        if len(lot) >= _ROWS_AT_ONCE:
            yield lot
            lot = []
    if lot:
        yield lot


def _seen(stores: Stores, path: str, part: str, *, after: int, upto: int) -> Iterator[list[RowKey]]:
    """Yield those of the rows taken whose content the store was seen to hold, page by page."""
    logged = _logged(stores) if part == FAILURES else frozenset()
    while page := stores.legacy.taken(path, part, after=after, upto=upto, limit=_PAGE):
        after = page[-1].key.row
        yield _safe(stores, part, page, logged)


def _safe(
    stores: Stores, part: str, page: Sequence[Provenance], logged: Collection[str]
) -> list[RowKey]:
    """Return the rows whose content the store was seen to hold, or erased on request."""
    if part in (BODIES, FAILURES):
        # What was erased has no name.
        return [row.key for row in page if not row.event_id or _is_kept(stores, row, logged)]
    safe: list[RowKey] = []
    for start in range(0, len(page), _TEXTS_AT_ONCE):
        some = page[start : start + _TEXTS_AT_ONCE]
        held = stores.legacy.stored([row.event_id for row in some], with_text=True)
        safe += [row.key for row in some if is_safe(held.get(row.event_id))]
    return safe


def _is_kept(stores: Stores, row: Provenance, logged: Collection[str]) -> bool:
    if row.key.part == FAILURES:
        return row.event_id in logged
    return stores.bodies.get(read_name(row.event_id)[0]) is not None


def _logged(stores: Stores) -> set[str]:
    found: set[str] = set()
    after = 0
    while page := stores.bodies.failures(after=after, limit=_PAGE):
        after += len(page)
        found.update(failure_name(each) for each in page)
    return found


def _read_back(stores: Stores, path: str, keys: Sequence[RowKey]) -> list[RowKey]:
    """Return those of *keys* whose bytes the store holds."""
    found = stores.legacy.aside_of(path, keys)
    return [
        key
        for key, row in found.items()
        if row_digest(stores.legacy.bytes_of(row.number) or b"", row.beside) == key.digest
    ]
