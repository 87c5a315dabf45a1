"""Why no body may go now; and the target's back-off, which events and bodies both heed."""

from collections.abc import Sequence

import attrs

from eventsync_core.bodies import PushVerdict
from eventsync_core.census import Class
from eventsync_core.clock import iso_time
from eventsync_core.egress import Grant, Refusal, permit
from eventsync_core.receivers import Gate, Next
from eventsync_core.stores import Stores
from eventsync_core.targets import BackOff, Limits, Target, next_back_off, probe
from eventsync_core.upload._report import UploadStop

_RESUME = "wait, or if it answers again: eventsync target resume"


_BLOCKING = (Class.OWED, Class.IN_BACKOFF, Class.UNKNOWN_EFFECT, Class.IN_FLIGHT)


def refusal_of(
    stores: Stores,
    target_id: str,
    grant: Grant | None,
    stream: str,
    closed: Sequence[Gate],
    *,
    at: int,
) -> Refusal | None:
    """Return why no body of *stream* may go to the target now, or None."""
    target = stores.targets.get(target_id)
    answer = permit(target, grant, closed)
    if isinstance(answer, Refusal):
        return answer
    return _events_first(stores, target_id, stream, at=at) or resting(target, at=at)


def _events_first(stores: Stores, target_id: str, stream: str, *, at: int) -> Refusal | None:
    """Return why the bodies of *stream* wait: events the server has not looked at go first."""
    classes = stores.backlog.tally(target_id, stream, at=at).classes()
    count = sum(classes[name] for name in _BLOCKING)
    if not count:
        return None
    message = f"bodies of stream {stream} wait: {count} of its events are to be delivered first"
    return Refusal(UploadStop.EVENTS_FIRST, message, "eventsync sync now")


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

    A server fault that a body may have caused, and what was withheld, tell neither.
    """
    if verdict.next is Next.WITHHELD:
        return False
    stored = stores.targets.get(target.target_id)
    if verdict.next is not Next.BACK_OFF:
        if verdict.status is None or verdict.status >= 500:
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
    stores.targets.set_back_off(target.target_id, back_off)
    return True
