"""Times and ages as they are written on the command line, in microseconds."""

import re
from datetime import UTC, datetime, timedelta

from eventsync_cli.failures import UsageProblemError
from eventsync_core.clock import DAY, MINUTE, SECOND

__all__ = ["age", "moment"]

_UNITS = {"s": SECOND, "m": MINUTE, "h": 60 * MINUTE, "d": DAY}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def age(text: str, option: str) -> int:
    """
    Return an age in microseconds: a number of seconds, minutes, hours or days.

    Raises:
        UsageProblemError: It is none.
    """
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if found is None:
        raise UsageProblemError(
            f"{option} is a number with its unit", fix_text=f"as {option} 90s, 15m, 12h or 7d"
        )
    return int(found[1]) * _UNITS[found[2]]


def moment(text: str, option: str) -> int:
    """
    Return a time, written as RFC 3339 does, in microseconds since 1970 UTC.

    Raises:
        UsageProblemError: It is none, or does not say its offset.
    """
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return (found - _EPOCH) // timedelta(microseconds=1)
    except ValueError:
        pass
    raise UsageProblemError(
        f"{option} is a date and time with its offset",
        fix_text=f"as {option} 2026-03-04T10:15:00Z",
    )
