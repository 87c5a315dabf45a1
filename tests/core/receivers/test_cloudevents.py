"""A batch as CloudEvents, read by the reference implementation."""

import json
from typing import Any

import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from eventsync_core.codec import slice_cloudevents
from eventsync_core.events import read_event
from eventsync_core.receivers import Batch, Permit, cloudevents_body
from eventsync_core.testing import events as any_events
from eventsync_core.testing import make_event


def body_of(*texts: str, stream: str = "default") -> bytes:
    ids = tuple(read_event(text).event_id for text in texts)
    return cloudevents_body(Batch(Permit("t", stream, 1), ids, texts))


def read_one(text: str, stream: str = "default") -> Any:
    (found,) = json.loads(body_of(text, stream=stream))
    return found


def read_as_cloudevents(body: bytes) -> list[Any]:
    """Read *body* with the package, event by event: it has no reader of batches."""
    return [JSONFormat().read(CloudEvent, json.dumps(event)) for event in json.loads(body)]


def test_all_attributes_are_those_of_the_event() -> None:
    """Type, subject and time are read from the envelope, the source names the stream."""
    envelope = {
        "event_id": "e1",
        "event_type": "WPStatusChanged",
        "aggregate_id": "WP01",
        "aggregate_type": "WorkPackage",
        "timestamp": "2026-02-12T10:00:00+00:00",
    }

    assert read_one(json.dumps(envelope), stream="a b/ü") == {
        "specversion": "1.0",
        "id": "e1",
        "source": "urn:eventsync:a%20b%2F%C3%BC",
        "type": "WPStatusChanged",
        "subject": "WP01",
        "time": "2026-02-12T10:00:00+00:00",
        "datacontenttype": "application/json",
        "data": envelope,
    }


def test_what_an_event_does_not_have_is_left_out() -> None:
    """Only the type must be there, so it gets a word."""
    found = read_one(make_event("e1").text)

    assert set(found) == {"specversion", "id", "source", "type", "datacontenttype", "data"}
    assert found["type"] == "eventsync.event"


@pytest.mark.parametrize(
    ("given_time", "written"),
    [
        ("2026-02-12T10:00:00Z", "2026-02-12T10:00:00Z"),
        ("2026-02-12t10:00:00.123456789z", "2026-02-12T10:00:00.123456789Z"),
        ("2026-02-12T10:00:00-05:30", "2026-02-12T10:00:00-05:30"),
        ("2026-02-12T10:00:00", None),
        ("2026-02-12 10:00:00Z", None),
        ("2026-02-30T10:00:00Z", None),
        ("2026-02-12T25:00:00Z", None),
        ("2026-02-12T10:00:00+99:00", None),
        ("yesterday", None),
        ("", None),
        (1_700_000_000, None),
        (None, None),
    ],
)
def test_only_a_valid_time_is_a_time(given_time: object, written: str | None) -> None:
    """RFC 3339; anything else stays in the data only."""
    assert read_one(make_event("e1", timestamp=given_time).text).get("time") == written


def test_the_text_of_an_event_is_not_encoded_anew() -> None:
    """Numbers, escapes and spaces stand in the body as they were captured."""
    text = '{"event_id":"\\u0065-1", "n": 1.50, "z": -0, "big": 123456789012345678901234567890}'

    assert body_of(text).endswith(b',"data":' + text.encode() + b"}]")


@given(drawn=st.lists(any_events(), max_size=5, unique_by=lambda event: event.event_id))
def test_the_reference_implementation_reads_it(drawn: list[Any]) -> None:
    """Whatever the events: the same ids and the same data, in order."""
    body = body_of(*(event.text for event in drawn), stream="s")

    found = read_as_cloudevents(body)

    assert [event.get_id() for event in found] == [event.event_id for event in drawn]
    assert [event.get_data() for event in found] == [json.loads(event.text) for event in drawn]
    assert all(event.get_source() == "urn:eventsync:s" for event in found)


@given(drawn=st.lists(any_events(), max_size=5))
def test_our_receiver_cuts_the_very_texts_out(drawn: list[Any]) -> None:
    """What was put in comes back, character for character."""
    found = slice_cloudevents(body_of(*(event.text for event in drawn)).decode())

    assert [event.text for event in found] == [event.text for event in drawn]
    assert [event.top["event_id"] for event in found] == [event.event_id for event in drawn]


@pytest.mark.parametrize(
    "body",
    ["", "{}", "[1]", '[{"id":"a","data":{}}', '[{"id":"a","data":{}}] x', "[,]"],
)
def test_what_is_no_batch_of_cloudevents_is_refused(body: str) -> None:
    """An array of objects, and nothing else."""
    with pytest.raises(ValueError, match=r"."):
        slice_cloudevents(body)
