from collections.abc import Callable, Mapping
from typing import Any, Literal

import attrs

from eventsync_core.errors import EventSyncError, PayloadConflictError
from eventsync_core.events import FAMILIES, Families, KeyRules, Producer
from eventsync_core.journal import Appended
from eventsync_core.policy import Mode, OnDiscard

Envelope = str | bytes | Mapping[str, Any]
"""One event as it comes in: exact JSON text, its UTF-8 bytes, or a mapping to be written."""

Redactor = Callable[[dict[str, Any]], Mapping[str, Any]]
"""
Makes of each parsed envelope what is stored in its place; the `event_id` stays.

It is shown a copy, as Python reads JSON, and may change it. It is called before anything is
stored or compared, and what it returns decides the rest: stream, type, key, validity. An event
that it leaves as it is keeps its exact text.

A changed event is written anew, as compact ASCII JSON with keys in the order returned. Numbers
are then spelt as Python spells them: 1.50 becomes 1.5, 1E2 becomes 100.0, -0 becomes 0, and a
fraction keeps the digits that a float holds. Of a key that stands twice it is shown the last
value; only that one is stored, and the event stays held as invalid.

It fails for an event, which is then not stored, when it raises, when it returns no JSON object
or another `event_id`, and when Python cannot read the event: a number of more than 4,300 digits,
or nesting too deep for the stack. `RedactionError` quotes nothing but the id. The same event
should always become the same: one that comes again and becomes another is a conflict.
"""

Validator = Callable[[Mapping[str, Any]], str | None]
"""
Says in one line what is wrong with a parsed envelope; None for a valid one.

The line is kept as the reason of the hold, up to 200 characters of it. One that raises, or
answers with anything else, has not found the event valid.
"""


@attrs.frozen
class Receipt:
    """
    What became of a captured event: it stands in `stream` at `position`.

    `state` is `stored`, `held` (stored, but not offered until an operator releases it),
    `duplicate` (an equal one was there; `stream` is the one that holds it) or `discarded` (the
    policy dropped it; it has no position, and `stream` is where it would have gone). With
    `durable` it survives process kill, OS crash and power loss from now on; without, from the
    commit of the unit of work around it. Of a dropped event that is said of its audit row, and
    never where none was written. `superseded` counts the earlier events that it stands for, and
    that are not delivered any more. `payload_gone`: the duplicate is of an event whose payload went
    or was lost; nothing of it is kept but that it was there, and `journal import` brings it back.
    """

    event_id: str
    stream: str
    position: int | None
    state: Literal["stored", "held", "duplicate", "discarded"]
    durable: bool
    superseded: int = 0
    payload_gone: bool = False


Result = Receipt | EventSyncError
"""What became of one of many."""


def receipt_of(item: Appended, superseded: int, *, durable: bool) -> Result:
    """Return what the journal said of an event as its receipt, or as the reason against it."""
    if item.state == "conflict":
        return PayloadConflictError(item.event_id, item.stream, item.position)
    count = superseded if item.state == "stored" else 0
    return Receipt(
        item.event_id,
        item.stream,
        item.position,
        item.state,
        durable,
        count,
        item.payload_gone,
    )


@attrs.frozen(kw_only=True)
class CaptureRules:
    """
    What a host or its configuration wants of every capture.

    `mode` and `on_discard` are the policy, `families` classifies by type. `redact` sees every
    event first; `validate` sees what is then to be stored. `keys` supersede, see `capture`.
    `producer` is kept with each entry, and the W3C trace context `traceparent` with each that is
    new; one that is none is left out, and no envelope ever changes.
    """

    mode: Mode = Mode.LOCAL_RETENTION
    on_discard: OnDiscard = OnDiscard.REFUSE
    families: Families = FAMILIES
    keys: KeyRules | None = None
    redact: Redactor | None = None
    validate: Validator | None = None
    producer: Producer | None = None
    traceparent: str | None = None
