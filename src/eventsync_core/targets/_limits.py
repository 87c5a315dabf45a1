from collections.abc import Mapping

import attrs

from eventsync_core.clock import SECOND

DEFAULT_PACKING_BYTES = 262_144
DEFAULT_HARD_BYTES = 524_288
MOST_EVENTS = 1_000
_LARGEST_BODY = 2**31 - 1
# `{"events":[{"event_id":"x"}]}`: a body with the smallest event there can be.
_SMALLEST_BODY = 29
_LONGEST_RETRY_SECONDS = 86_400


@attrs.frozen(kw_only=True)
class Limits:
    """
    What one request to a target may hold, in events and bytes of uncompressed body.

    `retry_least` and `retry_most` are the bounds of the wait that its Retry-After may ask
    for, in microseconds; None where the server names none.
    """

    max_events: int = MOST_EVENTS
    max_bytes: int | None = None
    retry_least: int | None = None
    retry_most: int | None = None

    @property
    def packing_bytes(self) -> int:
        """A batch is closed before it grows beyond this."""
        return DEFAULT_PACKING_BYTES if self.max_bytes is None else self.max_bytes * 9 // 10

    @property
    def hard_bytes(self) -> int:
        """An event whose body alone is larger can never be sent there."""
        return DEFAULT_HARD_BYTES if self.max_bytes is None else self.max_bytes


def read_limits(document: object) -> Limits | None:
    """
    Return the limits a server advertises, or None where it names none that make sense.

    *document* holds `max_events_per_batch`, `max_decompressed_bytes_per_batch`,
    `retry_after_min_seconds` and `retry_after_max_seconds`, as in `sync_ingress.limits` of
    the health answer and in `limits` of a 413. Only positive whole numbers count, and no size
    under which not even the smallest event could be sent.
    """
    if not isinstance(document, Mapping):
        return None
    events = _positive(document.get("max_events_per_batch"), MOST_EVENTS)
    size = _positive(document.get("max_decompressed_bytes_per_batch"), _LARGEST_BODY)
    if size is not None and size < _SMALLEST_BODY:
        size = None
    least = _positive(document.get("retry_after_min_seconds"), _LONGEST_RETRY_SECONDS)
    most = _positive(document.get("retry_after_max_seconds"), _LONGEST_RETRY_SECONDS)
    if events is None and size is None and least is None and most is None:
        return None
    return Limits(
        max_events=events or MOST_EVENTS,
        max_bytes=size,
        retry_least=least and least * SECOND,
        retry_most=most and most * SECOND,
    )


def _positive(value: object, bound: int) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        return None
    return min(value, bound)


def merge_limits(known: Limits, said: Limits | None) -> Limits:
    """Return *known* with what a server has *said* since; what *said* leaves open stays."""
    if said is None:
        return known
    return Limits(
        max_events=known.max_events if said.max_events == MOST_EVENTS else said.max_events,
        max_bytes=said.max_bytes or known.max_bytes,
        retry_least=said.retry_least or known.retry_least,
        retry_most=said.retry_most or known.retry_most,
    )
