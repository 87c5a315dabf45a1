from collections import Counter
from enum import StrEnum

import attrs

from eventsync_core.bodies import UploadState
from eventsync_core.receivers import Gate


class UploadStop(StrEnum):
    """Why an upload ended; a closed gate reads `gate:<word>`."""

    CAUGHT_UP = "caught_up"
    BUDGET = "budget"
    EVENTS_FIRST = "events_first"
    NO_GRANT = Gate.NO_GRANT.value
    TARGET_BACKOFF = "target_backoff"
    PAUSED = "paused"
    GRANT_DAMAGED = "grant_damaged"
    PROTOCOL = "protocol"
    BUSY = "busy"
    INTERRUPTED = "interrupted"


@attrs.define(kw_only=True)
class UploadReport:
    """
    What an upload did.

    Each selected body is in exactly one of `states`; `queued` are those that are tried again.
    `remaining` is how many of the streams are still to be uploaded, due or not, and `pending` how
    many of these the target works on. `message` and `fix` are one line each on why it stopped,
    `fix_argv` is a command that helps, if there is one. `retry_at` is when the target may be tried
    again after `target_backoff`, in microseconds, else None. `stopped_in` is the stream in which
    it stopped, if it did.
    """

    target_id: str
    states: Counter[UploadState] = attrs.field(factory=Counter)
    requests: int = 0
    stopped_because: str = UploadStop.CAUGHT_UP.value
    message: str = ""
    fix: str = ""
    fix_argv: tuple[str, ...] = ()
    remaining: int = 0
    pending: int = 0
    retry_at: int | None = None
    stopped_in: str = ""

    def say(self, message: str, fix: str = "", fix_argv: tuple[str, ...] = ()) -> None:
        """Let this be why it stopped, whatever was said before."""
        self.message, self.fix, self.fix_argv = message, fix, fix_argv

    @property
    def selected(self) -> int:
        """How many bodies were sent, or found unfit to be sent."""
        return self.states.total()

    def counts(self) -> dict[str, int]:
        """Return the counts of `body push --json`."""
        return {
            "selected": self.selected,
            **{state.value: self.states[state] for state in UploadState},
        }

    @property
    def is_clean(self) -> bool:
        """Caught up, nothing left but what the target works on, and nothing refused."""
        return (
            self.stopped_because == UploadStop.CAUGHT_UP
            and self.remaining == self.pending
            and not self.states[UploadState.FAILED]
        )
