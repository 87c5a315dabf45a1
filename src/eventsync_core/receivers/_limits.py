from collections.abc import Mapping

import attrs

DEFAULT_PACKING_BYTES = 262_144
DEFAULT_HARD_BYTES = 524_288
MOST_EVENTS = 1_000


@attrs.frozen(kw_only=True)
class Limits:
    """What one request to a target may hold, in events and bytes of uncompressed body."""

    max_events: int = MOST_EVENTS
    max_bytes: int | None = None

    @property
    def packing_bytes(self) -> int:
        """A batch is closed before it grows beyond this."""
        return DEFAULT_PACKING_BYTES if self.max_bytes is None else int(self.max_bytes * 0.9)

    @property
    def hard_bytes(self) -> int:
        """An event whose body alone is larger can never be sent there."""
        return DEFAULT_HARD_BYTES if self.max_bytes is None else self.max_bytes


def read_limits(document: object) -> Limits | None:
    """
    Return the limits a server advertises, or None where it names none that make sense.

    *document* holds `max_events_per_batch` and `max_decompressed_bytes_per_batch`, as in
    `sync_ingress.limits` of the health answer and in `limits` of a 413.
    """
    if not isinstance(document, Mapping):
        return None
    events = _positive(document.get("max_events_per_batch"))
    size = _positive(document.get("max_decompressed_bytes_per_batch"))
    if events is None and size is None:
        return None
    return Limits(max_events=min(events or MOST_EVENTS, MOST_EVENTS), max_bytes=size)


def _positive(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
