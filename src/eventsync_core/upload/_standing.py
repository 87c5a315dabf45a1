"""Why no body may go now; and the target's back-off, which events and bodies both heed."""

from collections.abc import Sequence

import attrs

from eventsync_core.bodies import PushVerdict
from eventsync_core.clock import iso_time
from eventsync_core.egress import Grant, Refusal, permit
from eventsync_core.receivers import Gate, Next
from eventsync_core.stores import Stores
from eventsync_core.targets import BackOff, Limits, Target, next_back_off, probe
from eventsync_core.upload._order import event_before
from eventsync_core.upload._report import UploadStop

_RESUME = "wait, or if it answers again: eventsync target resume"


def refusal_of(
    stores: Stores,
    target_id: str,
    grant: Grant | None,
    stream: str,
    closed: Sequence[Gate],
    *,
    at: int,
    since: int | None = None,
) -> Refusal | None:
    """
    Return why no body of *stream* may go to the target now, or None.

    Only events that were due at *since* count, else those that are due now.
    """
    target = stores.targets.get(target_id)
    answer = permit(target, grant, closed)
    if isinstance(answer, Refusal):
        return answer
    first = event_before(stores, target_id, stream, at=at if since is None else since)
    return (first.refusal() if first else None) or resting(target, at=at)


def resting(target: Target, *, at: int) -> Refusal | None:
    """Return why nothing may be sent to *target* now, or None if the faults allow it."""
    faults = (target.back_off, target.body_back_off)
    if all(probe(each, at=at) is not None for each in faults):
        return None
    longer = target.longer_back_off
    message = f"{target.url} is left alone until {iso_time(longer.until)}: {longer.reason}"
    return Refusal(UploadStop.TARGET_BACKOFF, message, _RESUME)


def claim_probe(stores: Stores, target: Target, *, at: int) -> int:
    """Keep others from sending while this upload finds out whether the target is back."""
    targets, until = stores.targets, 0
    for before, keep in (
        (target.back_off, targets.set_back_off),
        (target.body_back_off, targets.set_body_back_off),
    ):
        claim = probe(before, at=at)
        if claim is not None and claim != before:
            keep(target.target_id, claim)
            until = claim.probe_until
    return until


def give_probe_back(stores: Stores, target: Target, probe_until: int) -> None:
    """Let others try at once: the request that should have found out was not answered."""
    targets = stores.targets
    stored = targets.get(target.target_id)
    if not probe_until:
        return
    if stored.back_off.probe_until == probe_until:
        targets.set_back_off(target.target_id, attrs.evolve(stored.back_off, probe_until=0))
    if stored.body_back_off.probe_until == probe_until:
        free = attrs.evolve(stored.body_back_off, probe_until=0)
        targets.set_body_back_off(target.target_id, free)


def note_standing(
    stores: Stores, target: Target, verdict: PushVerdict, *, at: int, chance: float
) -> bool:
    """
    Let the target rest after a fault that is not the body's, or end its rest; say whether.

    What was withheld tells neither. A fault that may have come of a body is counted apart, and
    only bodies heed it.
    """
    if verdict.next is Next.WITHHELD:
        return False
    targets = stores.targets
    stored = targets.get(target.target_id)
    if verdict.next is not Next.BACK_OFF:
        if verdict.status is None:
            return False
        if stored.back_off.failures:
            targets.set_back_off(target.target_id, BackOff())
        if stored.body_back_off.failures:
            targets.set_body_back_off(target.target_id, BackOff())
        return True
    limits = stored.limits or Limits()
    asked = verdict.retry_after
    if verdict.retry_at is not None:
        asked = max(verdict.retry_at - at, 0)
    of_body = asked is None and verdict.may_be_of_body
    back_off = next_back_off(
        stored.body_back_off if of_body else stored.back_off,
        at=at,
        chance=chance,
        asked=asked,
        least=limits.retry_least,
        most=limits.retry_most,
        reason=verdict.reason,
        no_connection=verdict.no_connection,
    )
    keep = targets.set_body_back_off if of_body else targets.set_back_off
    keep(target.target_id, back_off)
    return True
