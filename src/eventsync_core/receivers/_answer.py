from collections.abc import Mapping
from enum import StrEnum

import attrs

from eventsync_core.receivers._model import Effect, Outcome
from eventsync_core.targets import Limits


@attrs.frozen(kw_only=True)
class Answer:
    """
    What came back for one request, before anyone judged it.

    `status` is None when no complete response head arrived; then `fault` says what
    happened in words and `reached` whether a byte may have left. Header names are in lower
    case. `is_whole` is false when the body broke off or was larger than the reader's bound.
    """

    status: int | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes = b""
    fault: str = ""
    reached: bool = True
    is_whole: bool = True


class Next(StrEnum):
    """What the drain does after an answer."""

    GO_ON = "go_on"
    BISECT = "bisect"
    HALVE = "halve"
    RESEND_REST = "resend_rest"
    BACK_OFF = "back_off"
    PROTOCOL = "protocol"
    PAUSE_TARGET = "pause_target"
    WITHHELD = "withheld"


@attrs.frozen
class Detail:
    """Why one event was not delivered, in the server's words."""

    reason: str
    category: str | None = None


@attrs.frozen(kw_only=True)
class Verdict:
    """
    What an answer means: one outcome per event sent, in their order.

    `details` is keyed by index into the batch. `effect` is what the request may have done to
    events that were not answered one by one. `guidance` is one line for a person.
    `pauses_grant` is set when the server refused the project itself.
    """

    outcomes: tuple[Outcome, ...]
    next: Next
    effect: Effect
    status: int | None = None
    details: Mapping[int, Detail] = attrs.field(factory=dict)
    guidance: str = ""
    limits: Limits | None = None
    pauses_grant: bool = False
    retry_after: int | None = None
    retry_at: int | None = None
