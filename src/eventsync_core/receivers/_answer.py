from collections.abc import Mapping
from enum import StrEnum

import attrs

from eventsync_core.receivers._model import Effect, Outcome
from eventsync_core.targets import Limits


def _in_lower_case(headers: Mapping[str, str]) -> Mapping[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@attrs.frozen(kw_only=True)
class Answer:
    """
    What came back for one request, before anyone judged it.

    `status` is None when no complete response head arrived; then `fault` says what
    happened in words, `reached` whether a byte may have left, and `no_connection` whether no
    connection to send it on came about. Header names are kept in lower case. `is_whole` is
    false when the body broke off or was larger than the reader's bound; `exceeds` is true
    where it was the bound.
    """

    status: int | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict, converter=_in_lower_case)
    body: bytes = b""
    fault: str = ""
    reached: bool = True
    no_connection: bool = False
    is_whole: bool = True
    exceeds: bool = False


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
    events that were not answered one by one. `guidance` is one line for a person. `limits`
    are those to heed from now on. `pauses_grant` is set when the server refused the project
    itself. `retry_after` is how long the server asks to wait before the next attempt, in
    microseconds; `retry_at` until when, since 1970 UTC, where it named a date and did not say
    what its own clock shows. `no_connection` is set when nothing could be sent for want of one.
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
    no_connection: bool = False
