"""What an event becomes before it is appended."""

from collections.abc import Mapping
from typing import Any

import attrs

from eventsync_core.capture._model import CaptureRules, Envelope, Redactor, Validator
from eventsync_core.codec import read_document, read_unambiguous, write_unchecked
from eventsync_core.errors import MissingEventIdError, RedactionError
from eventsync_core.events import Event, Family, Hold, as_family_says, read_event, text_of
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
    if rules.redact is not None:
        event = _redacted(event, rules.redact)
    is_certain = event.hold is None
    if rules.validate is not None and event.hold is None:
        event = _validated(event, rules.validate)
    event, family = as_family_says(event, rules.families), rules.families.of(event.event_type)
    return event, family if is_certain else Family.UNKNOWN


def _redacted(event: Event, redact: Redactor) -> Event:
    made = _made(event, redact)
    # Raised here, where no foreign exception hangs on it: their texts may quote the event.
    if isinstance(made, str):
        raise RedactionError(event.event_id, made)
    return made


def _made(event: Event, redact: Redactor) -> Event | str:
    """Return what *redact* makes of *event*, or in words why it is not to be stored."""
    try:
        shown = read_document(event.text)
        before = write_unchecked(shown)
    except (ValueError, RecursionError):
        return "the event cannot be read for it"
    try:
        made = redact(shown)
    except Exception as error:  # noqa: BLE001 - whatever a host's function raises
        return f"it raised {type(error).__name__}"
    if not isinstance(made, Mapping):
        return "its result is no JSON object"
    try:
        after = write_unchecked(dict(made))
        if after == before and not _has_repeats(event, before):
            return event
        stored = read_event(after)
    except MissingEventIdError:
        return "its result has another event_id"
    except Exception:  # noqa: BLE001 - whatever a host's mapping raises
        return "its result is no JSON object"
    if stored.event_id != event.event_id:
        return "its result has another event_id"
    if event.hold is None:
        return stored
    return attrs.evolve(stored, hold=event.hold, hold_reason=event.hold_reason)


def _has_repeats(event: Event, shown: str) -> bool:
    """Say whether *event* has keys that stand twice: its text holds more than was *shown*."""
    return event.hold is not None and write_unchecked(read_unambiguous(event.text)) != shown


def _validated(event: Event, validate: Validator) -> Event:
    reason = _flaw(event, validate)
    if reason is None:
        return event
    line = one_line(reason, _LONGEST_REASON) or "not valid"
    return attrs.evolve(event, hold=Hold.INVALID, hold_reason=line)


def _flaw(event: Event, validate: Validator) -> str | None:
    try:
        envelope: dict[str, Any] = read_document(event.text)
    except ValueError:
        return "it cannot be read for the validator"
    try:
        reason: object = validate(envelope)
    except Exception as error:  # noqa: BLE001 - a validator that fails has not found it valid
        return f"the validator raised {type(error).__name__}"
    if reason is None or isinstance(reason, str):
        return reason
    return f"the validator answered with {type(reason).__name__}"
