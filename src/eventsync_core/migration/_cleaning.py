"""Rows that the store holds leave their source."""

from collections.abc import Sequence
from hashlib import sha256

from eventsync_core.errors import SourceError
from eventsync_core.legacy import Became, Noted, RowKey, is_safe
from eventsync_core.migration._model import MigrationRules, SourceReport
from eventsync_core.migration._port import Emptying, OldSource
from eventsync_core.stores import Stores

_PAGE = 1_000


def may_remove(report: SourceReport, rules: MigrationRules) -> int:
    """Return how many rows of the source may leave it."""
    if report.is_blocked or report.error is not None or rules.keep_sources:
        return 0
    counts = report.counts
    quarantined = counts[Became.QUARANTINED] if rules.take_quarantined else 0
    kept = counts[Became.IMPORTED] + counts[Became.DEDUPLICATED] + counts[Became.RESOLVED]
    return kept + quarantined


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
    is_settled = (
        report.error is None and not report.is_blocked and not report.counts[Became.QUARANTINED]
    )
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
            held = stores.legacy.stored([row.event_id for row in page], with_text=True)
            safe = [row.key for row in page if is_safe(held.get(row.event_id))]
            report.removed += emptying.remove(safe)
    aside = [*report.resolved, *(report.quarantined if rules.take_quarantined else ())]
    for start in range(0, len(aside), _PAGE):
        keys = _read_back(stores, report.source.path, aside[start : start + _PAGE])
        report.removed += emptying.remove(keys)


def _read_back(stores: Stores, path: str, keys: Sequence[RowKey]) -> list[RowKey]:
    """Return those of *keys* whose bytes the store holds."""
    found = stores.legacy.aside_of(path, keys)
    return [
        key
        for key, row in found.items()
        if sha256(stores.legacy.bytes_of(row.number) or b"").digest() == key.digest
    ]
