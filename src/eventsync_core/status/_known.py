"""What is known of a target besides its events, as JSON."""

from typing import Any

import attrs

from eventsync_core.clock import SECOND, iso_time
from eventsync_core.targets import Breaker, Limits, Target

_REPLAY = (
    "another server answers at this address; if it lacks what was delivered before, offer it "
    "again: eventsync sync replay --all --to {id}; if not: "
    "eventsync sync replay --nothing --to {id}"
)


def back_off_document(target: Target, *, at: int) -> dict[str, Any] | None:
    """
    Return how long the target is left alone and why, as JSON; null without a fault.

    Its own faults go before those that only bodies heed.
    """
    of_bodies = not target.back_off.failures
    back_off = target.body_back_off if of_bodies else target.back_off
    breaker = back_off.breaker(at=at)
    if breaker is Breaker.CLOSED:
        return None
    return {
        "breaker": breaker.value,
        "failures": back_off.failures,
        "retry_at": iso_time(back_off.until),
        "reason": back_off.reason,
        "of_bodies": of_bodies,
    }


def reset_document(target: Target) -> dict[str, Any] | None:
    """Return what changed behind the target's address, as JSON; null while nothing did."""
    reset = target.reset
    if reset is None:
        return None
    return {
        "changed_fields": list(reset.changed_fields),
        "previous": attrs.asdict(reset.previous),
        "current": None if target.deployment is None else attrs.asdict(target.deployment),
        "seen_at": iso_time(reset.seen_at),
        "recommendation": _REPLAY.format(id=target.target_id),
    }


def limits_document(limits: Limits | None) -> dict[str, Any] | None:
    """Return what a target said one request may hold, as JSON; null while it said nothing."""
    if limits is None:
        return None
    return {
        "max_events_per_batch": limits.max_events,
        "max_decompressed_bytes_per_batch": limits.max_bytes,
        "retry_after_min_seconds": _seconds(limits.retry_least),
        "retry_after_max_seconds": _seconds(limits.retry_most),
    }


def _seconds(micros: int | None) -> int | None:
    return None if micros is None else micros // SECOND
