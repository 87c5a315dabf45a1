from enum import StrEnum

import attrs

from eventsync_core.events import Hold
from eventsync_core.receivers import Outcome


class Lane(StrEnum):
    """Rejected entries go last, in small batches of their own."""

    FIRST = "first"
    REJECTED = "rejected"


@attrs.frozen(kw_only=True)
class LedgerEntry:
    """
    Where one entry stands with one target in its present round.

    `outcome` None means owed: it was never answered, but must be found again. `attempts`
    counts requests that carried it, `rejections` how often the server looked and said no.
    `seen` is true once an attempt may have had an effect. `due_at` is None once settled;
    `wait` is the last wait for a pending one, in microseconds. `request_id` names the request
    that last changed it (0: none did); requests up to `round_after` belong to earlier rounds.
    """

    outcome: Outcome | None
    request_id: int = 0
    attempts: int = 0
    rejections: int = 0
    round: int = 1
    seen: bool = False
    due_at: int | None = None
    wait: int = 0
    round_after: int = 0

    @property
    def is_settled(self) -> bool:
        """No further attempt in this round."""
        return self.outcome is not None and self.outcome.is_settled

    @property
    def makes_wait(self) -> bool:
        """Later events of its aggregate wait behind it."""
        return self.outcome is None or self.outcome.makes_wait

    @property
    def lane(self) -> Lane:
        """Which of the two queues of due entries it stands in."""
        return Lane.REJECTED if self.outcome is Outcome.REJECTED else Lane.FIRST


@attrs.frozen(kw_only=True)
class Candidate:
    """
    An entry that may be offered: what packing and ordering need of it.

    `digest` is what was noted of the text when it was captured, and `chain` where the stream's
    chain stood with it; `is_damaged` and `follows` compare.
    """

    position: int
    event_id: str
    text: str
    size: int
    digest: bytes
    chain: bytes
    aggregate: str | None = None
    due_at: int | None = None


@attrs.frozen(kw_only=True)
class Holder:
    """Which process holds a lease; `boot` names the machine's current boot."""

    pid: int
    started_at: int
    boot: str


@attrs.frozen(kw_only=True)
class Lease:
    """The right to send one stream to one target; `token` fences writes of earlier holders."""

    target_id: str
    stream: str
    token: int
    holder: Holder
    expires_at: int


@attrs.frozen
class Busy:
    """Somebody else holds the lease."""

    holder: Holder
    expires_at: int


@attrs.frozen
class Abandoned:
    """
    The lease of a sender that is gone and never gave it back.

    Of the `carried` entries of its open request nobody knows whether they arrived.
    """

    holder: Holder
    carried: int


@attrs.frozen(kw_only=True)
class Opening:
    """A request about to leave: what it carries, by position, and the body's size and digest."""

    positions: tuple[int, ...]
    body_bytes: int
    digest: bytes


@attrs.frozen(kw_only=True)
class Request:
    """
    One request as history keeps it.

    `positions` reads like `1-240,243`. `closed_at` is None while it is open or when its
    sender died. `answer` is the drain's next step in one word, `guidance` the batch-level
    answer in words, empty when events were answered one by one.
    """

    request_id: int
    target_id: str
    stream: str
    positions: str
    event_count: int
    body_bytes: int
    digest: bytes
    opened_at: int
    closed_at: int | None = None
    status: int | None = None
    answer: str = ""
    guidance: str = ""


class Act(StrEnum):
    """What an operator did with an entry that a target had answered."""

    RETRIED = "retried"
    DELIVERED_BEFORE = "delivered_before"


@attrs.frozen(kw_only=True)
class HistoryItem:
    """
    One thing a target said, or was found, about one entry; `request_id` 0: no request.

    With `act` it is what the operator `actor` did: `outcome` and `request_id` are those that
    stood until then.
    """

    target_id: str
    request_id: int
    at: int
    outcome: Outcome
    reason: str = ""
    category: str | None = None
    act: Act | None = None
    actor: str = ""


@attrs.frozen(kw_only=True)
class Standing:
    """
    An answered entry as an operator looks for it.

    `said` holds the words of the last answer: reason, category and what was said of the whole
    batch. `is_superseded`: a later event stands for it. `has_text` is false once its payload
    is gone.
    """

    position: int
    event_id: str
    event_type: str | None
    captured_at: int
    row: LedgerEntry
    said: str = ""
    is_held: bool = False
    is_superseded: bool = False
    has_text: bool = True


@attrs.frozen(kw_only=True)
class Holding:
    """
    A time during which an entry could not be offered to anyone.

    `actor` is empty where capture held it. `released_at` is None while it lasts.
    """

    hold: Hold
    reason: str
    actor: str
    held_at: int
    released_by: str = ""
    released_at: int | None = None
