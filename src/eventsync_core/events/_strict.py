from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

_REQUIRED = (
    "event_id",
    "event_type",
    "aggregate_id",
    "timestamp",
    "build_id",
    "node_id",
    "project_uuid",
    "correlation_id",
)
_OF_THE_PAYLOAD = (
    "from_lane",
    "to_lane",
    "actor",
    "force",
    "reason",
    "review_ref",
    "execution_mode",
    "evidence",
)
_NOWHERE = ("feature_slug", "feature_number", "mission_key", "legacy_aggregate_id")
_HEX = frozenset("0123456789abcdefABCDEF")
_CROCKFORD = frozenset("0123456789ABCDEFGHJKMNPQRSTVWXYZabcdefghjkmnpqrstvwxyz")
_HYPHENS = (8, 13, 18, 23)
_ULID, _UUID, _BARE_UUID = 26, 36, 32
_NO_ID = "neither a ULID nor a UUID"


def strict_envelope(envelope: Mapping[str, Any]) -> str | None:
    """
    Say in one line what is wrong with *envelope* as one of version 3; None if nothing is.

    It has text for each of `event_id`, `event_type`, `aggregate_id`, `timestamp`, `build_id`,
    `node_id`, `project_uuid` and `correlation_id`. Event, causation and correlation are each
    named by a ULID or a UUID, only the causation may be absent or null; the project by a UUID.
    The time is ISO 8601 with an offset. `lamport_clock` is a whole number from 0, null or
    absent, `payload` an object or absent. No key belongs to older versions: at the top the keys
    of a status change, anywhere those of a feature. Other keys are free.

    Values are never quoted.
    """
    flaws = [*_unsaid(envelope), *_misshapen(envelope), *_forbidden(envelope)]
    return "; ".join(flaws) or None


def _unsaid(envelope: Mapping[str, Any]) -> Iterator[str]:
    for key in _REQUIRED:
        value = envelope.get(key)
        is_right, words = _SHAPES.get(key, (_is_text, "no text"))
        if value is None:
            yield f"{key} is missing"
        elif not _is_text(value):
            yield f"{key} is no text"
        elif not is_right(value):
            yield f"{key} is {words}"


def _misshapen(envelope: Mapping[str, Any]) -> Iterator[str]:
    causation, clock = envelope.get("causation_id"), envelope.get("lamport_clock")
    if causation is not None and not _is_id(causation):
        yield f"causation_id is {_NO_ID}"
    if clock is not None and not (type(clock) is int and clock >= 0):
        yield "lamport_clock is no whole number from 0"
    if not isinstance(envelope.get("payload", {}), Mapping):
        yield "payload is no object"


def _forbidden(envelope: Mapping[str, Any]) -> Iterator[str]:
    if envelope.get("aggregate_type") == "Feature":
        yield "aggregate_type Feature is of an older version"
    for key in _OF_THE_PAYLOAD:
        if key in envelope:
            yield f"{key} belongs into the payload"
    keys = _keys(envelope)
    for key in _NOWHERE:
        if key in keys:
            yield f"the key {key} is of an older version"


def _keys(envelope: Mapping[str, Any]) -> set[str]:
    """Return the keys of all objects, however deep they are."""
    found, left = set(envelope), list(envelope.values())
    while left:
        value = left.pop()
        if isinstance(value, list):
            left.extend(value)
        elif isinstance(value, dict):
            found.update(value)
            left.extend(value.values())
    return found


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_id(value: object) -> bool:
    if not isinstance(value, str) or len(value) != _ULID:
        return _is_uuid(value)
    # 26 characters of five bits are 130; a ULID has 128, so its first is at most 7.
    return value[0] in "01234567" and set(value) <= _CROCKFORD


def _is_uuid(value: object) -> bool:
    if not isinstance(value, str):
        return False
    if len(value) == _UUID and all(value[at] == "-" for at in _HYPHENS):
        value = value.replace("-", "")
    return len(value) == _BARE_UUID and set(value) <= _HEX


def _is_time(value: object) -> bool:
    if not isinstance(value, str) or value[10:11] not in ("T", "t", " "):
        return False
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


_SHAPES: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "event_id": (_is_id, _NO_ID),
    "correlation_id": (_is_id, _NO_ID),
    "project_uuid": (_is_uuid, "no UUID"),
    "timestamp": (_is_time, "no ISO 8601 time with an offset"),
}
