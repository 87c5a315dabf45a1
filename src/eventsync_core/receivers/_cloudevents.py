"""A batch as CloudEvents 1.0 in the JSON batch format; each envelope is the data of one."""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from eventsync_core.codec import parse_event_text, write_document
from eventsync_core.receivers._model import Batch

CLOUDEVENTS_BATCH = "application/cloudevents-batch+json"
"""The media type of a batch of CloudEvents."""


class BodyFormat(StrEnum):
    """How the events of a batch stand in the body of a request."""

    EVENTSYNC = "eventsync"
    CLOUDEVENTS = "cloudevents"


_NAMELESS = "eventsync.event"
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def cloudevents_body(batch: Batch) -> bytes:
    """
    Return the request body that holds *batch* as CloudEvents, the texts as they are.

    `source` names the stream, `type` and `subject` are the event's type and aggregate id,
    `time` its timestamp; what the envelope does not have in a fitting form is left out,
    except the type, which is then `eventsync.event`.
    """
    source = "urn:eventsync:" + _percent_encoded(batch.permit.stream)
    events = zip(batch.event_ids, batch.texts, strict=True)
    return f"[{','.join(_event(source, *event) for event in events)}]".encode()


def _event(source: str, event_id: str, text: str) -> str:
    top = parse_event_text(text).top
    attributes = {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": _word(top, "event_type") or _NAMELESS,
        "subject": _word(top, "aggregate_id"),
        "time": _time(top.get("timestamp")),
        "datacontenttype": "application/json",
    }
    head = write_document({name: value for name, value in attributes.items() if value})
    return f'{head[:-1]},"data":{text}}}'


def _word(top: Mapping[str, Any], key: str) -> str:
    value = top.get(key)
    return value if isinstance(value, str) and value.isprintable() else ""


def _time(value: object) -> str:
    """Return the RFC 3339 time that *value* is, else nothing."""
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        return ""
    try:
        datetime.fromisoformat(value.upper())
    except ValueError:
        return ""
    return value.upper()


def _percent_encoded(text: str) -> str:
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in text.encode())
