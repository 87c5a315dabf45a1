from collections import Counter
from enum import StrEnum

import attrs

from eventsync_core.receivers import Gate, Outcome


class Stop(StrEnum):
    """Why a drain ended; a closed gate reads `gate:<word>`."""

    CAUGHT_UP = "caught_up"
    BUDGET = "budget"
    NO_GRANT = Gate.NO_GRANT.value
    TARGET_BACKOFF = "target_backoff"
    PAUSED = "paused"
    GRANT_DAMAGED = "grant_damaged"
    PROTOCOL = "protocol"
    BUSY = "busy"
    INTERRUPTED = "interrupted"


@attrs.frozen(kw_only=True)
class Budget:
    """How much one drain may do: seconds, events offered, requests; None is without bound."""

    seconds: float | None = None
    events: int | None = None
    requests: int | None = None


@attrs.define(kw_only=True)
class Report:
    """
    What a drain did.

    Each selected event is in exactly one of `outcomes`, with its last one; those that were
    never evaluated count as transient. `remaining_owed` is what is still to be delivered in
    the streams drained. `message` and `fix` are one line each on why it stopped, `fix_argv` is a
    command that helps, if there is one. `retry_at` is when the target may be tried again after
    `target_backoff`, in microseconds, else None.
    """

    target_id: str
    outcomes: Counter[Outcome] = attrs.field(factory=Counter)
    requests: int = 0
    stopped_because: str = Stop.CAUGHT_UP.value
    message: str = ""
    fix: str = ""
    fix_argv: tuple[str, ...] = ()
    remaining_owed: int = 0
    retry_at: int | None = None

    def say(self, message: str, fix: str = "", fix_argv: tuple[str, ...] = ()) -> None:
        """Let this be why it stopped, whatever was said before."""
        self.message, self.fix, self.fix_argv = message, fix, fix_argv

    @property
    def selected(self) -> int:
        """How many events were offered or parked."""
        return self.outcomes.total()

    def counts(self) -> dict[str, int]:
        """Return the counts of `sync now --json`: `delivered` is the outcome success only."""
        found = {"selected": self.selected, "delivered": self.outcomes[Outcome.SUCCESS]}
        for outcome in Outcome:
            if outcome is not Outcome.SUCCESS:
                found[outcome.value] = self.outcomes[outcome]
        return found

    @property
    def is_clean(self) -> bool:
        """Caught up, and every event offered was delivered or is pending."""
        done = (Outcome.SUCCESS, Outcome.DUPLICATE, Outcome.PENDING)
        return (
            self.stopped_because == Stop.CAUGHT_UP
            and self.remaining_owed == 0
            and all(not count or outcome in done for outcome, count in self.outcomes.items())
        )
