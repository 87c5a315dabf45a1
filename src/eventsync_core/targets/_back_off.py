from enum import StrEnum
from math import sqrt

import attrs

from eventsync_core.clock import DAY, MINUTE, SECOND

BASE = SECOND
"""The longest wait after the first fault; every further one doubles it."""
CAP = 60 * SECOND
"""No wait is longer than this, unless the server asks for it."""
LEAST_ASKED = SECOND
"""The shortest wait a server may ask for, where it advertises no other bound."""
MOST_ASKED = 60 * MINUTE
"""The longest wait a server may ask for, where it advertises no other bound."""
PROBE_LENGTH = 90 * SECOND
"""How long a probe keeps others away while nothing is heard of it."""
PROBE_FAILURES = 5
"""From so many faults in a row on, a probe is small."""
PROBE_EVENTS = 1
"""How many events a small probe carries."""

_DOUBLINGS = 16
_LONGEST = DAY + CAP


class Breaker(StrEnum):
    """Whether a target may be sent anything, as far as its faults are concerned."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@attrs.frozen(kw_only=True)
class BackOff:
    """
    What the faults of a target in a row, if any, mean for the next request.

    After `failures` batch faults nothing is sent before `retry_at`. Then one drain claims the
    probe; until `probe_until` the others wait for what comes of it. `reason` is one line about
    the last fault; `no_connection` is set when it was that no connection came about.
    Times are in microseconds since 1970 UTC. A success clears it: `BackOff()`.
    """

    failures: int = 0
    retry_at: int = 0
    probe_until: int = 0
    reason: str = ""
    no_connection: bool = False

    def breaker(self, *, at: int) -> Breaker:
        """
        Say how it stands: closed without faults, open while a wait lasts, else half open.

        A wait longer than any that is ever set comes of a clock set back, and is over.
        """
        if not self.failures:
            return Breaker.CLOSED
        if 0 < self.until - at <= _LONGEST:
            return Breaker.OPEN
        return Breaker.HALF_OPEN

    @property
    def until(self) -> int:
        """Before this only who claimed the probe may send."""
        return max(self.retry_at, self.probe_until)

    @property
    def probe_events(self) -> int | None:
        """How many events the next request may carry for the faults; None: as many as fit."""
        return PROBE_EVENTS if self.failures >= PROBE_FAILURES else None


def next_back_off(
    before: BackOff,
    *,
    at: int,
    chance: float,
    asked: int | None = None,
    least: int | None = None,
    most: int | None = None,
    reason: str,
    no_connection: bool = False,
) -> BackOff:
    """
    Return what holds after one more batch fault.

    The wait doubles with every fault up to `CAP` and is then multiplied by the root of *chance*,
    which is drawn from [0, 1) each time: clients spread over the whole of it, and fewer come
    early than would if all waits were as likely (adr/0013). *asked* is how long the server wants
    to be left alone, in microseconds, kept between *least* and *most*; the drawn wait comes on
    top. A fault that is heard of late never shortens a wait.
    """
    failures = before.failures + 1
    wait = int(sqrt(chance) * min(CAP, BASE << min(failures - 1, _DOUBLINGS)))
    if asked is not None:
        floor = min(least or LEAST_ASKED, DAY)
        wait += max(floor, min(asked, most or MOST_ASKED, DAY))
    earlier = before.retry_at if before.retry_at - at <= _LONGEST else 0
    return BackOff(
        failures=failures,
        retry_at=max(earlier, at + wait),
        reason=reason,
        no_connection=no_connection,
    )


def probe(before: BackOff, *, at: int) -> BackOff | None:
    """
    Return what is to be stored before a request is sent, or None while none may be.

    Without faults that is *before* itself and anyone may send. After a wait only who stores
    the claim sends; reading *before* and storing the claim are one unit of work.
    """
    breaker = before.breaker(at=at)
    if breaker is Breaker.OPEN:
        return None
    if breaker is Breaker.CLOSED:
        return before
    return attrs.evolve(before, probe_until=at + PROBE_LENGTH)
