from collections.abc import Mapping

import attrs

DEFAULT_PACKING_BYTES = 262_144
DEFAULT_HARD_BYTES = 524_288
MOST_EVENTS = 1_000
_MOST_BYTES = 1_073_741_824
_MOST_SECONDS = 31_536_000


@attrs.frozen(kw_only=True)
class Limits:
    """
    What one request to a target may hold, in events and bytes of uncompressed body.

    `retry_least` and `retry_most` are the shortest and the longest wait the server wants
    between attempts, in seconds.
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
    the health answer and in `limits` of a 413. Only positive whole numbers count, up to 1,000
    events, a gibibyte and a year.
    """
    if not isinstance(document, Mapping):
        return None
    events = _positive(document.get("max_events_per_batch"), MOST_EVENTS)
    limits = Limits(
        max_events=events or MOST_EVENTS,
        max_bytes=_positive(document.get("max_decompressed_bytes_per_batch"), _MOST_BYTES),
        retry_least=_positive(document.get("retry_after_min_seconds"), _MOST_SECONDS),
        retry_most=_positive(document.get("retry_after_max_seconds"), _MOST_SECONDS),
    )
    return None if events is None and limits == Limits() else limits


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


def _positive(value: object, most: int) -> int | None:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        return None
    return min(value, most)
