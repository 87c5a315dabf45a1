from collections.abc import Sequence

import attrs

from eventsync_core.codec import without_local_keys
from eventsync_core.dispatch._choose import fits, halves
from eventsync_core.dispatch._select import tail_item
from eventsync_core.dispatch._sending import Chosen, Item, Parked, Ready, Sending
from eventsync_core.errors import DamagedEntryError, UnsendableEventError
from eventsync_core.ledger import Candidate, follows, is_damaged, stands
from eventsync_core.receivers import Batch, Detail, Outcome, Permit
from eventsync_core.targets import MOST_EVENTS


def pack(sending: Sending, chosen: Chosen) -> Ready | Parked | None:
    """
    Pack what was chosen; None where it was cut, and its pieces are on the agenda.

    No unit of work is open: a host's transformation may take its time. The lease is kept.
    """
    item, limits = chosen.item, sending.limits()
    try:
        with sending.stores.leases.kept(sending.lease):
            batch = _batch(sending, item, chosen.permit)
    except (DamagedEntryError, UnsendableEventError) as error:
        return _set_aside(sending, item, error)
    if len(item.candidates) <= limits.max_events and fits(len(batch.body), limits):
        return Ready(item, batch, limits)
    if len(item.candidates) > 1:
        cut(sending, item)
        return None
    size, most = len(batch.body), limits.hard_bytes
    reason = f"{size} bytes in a request of its own, the limit is {most}"
    return Parked(item, Detail(reason, "oversized_event"))


def pack_ahead(sending: Sending, flying: Item, permitted: Permit) -> None:
    """
    Select and pack what follows *flying* before its answer is noted; writes nothing.

    Only entries that were never offered are packed ahead.
    """
    if not sending.is_tail or not flying.passes or sending.agenda or _is_last(sending, flying):
        return
    limits = sending.limits()
    try:
        item = tail_item(sending, after=flying.passes, selected=len(flying.candidates))
        if item.candidates:
            batch = _batch(sending, item, permitted)
            if len(item.candidates) <= limits.max_events and fits(len(batch.body), limits):
                sending.ready = Ready(item, batch, limits)
    except Exception:  # noqa: BLE001 - a request is on its way; `pack` meets it again after that
        return


def _is_last(sending: Sending, flying: Item) -> bool:
    """Say whether the budget allows nothing after *flying*."""
    budget, report = sending.budget, sending.report
    events = report.selected + len(flying.candidates)
    return (budget.events is not None and events >= budget.events) or (
        budget.requests is not None and report.requests >= budget.requests
    )


def _batch(sending: Sending, item: Item, permitted: Permit) -> Batch:
    damaged = _first_damaged(sending, item.candidates)
    if damaged is not None:
        raise DamagedEntryError(damaged)
    ids = tuple(candidate.event_id for candidate in item.candidates)
    texts = tuple(without_local_keys(candidate.text) for candidate in item.candidates)
    return sending.receiver.pack(Batch(permitted, ids, texts))


def _first_damaged(sending: Sending, candidates: Sequence[Candidate]) -> int | None:
    """Return which of them is not what was captured there; reads once for each gap."""
    last: Candidate | None = None
    for index, candidate in enumerate(candidates):
        position = candidate.position
        chains = () if last is None or last.position != position - 1 else (last.chain,)
        if is_damaged(candidate) or not (
            follows(candidate, chains) or stands(candidate, sending.stores.journal, sending.stream)
        ):
            return index
        last = candidate
    return None


def cut(sending: Sending, item: Item) -> None:
    """Put both halves of *item* first on the agenda, the left one before the right one."""
    left, right = halves(item.candidates)
    upto = right[0].position - 1 if item.passes else 0
    sending.agenda.extendleft(
        (
            attrs.evolve(item, candidates=right),
            attrs.evolve(item, candidates=left, passes=upto),
        )
    )


def _set_aside(
    sending: Sending, item: Item, error: DamagedEntryError | UnsendableEventError
) -> Parked:
    """Leave out the one event that cannot be put on the wire; the others stay what they are."""
    one = item.candidates[error.index]
    rest = tuple(candidate for candidate in item.candidates if candidate is not one)
    if rest:
        sending.agenda.appendleft(attrs.evolve(item, candidates=rest))
    # Its row must not stand above the cursor: what comes before it would not make it wait.
    passes = one.position if rest and item.passes else item.passes
    alone = attrs.evolve(item, candidates=(one,), passes=passes)
    return Parked(alone, Detail(error.message, error.code))


def park(sending: Sending, parked: Parked) -> None:
    """Note that the event cannot be sent."""
    (candidate,) = parked.item.candidates
    ledger = sending.stores.ledger
    ledger.park(sending.lease, candidate.position, parked.detail, at=sending.clock())
    if parked.item.passes:
        ledger.pass_over(sending.lease, parked.item.passes)
    sending.report.outcomes[Outcome.TERMINAL_FAILED] += 1
    # It may be what made batches too large; those to come need not be as small.
    sending.most = MOST_EVENTS
