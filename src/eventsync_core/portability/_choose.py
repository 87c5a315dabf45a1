from collections.abc import Sequence

import attrs

from eventsync_core.events import Hold
from eventsync_core.journal import Entry
from eventsync_core.lines import History, Told, history_line
from eventsync_core.stores import Stores


@attrs.frozen(kw_only=True)
class Filter:
    """
    Which entries go out: those of which all that is said here holds.

    `types` (empty: any) are event types; captured not before `captured_from` and before
    `captured_until`; `lacking` (empty: whoever has it) is a target that does not have it.
    """

    types: frozenset[str] = frozenset()
    captured_from: int | None = None
    captured_until: int | None = None
    lacking: str = ""


def choose(stores: Stores, wanted: Filter, page: Sequence[Entry]) -> list[Entry]:
    """Return those of *page*, entries of one stream in order, that *wanted* means."""
    found = [entry for entry in page if _is_meant(wanted, entry)]
    if not wanted.lacking or not found:
        return found
    stream, first, last = found[0].stream, found[0].position, found[-1].position
    kept = stores.payloads.kept(stream, after=first - 1, upto=last)
    have = {each.position for each in kept if wanted.lacking in each.delivered_to}
    return [entry for entry in found if entry.position not in have]


def _is_meant(wanted: Filter, entry: Entry) -> bool:
    since, until = wanted.captured_from, wanted.captured_until
    return (
        (not wanted.types or entry.event.event_type in wanted.types)
        and (since is None or entry.captured_at >= since)
        and (until is None or entry.captured_at < until)
    )


def tell(stores: Stores, entry: Entry) -> str:
    """Return the line that tells what became of *entry*, for behind its own."""
    said = stores.ledger.history(entry.stream, entry.position)
    told = []
    for target in stores.targets.targets():
        row = stores.ledger.entry(target.target_id, entry.stream, entry.position)
        items = tuple(item for item in said if item.target_id == target.target_id)
        if row is not None or items:
            told.append(Told(target=target, row=row, said=items))
    is_held = entry.event.hold is Hold.OPERATOR
    return history_line(
        History(
            event_id=entry.event.event_id,
            told=tuple(told),
            held=entry.event.hold_reason or "" if is_held else None,
        )
    )
