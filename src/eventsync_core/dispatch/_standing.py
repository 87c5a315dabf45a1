"""What a target's state means for a drain: its back-off, and what its health answer says."""

from collections.abc import Sequence

import attrs

from eventsync_core.clock import MINUTE, Clock, iso_time
from eventsync_core.dispatch._report import Stop
from eventsync_core.dispatch._sending import Sending
from eventsync_core.egress import Refusal, permit
from eventsync_core.receivers import DeliveryReceiver, Gate, Next, Outcome, Permit, Verdict
from eventsync_core.stores import Stores
from eventsync_core.targets import (
    BackOff,
    Health,
    Kind,
    Limits,
    Target,
    merge_limits,
    next_back_off,
    probe,
    read_health,
)

HEALTH_AGE = 15 * MINUTE
_RESUME = "wait, or if it answers again: eventsync target resume"


def resting(target: Target, *, at: int) -> Refusal | None:
    """Return why nothing may be sent to *target* now, or None if its faults allow it."""
    back_off = target.back_off
    if probe(back_off, at=at) is not None:
        return None
    until = iso_time(max(back_off.retry_at, back_off.probe_until))
    message = f"{target.url} is left alone until {until}: {back_off.reason}"
    return Refusal(Stop.TARGET_BACKOFF, message, _RESUME)


def ask_leave(sending: Sending, closed: Sequence[Gate]) -> Permit | None:
    """Return leave for one more request as everything stands now, or end the drain."""
    stores, stream = sending.stores, sending.stream
    sending.target = target = stores.targets.get(sending.target.target_id)
    grant = stores.grants.get(target.target_id, stream)
    answer = permit(target, grant, closed)
    if not isinstance(answer, Refusal):
        answer = resting(target, at=sending.clock()) or answer
    if isinstance(answer, Refusal):
        sending.finish(answer.stop, answer.message, answer.fix, answer.fix_argv)
        return None
    return answer


def claim_probe(sending: Sending) -> None:
    """Keep others from sending while this drain finds out whether the target is back."""
    before = sending.target.back_off
    claim = probe(before, at=sending.clock())
    if claim is not None and claim != before:
        sending.stores.targets.set_back_off(sending.target.target_id, claim)
        sending.probe_until = claim.probe_until


def give_probe_back(sending: Sending) -> None:
    """Let others try at once: the request that should have found out was not answered."""
    target = sending.stores.targets.get(sending.target.target_id)
    if sending.probe_until and target.back_off.probe_until == sending.probe_until:
        free = attrs.evolve(target.back_off, probe_until=0)
        sending.stores.targets.set_back_off(target.target_id, free)


def note_standing(sending: Sending, verdict: Verdict, *, at: int) -> None:
    """Let the target rest after a fault of the whole batch, and end its rest after any other."""
    targets = sending.stores.targets
    if verdict.next is Next.WITHHELD:
        give_probe_back(sending)
        return
    target = targets.get(sending.target.target_id)
    if verdict.next is not Next.BACK_OFF:
        if target.back_off.failures:
            targets.set_back_off(target.target_id, BackOff())
        if verdict.limits is not None and Outcome.UNKNOWN_EFFECT in verdict.outcomes:
            # The answer was too large to be read; another process would meet the same one.
            known = merge_limits(target.limits or Limits(), verdict.limits)
            checked_at = target.checked_at or at
            targets.observe(target.target_id, Health(limits=known), at=checked_at)
        return
    limits = sending.limits()
    back_off = next_back_off(
        target.back_off,
        at=at,
        chance=sending.chance(),
        asked=_asked(verdict, at),
        least=limits.retry_least,
        most=limits.retry_most,
        reason=verdict.guidance,
        no_connection=verdict.no_connection,
    )
    targets.set_back_off(target.target_id, back_off)


def _asked(verdict: Verdict, at: int) -> int | None:
    """Return how long the server asked to wait, in microseconds."""
    if verdict.retry_at is not None:
        return max(verdict.retry_at - at, 0)
    return verdict.retry_after


def is_health_known(target: Target, *, at: int) -> bool:
    """Say whether the target was asked what it says of itself within 15 minutes."""
    return target.checked_at is not None and 0 <= at - target.checked_at < HEALTH_AGE


def look_at_health(
    stores: Stores, target: Target, receiver: DeliveryReceiver, clock: Clock
) -> None:
    """
    Ask the target what it says of itself, and remember the answer.

    No lease and no unit of work is held meanwhile. An answer that cannot be had is no fault.
    """
    document = receiver.health()
    if document is None and target.kind is not Kind.TEAMSPACE:
        return
    health = None if document is None else read_health(document)
    with stores.atomic():
        stores.targets.observe(target.target_id, health, at=clock())
