"""Time as an argument: whole microseconds since 1970-01-01 UTC."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["DAY", "MINUTE", "SECOND", "Clock", "iso_time"]

SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Tells the time: whole microseconds since 1970-01-01 UTC."""

    def __call__(self) -> int: ...


def iso_time(micros: int) -> str:
    """Return *micros* as ISO 8601 in UTC with microseconds."""
    return (_EPOCH + timedelta(microseconds=micros)).isoformat(timespec="microseconds")
