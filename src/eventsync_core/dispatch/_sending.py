from collections import deque
from collections.abc import Callable

import attrs

from eventsync_core.clock import Clock
from eventsync_core.dispatch._choose import tightest
from eventsync_core.dispatch._report import Budget, Report
from eventsync_core.ledger import Candidate, Lane, Lease
from eventsync_core.receivers import Batch, DeliveryReceiver, Detail, Outcome, Permit, Verdict
from eventsync_core.stores import Stores
from eventsync_core.targets import MOST_EVENTS, Limits, Target

Alongside = Callable[[Callable[[], Verdict]], Callable[[], Verdict]]
"""Starts a call that runs while the caller goes on; what it returns waits for the result."""


@attrs.frozen
class Item:
    """
    Candidates to be offered in one request.

    Once they are noted, or wait, the cursor may rise to `passes`; 0 if each has a ledger row.
    `is_rest` is set once they were cut from a refusal that named others, `was_offered` once a
    request carried them.
    """

    candidates: tuple[Candidate, ...]
    passes: int = 0
    is_rest: bool = False
    was_offered: bool = False


@attrs.frozen
class Ready:
    """A batch that is packed, under the limits that held then."""

    item: Item
    batch: Batch
    limits: Limits


@attrs.frozen
class Parked:
    """One event that cannot be sent, and why."""

    item: Item
    detail: Detail


@attrs.frozen
class Chosen:
    """What was selected and is to be packed."""

    item: Item
    permit: Permit


@attrs.frozen
class Opened:
    """A batch that may leave: its request is on record."""

    request_id: int
    ready: Ready


@attrs.frozen
class Sent:
    """A request that was answered, but whose answer is not noted yet."""

    request_id: int
    item: Item
    verdict: Verdict


@attrs.define(kw_only=True)
class Sending:
    """
    One drain of one stream while it runs, between its rounds.

    `horizon` is when it began: only what was due then is offered. `agenda` holds what was cut
    out of batches and goes first. `chosen` is what is being packed, `flying` what is on its
    way, `ready` what was packed meanwhile, `sent` the request whose answer is still to be
    noted. Due entries come before the tail and rejected ones last: `lane`, `is_tail` and
    `after` say how far it is. `cuts` counts batches that were cut because they were refused
    whole; there is a bound. `probe_until` is what this drain claimed, if it finds out whether
    a failing target is back.
    """

    stores: Stores
    target: Target
    stream: str
    receiver: DeliveryReceiver
    clock: Clock
    chance: Callable[[], float]
    alongside: Alongside | None
    lease: Lease
    report: Report
    budget: Budget
    deadline: int | None
    horizon: int
    stop: str = ""
    most: int = MOST_EVENTS
    agenda: deque[Item] = attrs.field(factory=deque)
    sent: Sent | None = None
    flying: Item | None = None
    ready: Ready | None = None
    chosen: Item | None = None
    lane: Lane = Lane.FIRST
    is_tail: bool = False
    after: tuple[int, int] = (-1, 0)
    cuts: int = 0
    probe_until: int = 0

    def finish(
        self, stop: str, message: str = "", fix: str = "", fix_argv: tuple[str, ...] = ()
    ) -> None:
        """End the drain of this stream; what was offered but not evaluated is transient."""
        self.stop = stop
        if message:
            self.report.say(message, fix, fix_argv)
        left = [*self.agenda] if self.chosen is None else [self.chosen, *self.agenda]
        self.report.outcomes[Outcome.TRANSIENT] += sum(
            len(item.candidates) for item in left if item.was_offered
        )
        self.agenda.clear()
        self.chosen = None

    def limits(self) -> Limits:
        """Return what one request may hold, by what the receiver and the target have said."""
        return tightest(self.receiver.limits(), self.target.limits)
