from eventsync_core.clock import SECOND
from eventsync_core.dispatch._pack import cut, pack, pack_ahead, park
from eventsync_core.dispatch._report import Stop
from eventsync_core.dispatch._select import may_leave, next_item, take_ready
from eventsync_core.dispatch._sending import (
    Chosen,
    Item,
    Opened,
    Parked,
    Ready,
    Sending,
    Sent,
)
from eventsync_core.dispatch._standing import (
    ask_leave,
    claim_probe,
    give_probe_back,
    note_standing,
)
from eventsync_core.egress import Refusal, permit
from eventsync_core.errors import StoreError
from eventsync_core.ledger import LEASE_LENGTH, Candidate, Opening
from eventsync_core.receivers import (
    Batch,
    Effect,
    Next,
    Outcome,
    Permit,
    Verdict,
)
from eventsync_core.targets import MOST_EVENTS

MOST_CUTS = 1_000
_FRESH = LEASE_LENGTH - 2 * SECOND
_AGAIN = "run eventsync sync now again; what was found out is kept"
_STOPS = {
    Next.BACK_OFF: (
        Stop.TARGET_BACKOFF,
        "run eventsync sync now again when the target answers; nothing is lost",
    ),
    Next.PROTOCOL: (
        Stop.PROTOCOL,
        "check that the URL is an event endpoint, or do what it says; nothing is lost",
    ),
    Next.PAUSE_TARGET: (
        Stop.PAUSED,
        "once the target takes them again: eventsync target resume",
    ),
}


def dispatch(sending: Sending) -> bool:
    """
    Run one round, permit → select → pack → post → record; false when it was the last.

    The answer is noted in the same unit of work in which the next round's request is opened,
    so that a batch costs one commit. No unit of work is open while a batch is packed or on
    its way; where requests run alongside, what follows is selected and packed meanwhile.
    """
    packed: Ready | Parked | None = None
    while True:
        step = _step(sending, packed)
        if step is None:
            return False
        if isinstance(step, Opened):
            break
        sending.chosen = step.item
        packed = pack(sending, step)
        sending.chosen = None if packed is None else packed.item
    item, permitted = step.ready.item, step.ready.batch.permit
    sending.flying = item
    answer = _look_again(sending, step)
    if answer == permitted:
        sending.report.requests += 1
        verdict = _send(sending, step.ready)
    else:
        verdict = _withheld(step.ready.batch)
    sending.flying = None
    sending.sent = Sent(step.request_id, item, verdict)
    if isinstance(answer, Permit) and answer != permitted:
        sending.agenda.appendleft(item)
        return True
    _count(sending, item, verdict)
    if isinstance(answer, Refusal):
        sending.finish(answer.stop, answer.message, answer.fix, answer.fix_argv)
    return True


def _send(sending: Sending, ready: Ready) -> Verdict:
    with sending.stores.leases.kept(sending.lease):
        if sending.alongside is not None:
            answer = sending.alongside(lambda: sending.receiver.deliver(ready.batch))
            pack_ahead(sending, ready.item, ready.batch.permit)
            return answer()
        verdict = sending.receiver.deliver(ready.batch)
        if verdict.next is Next.GO_ON:
            pack_ahead(sending, ready.item, ready.batch.permit)
        return verdict


def _look_again(sending: Sending, opened: Opened) -> Permit | Refusal:
    """Ask for leave once more right before the request: much can change after it was packed."""
    batch = opened.ready.batch
    try:
        target = sending.stores.targets.get(batch.permit.target_id)
        grant = sending.stores.grants.get(batch.permit.target_id, batch.permit.stream)
    except StoreError:
        sending.flying = None
        sending.sent = Sent(opened.request_id, opened.ready.item, _withheld(batch))
        raise
    return permit(target, grant, ())


def _withheld(batch: Batch) -> Verdict:
    """Return what came of a batch that was not sent after all: nothing."""
    return Verdict(
        outcomes=(Outcome.TRANSIENT,) * len(batch.event_ids),
        next=Next.WITHHELD,
        effect=Effect.NONE,
        guidance="what permits it was changed before the request left",
    )


def leave(sending: Sending) -> None:
    """
    Note an answer that is still to be noted and give the lease back.

    A request that was interrupted stays open; what it carried is of unknown effect.
    """
    interrupted, sending.flying = sending.flying, None
    if interrupted is not None:
        sending.report.outcomes[Outcome.UNKNOWN_EFFECT] += len(interrupted.candidates)
    try:
        with sending.stores.atomic():
            if interrupted is not None:
                give_probe_back(sending)
            _note_answer(sending)
            sending.stores.leases.release(sending.lease)
    except (StoreError, KeyboardInterrupt):
        # An answer that could not be noted is found as lost; nobody need wait for this sender.
        sending.stores.leases.release(sending.lease)
        raise


def _step(sending: Sending, packed: Ready | Parked | None) -> Opened | Chosen | None:
    """
    Note the last answer, and open a request for what is packed or choose what to pack.

    None when the drain of this stream ends. All of it is one unit of work.
    """
    with sending.stores.leases.kept(sending.lease):
        # A receiver may have to ask others, and they may be slow to answer.
        closed = sending.receiver.closed_gates()
    answered = sending.sent
    try:
        with sending.stores.atomic():
            if not _note_answer(sending) or sending.stop or not _may_go_on(sending):
                return None
            permitted = ask_leave(sending, closed)
            return None if permitted is None else _go_on(sending, packed, permitted)
    except BaseException:
        # The unit was undone and the note of the answer with it: `leave` notes it again.
        sending.sent = answered
        raise


def _go_on(
    sending: Sending, packed: Ready | Parked | None, permitted: Permit
) -> Opened | Chosen | None:
    if isinstance(packed, Parked):
        park(sending, packed)
        sending.chosen = None
    ready = packed if isinstance(packed, Ready) else take_ready(sending)
    if ready is not None and may_leave(sending, ready, permitted):
        return _open(sending, ready)
    if isinstance(packed, Ready):
        sending.agenda.appendleft(packed.item)
        sending.chosen = None
    item = next_item(sending)
    if item is None:
        sending.finish(Stop.CAUGHT_UP)
        return None
    return Chosen(item, permitted)


def _open(sending: Sending, ready: Ready) -> Opened | None:
    opening = Opening(
        positions=tuple(candidate.position for candidate in ready.item.candidates),
        body_bytes=len(ready.batch.body),
        digest=ready.batch.digest,
    )
    request_id = sending.stores.ledger.open_request(sending.lease, opening, at=sending.clock())
    if request_id is None:
        sending.finish(Stop.BUSY, "another drain took over")
        return None
    claim_probe(sending)
    sending.chosen = None
    return Opened(request_id, ready)


def _note_answer(sending: Sending) -> bool:
    sent, sending.sent = sending.sent, None
    if sent is None:
        return True
    # A clock that was set back must not make anything due again within this drain.
    ledger, now = sending.stores.ledger, max(sending.clock(), sending.horizon)
    if not ledger.close_request(sending.lease, sent.request_id, sent.verdict, at=now):
        give_probe_back(sending)
        sending.finish(Stop.BUSY, "another drain took over")
        return False
    if sent.item.passes and sent.verdict.next is not Next.WITHHELD:
        ledger.pass_over(sending.lease, sent.item.passes)
    note_standing(sending, sent.verdict, at=now)
    if sent.verdict.pauses_grant:
        reason = "the server does not take this project"
        target_id = sending.target.target_id
        sending.stores.grants.pause(target_id, sending.stream, reason, actor="drain", at=now)
    if sent.verdict.next is Next.PAUSE_TARGET:
        sending.stores.targets.pause(sending.target.target_id, sent.verdict.guidance)
    return True


def _may_go_on(sending: Sending) -> bool:
    """Look at the budget and renew the lease."""
    budget, report, now = sending.budget, sending.report, sending.clock()
    spent = (
        (budget.requests is not None and report.requests >= budget.requests)
        or (budget.events is not None and report.selected >= budget.events)
        or (sending.deadline is not None and now >= sending.deadline)
    )
    if spent:
        sending.finish(Stop.BUDGET, "the budget is spent")
        return False
    if _FRESH < sending.lease.expires_at - now <= LEASE_LENGTH:
        return True
    lease = sending.stores.leases.renew(sending.lease, at=now)
    if lease is None:
        sending.finish(Stop.BUSY, "another drain took over")
        return False
    sending.lease = lease
    return True


def _count(sending: Sending, item: Item, verdict: Verdict) -> None:
    """Count what is final in this drain, and put what is not back on the agenda."""
    report, then = sending.report, verdict.next
    if then in (Next.BISECT, Next.HALVE):
        if then is Next.HALVE:
            sending.most = max(len(item.candidates) // 2, 1)
        sending.cuts += 1
        cut(sending, Item(item.candidates, is_rest=item.is_rest, was_offered=True))
        if sending.cuts >= MOST_CUTS:
            sending.finish(Stop.BUDGET, "too many batches were refused whole", _AGAIN)
        return
    if len(verdict.outcomes) == 1 and verdict.outcomes[0] is Outcome.TERMINAL_FAILED:
        # What made batches too large is found: those to come need not be as small.
        sending.most = MOST_EVENTS
    rest: list[Candidate] = []
    for index, outcome in enumerate(verdict.outcomes):
        if then is Next.RESEND_REST and outcome is Outcome.TRANSIENT and not item.is_rest:
            rest.append(item.candidates[index])
        else:
            report.outcomes[outcome] += 1
    if rest:
        sending.agenda.appendleft(Item(tuple(rest), is_rest=True, was_offered=True))
    _stop_after(sending, verdict)


def _stop_after(sending: Sending, verdict: Verdict) -> None:
    if verdict.next in _STOPS:
        stop, fix = _STOPS[verdict.next]
    elif verdict.pauses_grant:
        stop, fix = _STOPS[Next.PAUSE_TARGET]
    else:
        return
    message = verdict.guidance or "the server does not take this project"
    sending.finish(stop, f"{sending.target.url}: {message}", fix)
