"""Conflicts that an operator decides."""

from collections.abc import Iterator

import attrs

from eventsync_core.ids import one_line
from eventsync_core.legacy import Resolution, SetAside
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


def resolve(stores: Stores, rules: MigrationRules, *, at: int) -> int:
    """
    Settle the conflicts on record that *rules* decide, and return how many.

    Their contents were put on record before, in another unit of work.
    """
    if rules.resolve_all is None and not rules.resolve:
        return 0
    found = list(open_conflicts(stores))
    with stores.atomic():
        return sum(_settle(stores, each, rules, at) for each in found)


def _settle(stores: Stores, conflict: SetAside, rules: MigrationRules, at: int) -> int:
    resolution = rules.resolution(conflict.event_id)
    if resolution is None:
        return 0
    # A body that differs has no entry in the journal.
    stored = stores.legacy.stored([conflict.event_id]).get(conflict.event_id)
    if resolution is Resolution.KEEP_SOURCE and stored is not None:
        reason = one_line(f"another content was chosen, of {conflict.path}", _LONGEST)
        stores.holds.hold(stored.stream, [stored.position], reason=reason, actor=rules.actor, at=at)
    return stores.legacy.resolve([conflict.number], resolution.value, at=at)


def without_bytes(row: SetAside) -> SetAside:
    """Return *row* as it is listed."""
    return attrs.evolve(row, raw=b"")
