import re
from collections.abc import Mapping
from datetime import UTC, datetime

import attrs

from eventsync_core.clock import DAY, SECOND

LONGEST_WAIT = 365 * DAY
"""A longer wait than this is taken for this."""

_SECONDS = re.compile("[0-9]+")
_CLOCK = "(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = f"(?P<month>{'|'.join(_MONTHS)})"
# RFC 9110 5.6.7: the fixed form, and the two obsolete ones that have to be read as well.
_DATES = (
    re.compile(f"[A-Z][a-z]{{2}}, (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_CLOCK} GMT"),
    re.compile(
        f"[A-Z][a-z]{{5,8}}, (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_CLOCK} GMT"
    ),
    re.compile(f"[A-Z][a-z]{{2}} {_MONTH} (?P<day>[ 0-9][0-9]) {_CLOCK} (?P<year>[0-9]{{4}})"),
)
_PIVOT_YEAR = 70


@attrs.frozen
class Wait:
    """
    How long a server asks to wait, in microseconds, or until when, since 1970 UTC.

    At most one is set: a date counts from the server's own clock where it told that.
    """

    after: int | None = None
    at: int | None = None


def read_wait(headers: Mapping[str, str], document: object) -> Wait:
    """
    Return the wait that an answer asks for: `Retry-After`, else `retry_after_seconds`.

    Nonsense asks for nothing; a date that is over asks for no wait.
    """
    asked = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(asked):
        digits = asked.lstrip("0") or "0"
        # Python refuses to read numbers of many digits; this many are too long a wait anyway.
        return Wait(after=_bounded(int(digits[:18])))
    until = read_date(asked)
    if until is not None:
        now = read_date(headers.get("date", "").strip())
        return Wait(at=until) if now is None else Wait(after=_bounded_between(now, until))
    seconds = document.get("retry_after_seconds") if isinstance(document, Mapping) else None
    # A comparison with NaN is false, so it asks for nothing.
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds >= 0:
        return Wait(after=_bounded(seconds))
    return Wait()


def read_date(text: str) -> int | None:
    """Return the microseconds since 1970 that an HTTP date names, or None if it is none."""
    for form in _DATES:
        found = form.fullmatch(text)
        if found is not None:
            return _time(found)
    return None


def _time(found: re.Match[str]) -> int | None:
    year = int(found["year"])
    if len(found["year"]) == 2:
        year += 1900 if year >= _PIVOT_YEAR else 2000
    month = _MONTHS.index(found["month"]) + 1
    day, hour, minute = (int(found[name]) for name in ("day", "hour", "minute"))
    second = min(int(found["second"]), 59)
    try:
        at = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return max(int(at.timestamp()) * SECOND, 0)


def _bounded(seconds: float) -> int:
    return int(min(seconds, LONGEST_WAIT // SECOND) * SECOND)


def _bounded_between(now: int, until: int) -> int:
    return min(max(until - now, 0), LONGEST_WAIT)
