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
    """Return why nothing may be sent to *target* now, or None if its faults allow it."""
    if probe(target.back_off, at=at) is not None:
        return None
    until = iso_time(target.back_off.until)
    message = f"{target.url} is left alone until {until}: {target.back_off.reason}"
    return Refusal(UploadStop.TARGET_BACKOFF, message, _RESUME)


def claim_probe(stores: Stores, target: Target, *, at: int) -> int:
    """Keep others from sending while this upload finds out whether the target is back."""
    claim = probe(target.back_off, at=at)
    if claim is None or claim == target.back_off:
        return 0
    stores.targets.set_back_off(target.target_id, claim)
    return claim.probe_until


def give_probe_back(stores: Stores, target: Target, probe_until: int) -> None:
    """Let others try at once: the request that should have found out was not answered."""
    back_off = stores.targets.get(target.target_id).back_off
    if probe_until and back_off.probe_until == probe_until:
        stores.targets.set_back_off(target.target_id, attrs.evolve(back_off, probe_until=0))


def note_standing(
    stores: Stores, target: Target, verdict: PushVerdict, *, at: int, chance: float
) -> bool:
    """
    Let the target rest after a fault that is not the body's, or end its rest; say whether.

    What was withheld tells neither. Events do not heed a fault that may have come of a body.
    """
    if verdict.next is Next.WITHHELD:
        return False
    stored = stores.targets.get(target.target_id)
    if verdict.next is not Next.BACK_OFF:
        if verdict.status is None:
            return False
        if stored.back_off.failures:
            stores.targets.set_back_off(target.target_id, BackOff())
        return True
    limits = stored.limits or Limits()
    asked = verdict.retry_after
    if verdict.retry_at is not None:
        asked = max(verdict.retry_at - at, 0)
    back_off = next_back_off(
        stored.back_off,
        at=at,
        chance=chance,
        asked=asked,
        least=limits.retry_least,
        most=limits.retry_most,
        reason=verdict.reason,
        no_connection=verdict.no_connection,
    )
    is_first = stored.back_off.of_bodies or not stored.back_off.failures
    of_bodies = is_first and asked is None and verdict.may_be_of_body
    stores.targets.set_back_off(target.target_id, attrs.evolve(back_off, of_bodies=of_bodies))
    return True
