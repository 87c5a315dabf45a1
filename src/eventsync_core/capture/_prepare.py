"""What an event becomes before it is appended."""

from typing import Any

import attrs

from eventsync_core.capture._model import CaptureRules, Envelope, Redactor, Validator
from eventsync_core.codec import read_document, write_document
from eventsync_core.errors import RedactionError
from eventsync_core.events import Event, Family, Hold, read_event, text_of
from eventsync_core.ids import one_line

_LONGEST_REASON = 200


def prepare(envelope: Envelope, rules: CaptureRules) -> tuple[Event, Family]:
    """
    Return the event that *rules* make of *envelope*, with the hold it is stored with.

    With it comes the family by which a policy may drop it. That of a damaged one is unknown,
    whatever type was read: its type may stand there twice.

    Raises:
        NotJsonError: Not one JSON object with a usable `event_id`.
        RedactionError: The redaction failed; the event must not be stored as it is.
    """
    event = read_event(text_of(envelope))
    is_certain = event.hold is None
    if rules.redact is not None:
        event = _redacted(event, rules.redact)
    if rules.validate is not None and event.hold is None:
        event = _validated(event, rules.validate)
    family = rules.families.of(event.event_type)
    if family is Family.LOCAL_ONLY:
        reason = f"events of type {event.event_type} are local only"
        # An invalid one says so too: once released, it would be offered.
        reason = f"{reason}; {event.hold_reason}" if event.hold_reason else reason
        event = attrs.evolve(event, hold=Hold.LOCAL_ONLY, hold_reason=reason)
    return event, family if is_certain else Family.UNKNOWN


def _redacted(event: Event, redact: Redactor) -> Event:
    try:
        before = write_document(read_document(event.text))
        made = redact(read_document(event.text))
    except Exception as error:
        # The text of a foreign exception may quote the event.
        raise RedactionError(event.event_id, f"it raised {type(error).__name__}") from error
    try:
        after = write_document(dict(made))
    except (TypeError, ValueError, RecursionError) as error:
        raise RedactionError(event.event_id, "its result is no JSON object") from error
    if made.get("event_id") != event.event_id:
        raise RedactionError(event.event_id, "its result has another event_id")
    # Of keys that stand twice it was shown one only, and the text holds both.
    if after == before and event.hold is None:
        return event
    return attrs.evolve(read_event(after), hold=event.hold, hold_reason=event.hold_reason)


def _validated(event: Event, validate: Validator) -> Event:
    reason = _damage(event, validate)
    if reason is None:
        return event
    return attrs.evolve(event, hold=Hold.INVALID, hold_reason=one_line(reason, _LONGEST_REASON))


def _damage(event: Event, validate: Validator) -> str | None:
    try:
        envelope: dict[str, Any] = read_document(event.text)
        return validate(envelope)
    except Exception as error:  # noqa: BLE001 - a validator that fails has not found it valid
        return f"the validator raised {type(error).__name__}"
