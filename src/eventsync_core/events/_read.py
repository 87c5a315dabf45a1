from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from eventsync_core.codec import Parsed, parse_event_text, write_document
from eventsync_core.errors import MissingEventIdError, NotJsonError
from eventsync_core.events._model import Event, Hold
from eventsync_core.ids import UNASSIGNED_STREAM, is_event_id


def decode_text(raw: bytes) -> str:
    """
    Return *raw* as text.

    Raises:
        NotJsonError: It is not UTF-8.
    """
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJsonError(f"not UTF-8 at byte {error.start + 1}") from None


def text_of(envelope: str | bytes | Mapping[str, Any]) -> str:
    """
    Return the exact text of *envelope*; a mapping is written as compact ASCII JSON.

    Raises:
        NotJsonError: Bytes that are not UTF-8, or a mapping that JSON cannot express.
    """
    if isinstance(envelope, str):
        return envelope
    if isinstance(envelope, bytes):
        return decode_text(envelope)
    try:
        return write_document(dict(envelope))
    except Exception as error:  # noqa: BLE001 - whatever a host's mapping raises
        # Its text may quote the event.
        raise NotJsonError(f"cannot be written as JSON: {type(error).__name__}") from None


def read_event(text: str) -> Event:
    """
    Read one event from its exact *text*.

    A JSON object with a usable id always gives an event; repeated keys, nesting above 500 and
    a `project_uuid` that names no project give one with hold `invalid`.

    Raises:
        NotJsonError: *text* is not one JSON object, or cannot be written as UTF-8.
        MissingEventIdError: It has no usable `event_id`.
    """
    try:
        raw = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise NotJsonError(f"a lone surrogate at character {error.start + 1}") from None
    parsed = parse_event_text(text)
    return _event(text, raw, parsed)


def _event(text: str, raw: bytes, parsed: Parsed) -> Event:
    top = parsed.top
    event_id = top.get("event_id")
    if not isinstance(event_id, str) or not is_event_id(event_id):
        raise MissingEventIdError(
            "no event_id" if event_id is None else "event_id is not 1 to 200 printable characters"
        )
    project = top.get("project_uuid")
    damage, named = parsed.damage, _word(project)
    if project is not None and not (isinstance(project, str) and project.isprintable()):
        damage = damage or "project_uuid is no printable text"
        # Once released it must not go where another project's events are granted.
        named = UNASSIGNED_STREAM
    return Event(
        event_id,
        text,
        sha256(raw).digest(),
        sha256(parsed.canonical.encode("utf-8", "surrogatepass")).digest(),
        len(raw),
        _word(top.get("event_type")),
        _aggregate(top),
        named,
        Hold.INVALID if damage else None,
        damage,
    )


def _word(value: object) -> str | None:
    """Return *value* if it is text that can be stored, else None."""
    return value if isinstance(value, str) and value and value.isprintable() else None


def _aggregate(top: Mapping[str, Any]) -> str | None:
    """Name what the event is about; equal ids of two types are two aggregates."""
    aggregate_id = _word(top.get("aggregate_id"))
    if aggregate_id is None:
        return None
    return f"{_word(top.get('aggregate_type')) or ''}:{aggregate_id}"
