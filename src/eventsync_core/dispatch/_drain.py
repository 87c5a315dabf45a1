from collections.abc import Callable, Sequence

import attrs

from eventsync_core.census import remaining
from eventsync_core.clock import SECOND, Clock
from eventsync_core.dispatch._dispatch import dispatch, leave
from eventsync_core.dispatch._report import Budget, Report, Stop
from eventsync_core.dispatch._sending import Alongside, Sending
from eventsync_core.dispatch._standing import is_health_known, look_at_health, resting
from eventsync_core.dispatch._streams import waits
from eventsync_core.egress import Refusal, permit
from eventsync_core.errors import NothingOpenError
from eventsync_core.ledger import Busy, Holder, Lane
from eventsync_core.receivers import DeliveryReceiver
from eventsync_core.stores import Stores
from eventsync_core.targets import Target

_TIME_TO_ASK = 15
_PER_STREAM = frozenset({Stop.CAUGHT_UP, Stop.BUSY, Stop.NO_GRANT, Stop.GRANT_DAMAGED})


def _no_progress(_: Report) -> None:
    """Nobody watches."""


def _longest() -> float:
    return 1.0


@attrs.frozen(kw_only=True)
class Drain:
    """
    Who delivers what to whom: the arguments of `drain`.

    `progress` is called with the running report after every round; it must not write to it.
    `chance` gives numbers from 0 up to 1 for the jitter of waits; without it every wait is
    the longest. With `alongside`, which runs a call while its caller goes on, the next batch
    is prepared while one is on its way.
    """

    stores: Stores
    target: Target
    receiver: DeliveryReceiver
    clock: Clock
    holder: Holder
    budget: Budget = attrs.field(factory=Budget)
    progress: Callable[[Report], None] = _no_progress
    chance: Callable[[], float] = _longest
    alongside: Alongside | None = None


def drain(task: Drain, streams: Sequence[str]) -> Report:
    """
    Offer the target what it is owed of *streams*, one after another, within the budget.

    An event is offered at most once, apart from being cut out of a batch that was refused
    whole. Nothing is deleted, whatever came of it. An idle pass writes nothing but what the
    target says of itself, asked for at most every 15 minutes.

    Raises:
        NothingOpenError: A unit of work is open: no request may leave before its row is stored.
        StoreError: The store could not be used; what was noted before holds.
    """
    if task.stores.is_in_unit:
        raise NothingOpenError("a drain needs the store for itself; end the unit of work first")
    report = Report(target_id=task.target.target_id)
    seconds = task.budget.seconds
    deadline = None if seconds is None else task.clock() + int(seconds * SECOND)
    ended = Stop.CAUGHT_UP.value
    _look_at_target(task, streams)
    for stream in streams:
        stopped = _drain_stream(task, stream, report, deadline)
        if stopped != Stop.CAUGHT_UP:
            ended = stopped
        if stopped == Stop.PAUSED and not _is_target_paused(task):
            continue
        if stopped not in _PER_STREAM:
            break
    report.remaining_owed = sum(_remaining(task, stream) for stream in streams)
    if ended == Stop.BUDGET and not report.remaining_owed:
        ended = Stop.CAUGHT_UP.value
        report.say("")
    report.stopped_because = ended
    if ended == Stop.TARGET_BACKOFF:
        back_off = task.stores.targets.get(task.target.target_id).back_off
        report.retry_at = max(back_off.retry_at, back_off.probe_until)
    return report


def _drain_stream(task: Drain, stream: str, report: Report, deadline: int | None) -> str:
    target_id = task.target.target_id
    has_work, passes = _look(task, stream)
    if not has_work:
        _pass_over(task, stream, passes)
        return Stop.CAUGHT_UP
    refusal = _refusal(task, stream)
    if refusal is not None:
        report.say(refusal.message, refusal.fix, refusal.fix_argv)
        return refusal.stop
    target, horizon = task.stores.targets.get(target_id), task.clock()
    lease = task.stores.leases.acquire(target_id, stream, task.holder, at=horizon)
    if isinstance(lease, Busy):
        message = f"process {lease.holder.pid} is draining stream {stream}"
        report.say(message, "run the command again when the other drain has finished")
        return Stop.BUSY
    sending = Sending(
        stores=task.stores,
        target=target,
        stream=stream,
        receiver=task.receiver,
        clock=task.clock,
        chance=task.chance,
        alongside=task.alongside,
        lease=lease,
        report=report,
        budget=task.budget,
        deadline=deadline,
        horizon=horizon,
    )
    try:
        while dispatch(sending):
            task.progress(report)
    except KeyboardInterrupt:
        sending.finish(Stop.INTERRUPTED, "interrupted", "run the command again")
    finally:
        leave(sending)
    return sending.stop


def _is_target_paused(task: Drain) -> bool:
    return bool(task.stores.targets.get(task.target.target_id).paused)


def _look_at_target(task: Drain, streams: Sequence[str]) -> None:
    """
    Ask the target what it says of itself where anything may be sent to it, owed or not.

    A drain that has little time has none for that.
    """
    target = task.stores.targets.get(task.target.target_id)
    seconds = task.budget.seconds
    if is_health_known(target, at=task.clock()) or (seconds is not None and seconds < _TIME_TO_ASK):
        return
    if any(_refusal(task, stream) is None for stream in streams):
        look_at_health(task.stores, target, task.receiver, task.clock)


def _refusal(task: Drain, stream: str) -> Refusal | None:
    target = task.stores.targets.get(task.target.target_id)
    grant = task.stores.grants.get(target.target_id, stream)
    answer = permit(target, grant, task.receiver.closed_gates())
    if isinstance(answer, Refusal):
        return answer
    return resting(target, at=task.clock())


def _look(task: Drain, stream: str) -> tuple[bool, int]:
    """
    Look without a lease whether anything could be offered.

    Without a grant: whether anything waits for one. The second value is how far the cursor may
    rise over entries that may not be offered, 0 if it is there.
    """
    target_id, backlog = task.target.target_id, task.stores.backlog
    grant = task.stores.grants.get(target_id, stream)
    if grant is None or not grant.is_live:
        return waits(task.stores, target_id, stream, at=task.clock()) > 0, 0
    found, passes = backlog.tail(target_id, stream, max_events=1, max_bytes=1)
    if found:
        return True, 0
    now = task.clock()
    is_due = any(
        backlog.due(target_id, stream, lane, now=now, after=(-1, 0), max_events=1, max_bytes=1)
        for lane in Lane
    )
    return is_due, passes


def _pass_over(task: Drain, stream: str, passes: int) -> None:
    """Raise the cursor over held entries, so that the next pass need not look at them."""
    if not passes:
        return
    leases, target_id = task.stores.leases, task.target.target_id
    with task.stores.atomic():
        lease = leases.acquire(target_id, stream, task.holder, at=task.clock())
        if not isinstance(lease, Busy):
            task.stores.ledger.pass_over(lease, passes)
            leases.release(lease)


def _remaining(task: Drain, stream: str) -> int:
    tally = task.stores.backlog.tally(task.target.target_id, stream, at=task.clock())
    return remaining(tally.classes())
