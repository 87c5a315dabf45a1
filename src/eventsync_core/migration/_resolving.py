"""Conflicts that an operator decides."""

from collections.abc import Iterator, Sequence

import attrs

from eventsync_core.ids import one_line
from eventsync_core.legacy import Resolution, RowKey, SetAside
from eventsync_core.migration._model import MigrationRules
from eventsync_core.stores import Stores

_PAGE = 500
_LONGEST = 200


def open_conflicts(stores: Stores) -> Iterator[SetAside]:
    """Yield the conflicts on record that nobody has resolved."""
    after = 0
    while page := stores.legacy.aside(after=after, limit=_PAGE, is_open_conflict=True):
        after = page[-1].number
        yield from page


def resolve(stores: Stores, rules: MigrationRules, *, at: int) -> set[str]:
    """
    Settle the conflicts on record that *rules* decide, and return what they were over.

    Their contents were put on record before, in another unit of work.
    """
    if rules.resolve_all is None and not rules.resolve:
        return set()
    found = list(open_conflicts(stores))
    with stores.atomic():
        return {each.event_id for each in found if _settle(stores, each, rules, at)}


def _settle(stores: Stores, conflict: SetAside, rules: MigrationRules, at: int) -> bool:
    resolution = rules.resolution(conflict.event_id, conflict.key.part)
    if resolution is None:
        return False
    stored = stores.legacy.stored([conflict.event_id]).get(conflict.event_id)
    if resolution is Resolution.KEEP_SOURCE and stored is not None:
        reason = one_line(f"another content was chosen, of {conflict.path}", _LONGEST)
        stores.holds.hold(stored.stream, [stored.position], reason=reason, actor=rules.actor, at=at)
    return bool(stores.legacy.resolve([conflict.number], resolution.value, at=at))


def numbered(stores: Stores, rows: Sequence[SetAside]) -> list[SetAside]:
    """Return *rows* with the numbers that they are on record under, if they are."""
    by_path: dict[str, list[RowKey]] = {}
    for row in rows:
        by_path.setdefault(row.path, []).append(row.key)
    found = {path: stores.legacy.aside_of(path, keys) for path, keys in by_path.items()}
    known = {(path, key): row.number for path, each in found.items() for key, row in each.items()}
    return [attrs.evolve(row, number=known.get((row.path, row.key), 0)) for row in rows]


def without_bytes(row: SetAside) -> SetAside:
    """Return *row* as it is listed."""
    return attrs.evolve(row, raw=b"")
