from collections import deque
from collections.abc import Sequence

import attrs

from eventsync_core.clock import Clock
from eventsync_core.codec import without_local_keys
from eventsync_core.dispatch._choose import (
    REJECTED_BATCH,
    choose,
    fits,
    halves,
    packing_room,
)
from eventsync_core.dispatch._report import Budget, Report, Stop
from eventsync_core.egress import Refusal, permit
from eventsync_core.ledger import Candidate, Lane, Lease, Opening
from eventsync_core.receivers import (
    Batch,
    DeliveryReceiver,
    Detail,
    Effect,
    Limits,
    Next,
    Outcome,
    Permit,
    Verdict,
)
from eventsync_core.stores import Stores
from eventsync_core.targets import Target

MOST_CUTS = 1_000
_AGAIN = "run eventsync sync now again; what was found out is kept"
_STOPS = {
    Next.BACK_OFF: (
        Stop.TARGET_BACKOFF,
        "run eventsync sync now again when the target answers; nothing is lost",
    ),
    Next.WITHHELD: (
        Stop.NO_GRANT,
        "eventsync target grant, if the stream may go there",
    ),
    Next.PROTOCOL: (
        Stop.PROTOCOL,
        "check that the URL is an event endpoint, or do what it says; nothing is lost",
    ),
    Next.PAUSE_TARGET: (
        Stop.PAUSED,
        "once the target takes them, choose it again: eventsync sync mode or sync server",
    ),
}


@attrs.frozen
class _Item:
    """Candidates to be offered in one request; `is_rest` once they were cut from a refusal."""

    candidates: tuple[Candidate, ...]
    is_rest: bool = False


@attrs.frozen
class _Sent:
    """A request that was answered, but whose answer is not noted yet."""

    request_id: int
    item: _Item
    verdict: Verdict
    passes: int


@attrs.define(kw_only=True)
class Sending:
    """
    One drain of one stream while it runs, between its rounds.

    `horizon` is when it began: only what was due then is offered. `agenda` holds what was cut
    out of refused batches and goes first; every entry on it has a ledger row. `sent` is the
    request whose answer is still to be noted, `flying` what is on its way. Due entries come
    before the tail and rejected ones last: `lane`, `is_tail` and `after` say how far it is.
    Once `sent` is noted, the cursor may rise to `passes`. `cuts` counts batches that were cut
    because they were refused whole; there is a bound.
    """

    stores: Stores
    target: Target
    stream: str
    receiver: DeliveryReceiver
    clock: Clock
    lease: Lease
    report: Report
    budget: Budget
    deadline: int | None
    horizon: int
    stop: str = ""
    most: int = 1_000
    agenda: deque[_Item] = attrs.field(factory=deque)
    sent: _Sent | None = None
    flying: _Item | None = None
    lane: Lane = Lane.FIRST
    is_tail: bool = False
    after: tuple[int, int] = (-1, 0)
    passes: int = 0
    cuts: int = 0

    def finish(self, stop: str, message: str = "", fix: str = "") -> None:
        """End the drain of this stream; what was selected but not evaluated is transient."""
        self.stop = stop
        self.report.message = message or self.report.message
        self.report.fix = fix or self.report.fix
        left = sum(len(item.candidates) for item in self.agenda)
        self.report.outcomes[Outcome.TRANSIENT] += left
        self.agenda.clear()


def dispatch(sending: Sending) -> bool:
    """
    Run one round, permit → select → pack → post → record; false when it was the last.

    The answer is noted in the same unit of work in which the next round's request is opened,
    so that a batch costs one commit. No unit of work is open while the request is on its way.
    """
    answered = sending.sent
    try:
        opened = _open_next(sending)
    except BaseException:
        # The unit was undone and the note of the answer with it: `leave` notes it again.
        sending.sent = answered
        raise
    if opened is None:
        return False
    request_id, batch, item = opened
    sending.flying = item
    sending.report.requests += 1
    if _still_permits(sending, batch.permit):
        with sending.stores.leases.kept(sending.lease):
            verdict = sending.receiver.deliver(batch)
    else:
        sending.report.requests -= 1
        verdict = _withheld(batch)
    sending.flying = None
    sending.sent = _Sent(request_id, item, verdict, sending.passes)
    _count(sending, item, verdict)
    return True


def _still_permits(sending: Sending, permitted: Permit) -> bool:
    """Read the grant again: it may have been changed since the batch was packed."""
    grant = sending.stores.grants.get(permitted.target_id, permitted.stream)
    return grant is not None and grant.is_live and grant.generation == permitted.generation


def _withheld(batch: Batch) -> Verdict:
    """Return what came of a batch that was not sent after all: nothing."""
    return Verdict(
        outcomes=(Outcome.TRANSIENT,) * len(batch.event_ids),
        next=Next.WITHHELD,
        effect=Effect.NONE,
        guidance="the grant was changed before the request left",
    )


def leave(sending: Sending) -> None:
    """
    Note an answer that is still to be noted and give the lease back.

    A request that was interrupted stays open; what it carried is of unknown effect.
    """
    if sending.flying is not None:
        sending.report.outcomes[Outcome.UNKNOWN_EFFECT] += len(sending.flying.candidates)
        sending.flying = None
    with sending.stores.atomic():
        _note_answer(sending)
        sending.stores.leases.release(sending.lease)


def _open_next(sending: Sending) -> tuple[int, Batch, _Item] | None:
    with sending.stores.atomic():
        if not _note_answer(sending) or sending.stop or not _may_go_on(sending):
            return None
        permitted = _ask_leave(sending)
        if permitted is None:
            return None
        packed = _pack_next(sending, permitted)
        if packed is None:
            if not sending.stop:
                sending.finish(Stop.CAUGHT_UP)
            return None
        batch, item = packed
        opening = Opening(
            positions=tuple(candidate.position for candidate in item.candidates),
            body_bytes=len(batch.body),
            digest=batch.digest,
        )
        request_id = sending.stores.ledger.open_request(sending.lease, opening, at=sending.clock())
        if request_id is None:
            sending.finish(Stop.BUSY, "another drain took over")
            return None
        return request_id, batch, item


def _note_answer(sending: Sending) -> bool:
    sent, sending.sent = sending.sent, None
    if sent is None:
        return True
    # A clock that was set back must not make anything due again within this drain.
    ledger, now = sending.stores.ledger, max(sending.clock(), sending.horizon)
    if not ledger.close_request(sending.lease, sent.request_id, sent.verdict, at=now):
        sending.finish(Stop.BUSY, "another drain took over")
        return False
    if sent.passes and sent.verdict.next is not Next.WITHHELD:
        ledger.pass_over(sending.lease, sent.passes)
    if sent.verdict.pauses_grant:
        reason = "the server does not take this project"
        sending.stores.grants.pause(sending.target.target_id, sending.stream, reason)
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
    lease = sending.stores.leases.renew(sending.lease, at=now)
    if lease is None:
        sending.finish(Stop.BUSY, "another drain took over")
        return False
    sending.lease = lease
    return True


def _ask_leave(sending: Sending) -> Permit | None:
    stores, target = sending.stores, sending.target
    answer = permit(
        stores.targets.get(target.target_id),
        stores.grants.get(target.target_id, sending.stream),
        sending.receiver.closed_gates(),
    )
    if isinstance(answer, Refusal):
        sending.finish(answer.stop, answer.message, answer.fix)
        return None
    return answer


def _pack_next(sending: Sending, permitted: Permit) -> tuple[Batch, _Item] | None:
    """Return the next batch that fits the target's limits, or None when nothing is left."""
    while (item := _next_item(sending)) is not None:
        limits = sending.receiver.limits()
        texts = tuple(without_local_keys(candidate.text) for candidate in item.candidates)
        batch = Batch(permitted, tuple(candidate.event_id for candidate in item.candidates), texts)
        if len(texts) <= limits.max_events and fits(len(batch.body), limits):
            return batch, item
        if len(texts) > 1:
            _cut(sending, item)
        else:
            _park(sending, item.candidates[0], len(batch.body), limits)
    return None


def _park(sending: Sending, candidate: Candidate, size: int, limits: Limits) -> None:
    reason = f"{size} bytes in a request of its own, the limit is {limits.hard_bytes}"
    detail = Detail(reason, "oversized_event")
    ledger = sending.stores.ledger
    ledger.park(sending.lease, candidate.position, detail, at=sending.clock())
    sending.report.outcomes[Outcome.TERMINAL_FAILED] += 1


def _cut(sending: Sending, item: _Item) -> None:
    left, right = halves(item.candidates)
    sending.agenda.extendleft((_Item(right, item.is_rest), _Item(left, item.is_rest)))


def _next_item(sending: Sending) -> _Item | None:
    """Return what to offer next: cuts first, then due entries, the tail, rejected ones."""
    while True:
        if sending.agenda:
            item = sending.agenda.popleft()
            candidates = _hold_back(sending, item.candidates)
            sending.report.outcomes[Outcome.TRANSIENT] += len(item.candidates) - len(candidates)
            if candidates:
                return _Item(candidates, item.is_rest)
            continue
        found = _select(sending)
        if found is None:
            return None
        candidates = _hold_back(sending, found)
        if candidates:
            return _Item(candidates)
        if sending.passes:
            sending.stores.ledger.pass_over(sending.lease, sending.passes)


def _select(sending: Sending) -> Sequence[Candidate] | None:
    """Read the next page of candidates; None when all three sources are exhausted."""
    target_id, stream = sending.target.target_id, sending.stream
    backlog, room = sending.stores.backlog, packing_room(sending.receiver.limits())
    most = _most(sending)
    if sending.is_tail:
        found, sending.passes = backlog.tail(target_id, stream, max_events=most, max_bytes=room)
        if not found:
            if sending.passes:
                sending.stores.ledger.pass_over(sending.lease, sending.passes)
            sending.is_tail, sending.lane = False, Lane.REJECTED
            sending.after, sending.passes = (-1, 0), 0
            return _select(sending)
        return found
    due = backlog.due(
        target_id,
        stream,
        sending.lane,
        now=sending.horizon,
        after=sending.after,
        max_events=min(most, REJECTED_BATCH) if sending.lane is Lane.REJECTED else most,
        max_bytes=room,
    )
    if due:
        sending.after = (due[-1].due_at or 0, due[-1].position)
        return due
    if sending.lane is Lane.REJECTED:
        return None
    sending.is_tail = True
    return _select(sending)


def _most(sending: Sending) -> int:
    most = min(sending.most, sending.receiver.limits().max_events)
    if sending.budget.events is None:
        return most
    return min(most, max(sending.budget.events - sending.report.selected, 1))


def _hold_back(sending: Sending, candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
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


def _count(sending: Sending, item: _Item, verdict: Verdict) -> None:
    """Count what is final in this drain, and put what is not back on the agenda."""
    report, then = sending.report, verdict.next
    if then in (Next.BISECT, Next.HALVE):
        if then is Next.HALVE:
            sending.most = max(len(item.candidates) // 2, 1)
        sending.cuts += 1
        _cut(sending, item)
        if sending.cuts >= MOST_CUTS:
            sending.finish(Stop.BUDGET, "too many batches were refused whole", _AGAIN)
        return
    rest: list[Candidate] = []
    for index, outcome in enumerate(verdict.outcomes):
        if then is Next.RESEND_REST and outcome is Outcome.TRANSIENT and not item.is_rest:
            rest.append(item.candidates[index])
        else:
            report.outcomes[outcome] += 1
    if rest:
        sending.agenda.appendleft(_Item(tuple(rest), is_rest=True))
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
