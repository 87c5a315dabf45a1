from eventsync_core.codec import without_local_keys
from eventsync_core.dispatch._choose import fits, halves
from eventsync_core.dispatch._select import next_item, tail_item, take_ready
from eventsync_core.dispatch._sending import Item, Ready, Sending
from eventsync_core.errors import StoreError, UnsendableEventError
from eventsync_core.receivers import Batch, Detail, Outcome, Permit


def pack_next(sending: Sending, permitted: Permit) -> Ready | None:
    """Return the next batch that fits the target's limits, or None when nothing is left."""
    ready = take_ready(sending, permitted)
    if ready is not None:
        return ready
    while (item := next_item(sending)) is not None:
        try:
            batch = _batch(sending, item, permitted)
        except UnsendableEventError as error:
            _set_aside(sending, item, error)
            continue
        limits = sending.limits()
        if len(item.candidates) <= limits.max_events and fits(len(batch.body), limits):
            return Ready(item, batch)
        if len(item.candidates) > 1:
            cut(sending, item)
        else:
            size, most = len(batch.body), limits.hard_bytes
            reason = f"{size} bytes in a request of its own, the limit is {most}"
            _park(sending, item, Detail(reason, "oversized_event"))
    return None


def pack_ahead(sending: Sending, flying: Item, permitted: Permit) -> None:
    """
    Select and pack what follows *flying* while that is on its way; writes nothing.

    Only entries that were never offered are packed ahead. What cannot be packed now is left
    for `pack_next`.
    """
    if not sending.is_tail or not flying.passes or sending.agenda or _is_last(sending, flying):
        return
    try:
        item = tail_item(sending, after=flying.passes, selected=len(flying.candidates))
        if item.candidates:
            batch = _batch(sending, item, permitted)
            if fits(len(batch.body), sending.limits()):
                sending.ready = Ready(item, batch)
    except (StoreError, UnsendableEventError):
        return


def _is_last(sending: Sending, flying: Item) -> bool:
    """Say whether the budget allows nothing after *flying*."""
    budget, report = sending.budget, sending.report
    events = report.selected + len(flying.candidates)
    return (budget.events is not None and events >= budget.events) or (
        budget.requests is not None and report.requests >= budget.requests
    )


def _batch(sending: Sending, item: Item, permitted: Permit) -> Batch:
    ids = tuple(candidate.event_id for candidate in item.candidates)
    texts = tuple(without_local_keys(candidate.text) for candidate in item.candidates)
    return sending.receiver.pack(Batch(permitted, ids, texts))


def cut(sending: Sending, item: Item) -> None:
    """Put both halves of *item* first on the agenda, the left one before the right one."""
    left, right = halves(item.candidates)
    upto = right[0].position - 1 if item.passes else 0
    sending.agenda.extendleft(
        (Item(right, item.passes, item.is_rest), Item(left, upto, item.is_rest))
    )


def _set_aside(sending: Sending, item: Item, error: UnsendableEventError) -> None:
    """Park the one event that cannot be put on the wire; the others stay what they are."""
    one = item.candidates[error.index]
    rest = tuple(candidate for candidate in item.candidates if candidate is not one)
    if rest:
        sending.agenda.appendleft(Item(rest, item.passes, item.is_rest))
    passes = 0 if rest else item.passes
    _park(sending, Item((one,), passes), Detail(error.message, error.code))


def _park(sending: Sending, item: Item, detail: Detail) -> None:
    (candidate,) = item.candidates
    ledger = sending.stores.ledger
    ledger.park(sending.lease, candidate.position, detail, at=sending.clock())
    if item.passes:
        ledger.pass_over(sending.lease, item.passes)
    sending.report.outcomes[Outcome.TERMINAL_FAILED] += 1
