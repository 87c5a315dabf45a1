from collections.abc import Callable, Sequence

import attrs

from eventsync_core.bodies import (
    BodyReceiver,
    Owed,
    PushVerdict,
    Standing,
    UploadFailure,
    UploadState,
    asked,
    flaw_of,
    fold_push,
)
from eventsync_core.clock import SECOND, Clock
from eventsync_core.egress import Refusal, permit, refuse
from eventsync_core.ledger import Busy, Holder, Lease
from eventsync_core.receivers import Gate, Next, Permit
from eventsync_core.stores import Stores
from eventsync_core.targets import Target
from eventsync_core.upload._report import UploadReport, UploadStop
from eventsync_core.upload._standing import (
    claim_probe,
    give_probe_back,
    note_standing,
    refusal_of,
    resting,
)

LEASE_NAME = "Bodies"
"""What a lease for bodies is taken on: no stream is named so, for their names are lower case."""

_PER_STREAM = frozenset(
    {
        UploadStop.CAUGHT_UP,
        UploadStop.EVENTS_FIRST,
        UploadStop.NO_GRANT,
        UploadStop.GRANT_DAMAGED,
    }
)
_MOST_FAULTS = 3
_AGAIN = "run the command again"


def _longest() -> float:
    return 1.0


def _no_progress(_: UploadReport) -> None:
    """Nobody watches."""


@attrs.frozen(kw_only=True)
class Upload:
    """
    Who sends what to whom: the arguments of `upload`.

    `seconds` and `bodies` are how much one upload may do, None is without bound. Bodies wait for
    events that were due at `since`, where a drain that began then has just ended. `progress` is
    called with the running report after every body. `chance` gives numbers from 0 up to 1 for
    the jitter of waits.
    """

    stores: Stores
    target: Target
    receiver: BodyReceiver
    clock: Clock
    holder: Holder
    seconds: float | None = None
    bodies: int | None = None
    since: int | None = None
    progress: Callable[[UploadReport], None] = _no_progress
    chance: Callable[[], float] = _longest


@attrs.define(kw_only=True)
class _Pass:
    """
    One upload while it runs.

    `after` is how far it is. `faults` counts answers in a row that tell of the server, not of a
    body. `is_sending` is set while a body is on its way, `probe_until` is what was claimed to
    find out whether a failing target is back.
    """

    task: Upload
    lease: Lease
    report: UploadReport
    horizon: int
    deadline: int | None
    after: tuple[int, int] = (-1, 0)
    faults: int = 0
    is_sending: bool = False
    stop: str = ""
    probe_until: int = 0

    def finish(
        self, stop: str, message: str = "", fix: str = "", fix_argv: tuple[str, ...] = ()
    ) -> None:
        """End the upload of this stream."""
        self.stop = stop
        if message:
            self.report.say(message, fix, fix_argv)


@attrs.frozen
class _Ready:
    """A body that may leave, and what permits it."""

    owed: Owed
    permit: Permit


def upload(task: Upload, streams: Sequence[str]) -> UploadReport:
    """
    Send the target the bodies it is owed of *streams*, one after another, after their events.

    A body is sent at most once, and never before its hash was found to be that of its content.
    Nothing is deleted, whatever came of it, and no number of faults makes a body fail. While
    `event_before` finds an event of a stream, its bodies wait. A pass with nothing due
    writes nothing.

    Raises:
        StoreError: The store could not be used; what was noted before holds.
    """
    report = UploadReport(target_id=task.target.target_id)
    horizon = task.clock()
    deadline = None if task.seconds is None else horizon + int(task.seconds * SECOND)
    ended = UploadStop.CAUGHT_UP.value
    for stream in streams:
        stopped = _upload_stream(task, stream, report, horizon, deadline)
        if stopped != UploadStop.CAUGHT_UP:
            ended, report.stopped_in = stopped, stream
        if stopped == UploadStop.PAUSED and not task.stores.targets.get(report.target_id).paused:
            continue
        if stopped not in _PER_STREAM:
            break
    for stream in streams:
        _count_rest(task, stream, report)
    if ended == UploadStop.BUDGET and not report.remaining:
        ended = UploadStop.CAUGHT_UP.value
        report.say("")
    report.stopped_because = ended
    if ended == UploadStop.TARGET_BACKOFF:
        report.retry_at = task.stores.targets.get(report.target_id).longer_back_off.until
    return report


def _count_rest(task: Upload, stream: str, report: UploadReport) -> None:
    target_id, bodies = task.target.target_id, task.stores.bodies
    grant = task.stores.grants.get(target_id, stream)
    if grant is not None and grant.is_live:
        report.remaining += bodies.remaining(grant)
        report.pending += bodies.pending(grant)
    else:
        report.remaining += bodies.waiting(
            target_id, stream, above=0 if grant is None else grant.from_body
        )


def _upload_stream(
    task: Upload, stream: str, report: UploadReport, horizon: int, deadline: int | None
) -> str:
    stores, target_id = task.stores, task.target.target_id
    grant = stores.grants.get(target_id, stream)
    if grant is not None and grant.is_live:
        stores.bodies.owe(target_id, stream)
        if stores.bodies.next_due(grant, now=horizon) is None:
            return UploadStop.CAUGHT_UP
    elif not stores.bodies.page(stream=stream, limit=1):
        return UploadStop.CAUGHT_UP
    closed = task.receiver.closed_gates()
    refusal = refusal_of(
        stores, target_id, grant, stream, closed, at=task.clock(), since=task.since
    )
    if refusal is not None:
        report.say(refusal.message, refusal.fix, refusal.fix_argv)
        return refusal.stop
    lease = stores.leases.acquire(target_id, LEASE_NAME, task.holder, at=task.clock())
    if isinstance(lease, Busy):
        message = f"process {lease.holder.pid} is sending bodies"
        report.say(message, "run the command again when the other upload has finished")
        return UploadStop.BUSY
    running = _Pass(task=task, lease=lease, report=report, horizon=horizon, deadline=deadline)
    try:
        _run(running, stream)
    except KeyboardInterrupt:
        report.states[UploadState.QUEUED] += running.is_sending
        running.finish(UploadStop.INTERRUPTED, "interrupted", _AGAIN)
    finally:
        with stores.atomic():
            # First: whatever else cannot be stored, nobody need wait for this sender.
            stores.leases.release(running.lease)
            give_probe_back(task.stores, task.target, running.probe_until)
    return running.stop


def _run(running: _Pass, stream: str) -> None:
    """Send what is due of *stream*, each body in a unit of work before and one after."""
    task = running.task
    sent: tuple[Owed, PushVerdict] | None = None
    while True:
        with task.stores.leases.kept(running.lease):
            # A receiver may have to ask others, and they may be slow to answer.
            closed = task.receiver.closed_gates()
        with task.stores.atomic():
            if sent is not None:
                _note(running, *sent)
            ready = None if running.stop else _next(running, stream, closed)
        task.progress(running.report)
        if running.stop:
            return
        sent = None if ready is None else (ready.owed, _push(running, ready, stream))


def _push(running: _Pass, ready: _Ready, stream: str) -> PushVerdict:
    """Ask for leave once more right before the request: much can change after it was chosen."""
    stores, task = running.task.stores, running.task
    target = stores.targets.get(task.target.target_id)
    answer = permit(target, stores.grants.get(target.target_id, stream), ())
    if answer != ready.permit:
        reason = answer.message if isinstance(answer, Refusal) else "its grant was changed"
        return PushVerdict(state=UploadState.QUEUED, reason=reason, next=Next.WITHHELD)
    running.report.requests += 1
    running.is_sending = True
    with stores.leases.kept(running.lease):
        verdict = task.receiver.push(ready.permit, ready.owed.upload)
    if verdict.next is Next.WITHHELD:
        running.report.requests -= 1
        _stop_unsent(running, verdict)
    return verdict


def _stop_unsent(running: _Pass, verdict: PushVerdict) -> None:
    """End the upload where nothing can leave the machine as it is now."""
    url = running.task.target.url
    if verdict.closed is None:
        running.finish(UploadStop.PROTOCOL, f"{url}: nothing was sent: {verdict.reason}", _AGAIN)
        return
    refusal = refuse(verdict.closed, url)
    running.finish(refusal.stop, refusal.message, refusal.fix)


def _next(running: _Pass, stream: str, closed: Sequence[Gate]) -> _Ready | None:
    """
    Choose the next body and note that it is on its way; None when it fails without a request.

    None as well when the stream is done; then `stop` says why.
    """
    task, stores = running.task, running.task.stores
    target_id = task.target.target_id
    if not _may_go_on(running):
        return None
    target = stores.targets.get(target_id)
    grant = stores.grants.get(target_id, stream)
    answer = permit(target, grant, closed)
    if not isinstance(answer, Refusal) and not running.probe_until:
        answer = resting(target, at=task.clock()) or answer
    if isinstance(answer, Refusal):
        running.finish(answer.stop, answer.message, answer.fix, answer.fix_argv)
        return None
    owed = None
    if grant is not None:
        owed = stores.bodies.next_due(grant, now=running.horizon, after=running.after)
    if owed is None:
        running.finish(UploadStop.CAUGHT_UP)
        return None
    running.after = (owed.standing.due_at, owed.number)
    flaw = flaw_of(owed.upload)
    if flaw:
        verdict = PushVerdict(state=UploadState.FAILED, reason=flaw)
        _settle(running, owed, verdict, holds=True)
        return None
    at = max(task.clock(), running.horizon)
    on_its_way = attrs.evolve(owed, standing=asked(owed.standing, at=at))
    stores.bodies.note(target_id, owed.number, on_its_way.standing)
    running.probe_until = running.probe_until or claim_probe(stores, target, at=at)
    return _Ready(on_its_way, answer)


def _may_go_on(running: _Pass) -> bool:
    """Look at the budget and renew the lease."""
    task, now = running.task, running.task.clock()
    is_late = running.deadline is not None and now >= running.deadline
    if is_late or (task.bodies is not None and running.report.selected >= task.bodies):
        running.finish(UploadStop.BUDGET, "the budget is spent", _AGAIN)
        return False
    lease = task.stores.leases.renew(running.lease, at=now)
    if lease is None:
        running.finish(UploadStop.BUSY, "another upload took over", _AGAIN)
        return False
    running.lease = lease
    return True


def _note(running: _Pass, owed: Owed, verdict: PushVerdict) -> None:
    """Note what came of a request; without the lease, only that the body is there."""
    task, now = running.task, running.task.clock()
    running.is_sending = False
    lease = task.stores.leases.renew(running.lease, at=now)
    _settle(running, owed, verdict, holds=lease is not None)
    if lease is None:
        running.finish(UploadStop.BUSY, "another upload took over", _AGAIN)
        return
    running.lease = lease
    if note_standing(task.stores, task.target, verdict, at=now, chance=task.chance()):
        give_probe_back(task.stores, task.target, running.probe_until)
        running.probe_until = 0
    _stop_after(running, verdict)


def _settle(running: _Pass, owed: Owed, verdict: PushVerdict, *, holds: bool) -> None:
    task = running.task
    bodies, now = task.stores.bodies, max(task.clock(), running.horizon)
    before = _as_it_stands(running, owed)
    if verdict.next is Next.WITHHELD:
        # Nothing left, so no attempt is counted.
        if holds:
            unasked = attrs.evolve(before, attempts=before.attempts - 1)
            bodies.note(task.target.target_id, owed.number, unasked)
        running.after = (owed.standing.due_at, owed.number - 1)
        return
    if not holds and before.reopened != owed.standing.reopened:
        # An operator asked for the body again while its request was under way.
        return
    standing = fold_push(before, verdict, at=now, chance=task.chance(), holds=holds)
    running.report.states[verdict.state] += 1
    if standing != before:
        bodies.note(task.target.target_id, owed.number, standing)
    if holds and standing.state is UploadState.FAILED:
        failure = UploadFailure(
            key=owed.upload.key,
            reason=verdict.reason,
            hash_algorithm=owed.upload.hash_algorithm,
            size_bytes=owed.upload.size_bytes,
            first_failed_at=now,
            last_failed_at=now,
        )
        bodies.log(failure)


def _as_it_stands(running: _Pass, owed: Owed) -> Standing:
    """Return how the body stands now: others may have asked for it meanwhile."""
    task = running.task
    listed = task.stores.bodies.find(owed.upload.key, task.target.target_id)
    return owed.standing if listed is None else listed.standing


def _stop_after(running: _Pass, verdict: PushVerdict) -> None:
    """End the pass where the next body would fare no better."""
    running.faults = running.faults + 1 if verdict.is_of_server else 0
    said = f"{running.task.target.url}: {verdict.reason}"
    if verdict.next is Next.BACK_OFF:
        running.finish(UploadStop.TARGET_BACKOFF, said, "wait, or: eventsync target resume")
    elif verdict.next is Next.PROTOCOL or running.faults >= _MOST_FAULTS:
        running.finish(UploadStop.PROTOCOL, said, "see what the server says, then: body push")
