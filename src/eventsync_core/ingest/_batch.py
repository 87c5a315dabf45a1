"""One batch in, one answer out; what is kept is the very text that came."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from eventsync_core.codec import Sliced, parse_event_text, slice_cloudevents, slice_events
from eventsync_core.errors import NotJsonError
from eventsync_core.ids import is_event_id
from eventsync_core.ingest._port import Inbox
from eventsync_core.receivers import CLOUDEVENTS_BATCH, Script
from eventsync_core.targets import Limits

MOST_EVENTS = Limits().max_events
MOST_BYTES = Limits().hard_bytes

_RETRY_SECONDS = (1, 300)
_CONFLICT = "this event_id was received before with other content"


@attrs.frozen
class Reply:
    """What is answered: an HTTP status and the JSON object of the body."""

    status: int
    document: Mapping[str, Any]


def answer_batch(inbox: Inbox, body: bytes, script: Script, content_type: str = "") -> Reply:
    """
    Keep the events of *body* in *inbox* and answer for each of them, in order.

    *body* is the uncompressed request: a batch of CloudEvents where *content_type* says so,
    of which the data is kept under their ids, else a batch of events. A known id with equal
    content is a duplicate, with other content rejected; what *script* says of events, poison
    and size comes first, its `requests` are the caller's. Whenever the status is not 200,
    nothing of the batch is kept.
    """
    if len(body) > MOST_BYTES:
        return _too_large("payload too large")
    try:
        events = _slicer(content_type)(body.decode())
    except ValueError as error:
        return _refused("the body is not a batch of events", str(error))
    if not events:
        return _refused("No events provided", "the events array is empty")
    if len(events) > MOST_EVENTS:
        return _too_large(f"payload too large: {len(events)} events")
    nameless = _nameless(events)
    if nameless:
        return _refused("an event has no usable event_id", nameless)
    flawed = _flawed(events)
    if flawed:
        return _refused("an event is no CloudEvent 1.0 that holds an event", flawed)
    named = [(str(event.top["event_id"]), event.text) for event in events]
    refused = script.refuse_whole([event_id for event_id, _ in named], len(body))
    if refused is not None:
        return Reply(*refused)
    return Reply(200, {"results": _results(inbox, named, script)})


def _slicer(content_type: str) -> Callable[[str], list[Sliced]]:
    kind = content_type.partition(";")[0].strip().lower()
    return slice_cloudevents if kind == CLOUDEVENTS_BATCH else slice_events


def limits_document() -> dict[str, int]:
    """Return what one request may hold and how long a client should wait, as advertised."""
    shortest, longest = _RETRY_SECONDS
    return {
        "max_events_per_batch": MOST_EVENTS,
        "max_decompressed_bytes_per_batch": MOST_BYTES,
        "retry_after_min_seconds": shortest,
        "retry_after_max_seconds": longest,
    }


def _results(
    inbox: Inbox, named: Sequence[tuple[str, str]], script: Script
) -> list[dict[str, Any]]:
    kept = [event for event in named if script.keeps(event[0])]
    are_new = iter(inbox.take(kept) if kept else ())
    results = []
    for event_id, text in named:
        own: Mapping[str, str] = {"status": "success"}
        if script.keeps(event_id) and not next(are_new):
            own = _second_sight(inbox.get(event_id), text)
        results.append(script.result(event_id, own))
    return results


def _second_sight(first: str | None, text: str) -> dict[str, str]:
    if first == text or (first is not None and _canonical(first) == _canonical(text)):
        return {"status": "duplicate"}
    return {"status": "rejected", "error": _CONFLICT}


def _canonical(text: str) -> str:
    """Return the canonical form of *text*; of what has none, the text itself."""
    try:
        return parse_event_text(text).canonical
    except NotJsonError:
        return text


def _nameless(events: Sequence[Sliced]) -> list[dict[str, Any]]:
    """Say which events lack an id that can be used, by place and by name where there is one."""
    found = []
    for index, event in enumerate(events):
        event_id = event.top.get("event_id")
        if not is_event_id(event_id):
            name = {"event_id": event_id} if isinstance(event_id, str) else {}
            found.append(
                {**name, "index": index, "error": "event_id is not 1 to 200 printable characters"}
            )
    return found


def _flawed(events: Sequence[Sliced]) -> list[dict[str, Any]]:
    """Say which events are not what they should be, by name and by place."""
    return [
        {"event_id": event.top["event_id"], "index": index, "error": event.flaw}
        for index, event in enumerate(events)
        if event.flaw
    ]


def _refused(error: str, details: str | list[dict[str, Any]]) -> Reply:
    return Reply(400, {"error": error, "details": details})


def _too_large(error: str) -> Reply:
    return Reply(413, {"error": error, "limits": limits_document()})
