"""Rows that the store holds leave their source."""

from collections.abc import Sequence
from hashlib import sha256

from eventsync_core.errors import SourceError
from eventsync_core.legacy import Became, Noted, Provenance, RowKey, is_safe
from eventsync_core.migration._body_rows import BODIES, FAILURES, failure_name, key_of
from eventsync_core.migration._model import MigrationRules, SourceReport
from eventsync_core.migration._port import Emptying, OldSource
from eventsync_core.stores import Stores

_PAGE = 1_000


def may_remove(report: SourceReport, rules: MigrationRules) -> int:
    """Return how many rows of the source may leave it."""
    is_kept = rules.keep_sources or report.source.kind.is_kept
    if report.is_blocked or report.error is not None or is_kept:
        return 0
    gone = [Became.IMPORTED, Became.DEDUPLICATED, Became.RESOLVED]
    if rules.take_quarantined:
        gone.append(Became.QUARANTINED)
    return sum(report.of_all(became) for became in gone)


def quarantined_left(report: SourceReport, rules: MigrationRules) -> int:
    """
    Return how many rows that hold no event wait in the source.

    In one that keeps its rows they do not once somebody took them.
    """
    is_kept = rules.keep_sources and not report.source.kind.is_kept
    is_free = not (report.is_blocked or report.error is not None or is_kept)
    return 0 if rules.take_quarantined and is_free else report.of_all(Became.QUARANTINED)


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
            with old.emptying() as emptying:
                _remove(stores, emptying, report, rules)
                left = emptying.settle()
        except SourceError as error:
            report.error = error
            return
        report.rows_left = left.rows
    waits = report.of_all(Became.QUARANTINED)
    if report.source.kind.is_kept:
        waits = quarantined_left(report, rules)
    is_settled = report.error is None and not report.is_blocked and not waits
    fingerprint = report.fingerprint if left is None else left.fingerprint
    stores.legacy.note(
        Noted(
            source=report.source,
            fingerprint=fingerprint if is_settled else "",
            rows_left=report.rows_left or 0,
        ),
        at=at,
    )


def _remove(
    stores: Stores, emptying: Emptying, report: SourceReport, rules: MigrationRules
) -> None:
    for part, (first, last) in report.ranges.items():
        after = first - 1
        while page := stores.legacy.taken(
            report.source.path, part, after=after, upto=last, limit=_PAGE
        ):
            after = page[-1].key.row
            report.removed += emptying.remove(_safe(stores, part, page))
    aside = [*report.resolved, *(report.quarantined if rules.take_quarantined else ())]
    for start in range(0, len(aside), _PAGE):
        keys = _read_back(stores, report.source.path, aside[start : start + _PAGE])
        report.removed += emptying.remove(keys)


def _safe(stores: Stores, part: str, page: Sequence[Provenance]) -> list[RowKey]:
    """Return the rows whose content the store was seen to hold."""
    if part == BODIES:
        return [row.key for row in page if stores.bodies.get(key_of(row.event_id)) is not None]
    if part == FAILURES:
        logged = _logged(stores)
        return [row.key for row in page if row.event_id in logged]
    held = stores.legacy.stored([row.event_id for row in page], with_text=True)
    return [row.key for row in page if is_safe(held.get(row.event_id))]


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
        if sha256(stores.legacy.bytes_of(row.number) or b"").digest() == key.digest
    ]
