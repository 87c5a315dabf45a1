from collections.abc import Sequence

import attrs

from eventsync_core.dispatch._choose import REJECTED_BATCH, choose, packing_room
from eventsync_core.dispatch._sending import Item, Ready, Sending
from eventsync_core.ledger import Candidate, Lane
from eventsync_core.receivers import Outcome, Permit


def next_item(sending: Sending) -> Item | None:
    """Return what to offer next: cuts first, then due entries, the tail, rejected ones."""
    while True:
        is_cut = bool(sending.agenda)
        item = sending.agenda.popleft() if is_cut else _select(sending)
        if item is None:
            return None
        candidates = hold_back(sending, _deliverable(sending, item.candidates, is_cut=is_cut))
        if item.was_offered:
            sending.report.outcomes[Outcome.TRANSIENT] += len(item.candidates) - len(candidates)
        if candidates:
            return attrs.evolve(item, candidates=candidates)
        if item.passes:
            sending.stores.ledger.pass_over(sending.lease, item.passes)


def _deliverable(
    sending: Sending, candidates: tuple[Candidate, ...], *, is_cut: bool
) -> tuple[Candidate, ...]:
    """Leave out what was superseded, held or settled since it was cut; the rest was just read."""
    if not is_cut:
        return candidates
    positions = [candidate.position for candidate in candidates]
    still = sending.stores.backlog.deliverable(sending.target.target_id, sending.stream, positions)
    return tuple(candidate for candidate in candidates if candidate.position in still)


def _select(sending: Sending) -> Item | None:
    """Read the next page of candidates; None when all three sources are exhausted."""
    if not sending.is_tail:
        due = _due(sending)
        if due or sending.lane is Lane.REJECTED:
            return Item(tuple(due)) if due else None
        sending.is_tail = True
    item = tail_item(sending)
    if item.candidates:
        return item
    if item.passes:
        sending.stores.ledger.pass_over(sending.lease, item.passes)
    sending.is_tail, sending.lane, sending.after = False, Lane.REJECTED, (-1, 0)
    return _select(sending)


def tail_item(sending: Sending, *, after: int = 0, selected: int = 0) -> Item:
    """
    Read the next entries that were never offered, above position *after*.

    *selected* tells how many more than the report counts are selected already.
    """
    found, passes = sending.stores.backlog.tail(
        sending.target.target_id,
        sending.stream,
        max_events=_most(sending, selected),
        max_bytes=packing_room(sending.limits()),
        after=after,
    )
    return Item(tuple(found), passes)


def _due(sending: Sending) -> Sequence[Candidate]:
    most = _most(sending, 0)
    due = sending.stores.backlog.due(
        sending.target.target_id,
        sending.stream,
        sending.lane,
        now=sending.horizon,
        after=sending.after,
        max_events=min(most, REJECTED_BATCH) if sending.lane is Lane.REJECTED else most,
        max_bytes=packing_room(sending.limits()),
    )
    if due:
        sending.after = (due[-1].due_at or 0, due[-1].position)
    return due


def _most(sending: Sending, selected: int) -> int:
    most = min(sending.most, sending.limits().max_events)
    most = min(most, sending.target.back_off.probe_events or most)
    if sending.budget.events is None:
        return most
    return min(most, max(sending.budget.events - sending.report.selected - selected, 1))


def hold_back(sending: Sending, candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Let those wait that stand behind an earlier, unanswered event of their aggregate."""
    names = {candidate.aggregate for candidate in candidates if candidate.aggregate}
    if not names:
        return tuple(candidates)
    waiting = sending.stores.backlog.waiting(
        sending.target.target_id, sending.stream, names, most=len(candidates) + 1
    )
    if not waiting:
        return tuple(candidates)
    choice = choose(candidates, waiting)
    if choice.wait:
        sending.stores.ledger.let_wait(sending.lease, choice.wait)
    return choice.go


def take_ready(sending: Sending) -> Ready | None:
    """Return the batch that was packed ahead, unless pieces of a cut one or smaller ones go."""
    ready, sending.ready = sending.ready, None
    if ready is None or sending.agenda or not sending.is_tail:
        return None
    return ready if len(ready.item.candidates) <= sending.most else None


def may_leave(sending: Sending, ready: Ready, permitted: Permit) -> bool:
    """
    Say whether all of a batch that was packed may go now, as if it were selected just now.

    A change of the grant or the limits, a hold or an unanswered predecessor, in this process
    or another, is looked at again; it is selected and packed anew then.
    """
    candidates = ready.item.candidates
    if ready.batch.permit != permitted or ready.limits != sending.limits():
        return False
    positions = [candidate.position for candidate in candidates]
    still = sending.stores.backlog.deliverable(sending.target.target_id, sending.stream, positions)
    return len(still) == len(positions) and hold_back(sending, candidates) == candidates
