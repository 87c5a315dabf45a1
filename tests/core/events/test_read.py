"""Reading one event."""

from contextlib import suppress
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsync_core.errors import MissingEventIdError, NotJsonError
from eventsync_core.events import Hold, decode_text, read_event, text_of
from eventsync_core.testing import envelopes, respell
from tests.effort import examples


def test_an_event_is_what_was_handed_in() -> None:
    """Text, size and digest are those of the exact bytes."""
    text = ' {"event_id":"e1","ü":1.50}\n'

    event = read_event(text)

    assert (text, len(text.encode())) == (event.text, event.size)
    assert sha256(text.encode()).digest() == event.digest


def test_facts_are_read_from_the_envelope() -> None:
    """Type, aggregate and project, where present."""
    event = read_event(
        '{"event_id":"e1","event_type":"T","aggregate_id":"a","aggregate_type":"wp",'
        '"project_uuid":"P"}'
    )

    assert (event.event_type, event.aggregate, event.project) == ("T", "wp:a", "P")


@pytest.mark.parametrize("value", ["1", "[]", '"\\n"', '"\\ud800"'])
def test_a_project_that_none_could_be_is_of_nobody(value: str) -> None:
    """It never goes with another project's events."""
    event = read_event(f'{{"event_id":"e1","project_uuid":{value}}}')

    assert (event.project, event.hold) == ("unassigned", Hold.INVALID)


@pytest.mark.parametrize("value", ["null", "1", "[]", '""', '"\\n"', '"\\ud800"'])
def test_a_fact_that_is_not_printable_text_is_absent(value: str) -> None:
    """Whatever stands there, the event is read."""
    event = read_event(f'{{"event_id":"e1","event_type":{value},"aggregate_id":{value}}}')

    assert (event.event_type, event.aggregate, event.project) == (None, None, None)


def test_equal_ids_of_two_types_are_two_aggregates() -> None:
    """The type is part of the name; without one it is empty."""
    names = {
        read_event(f'{{"event_id":"e1","aggregate_id":"a"{more}}}').aggregate
        for more in ("", ',"aggregate_type":"wp"', ',"aggregate_type":"mission"')
    }

    assert {":a", "wp:a", "mission:a"} == names


@pytest.mark.requirement("J10")
@pytest.mark.parametrize(
    "text", ['{"event_id":"e1","a":1,"a":1}', '{"event_id":"e1","a":' + "[" * 500 + "]" * 500 + "}"]
)
def test_a_damaged_object_is_an_invalid_event(text: str) -> None:
    """Repeated keys and deep nesting give a hold and a reason, not an error."""
    event = read_event(text)

    assert (Hold.INVALID, text) == (event.hold, event.text)
    assert event.hold_reason


@pytest.mark.parametrize("project", ["7", "1.50", "[]", "{}", "true", '"\\n"'])
@pytest.mark.parametrize("number", ["1.5", "1.50"])
def test_a_project_that_is_no_text_is_damage(project: str, number: str) -> None:
    """However the numbers beside it are spelt; null names none."""
    text = '{"event_id":"e1","n":%s,"project_uuid":%s}'

    event = read_event(text % (number, project))

    assert (event.hold, event.hold_reason) == (Hold.INVALID, "project_uuid is no printable text")
    assert read_event(text % (number, "null")).hold is None


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"event_id":null}',
        '{"event_id":1}',
        '{"event_id":""}',
        '{"event_id":"a\\nb"}',
        '{"event_id":"\\ud800"}',
        '{"event_id":"' + "x" * 201 + '"}',
        '{"x":{"event_id":"e1"}}',
    ],
)
def test_without_a_usable_id_there_is_no_event(text: str) -> None:
    """Absent, of another type, empty, unprintable or too long."""
    with pytest.raises(MissingEventIdError):
        read_event(text)


@pytest.mark.parametrize("event_id", ["x", "x" * 200, "Ünï 😀", " "])
def test_any_printable_text_up_to_200_is_an_id(event_id: str) -> None:
    """It is taken as it is."""
    assert event_id == read_event(f'{{"event_id":"{event_id}"}}').event_id


def test_a_raw_lone_surrogate_is_refused() -> None:
    """It cannot be written as UTF-8; escaped it can."""
    with pytest.raises(NotJsonError, match="surrogate"):
        read_event('{"event_id":"e1","x":"\ud800"}')

    assert read_event('{"event_id":"e1","x":"\\ud800"}').event_id == "e1"


@settings(max_examples=examples(150), deadline=None)
@given(envelopes())
def test_another_spelling_has_the_same_canonical_digest(text: str) -> None:
    """Bytes differ, content does not."""
    one, other = read_event(text), read_event(respell(text))

    assert one.digest != other.digest
    assert one.canonical_digest == other.canonical_digest


@settings(max_examples=examples(300), deadline=None)
@given(st.one_of(st.text(max_size=30), envelopes().map(lambda text: text[:-1])))
def test_reading_raises_nothing_else(text: str) -> None:
    """Whatever the text: an event, or an error that says it is not one."""
    with suppress(NotJsonError):
        read_event(text)


@pytest.mark.parametrize("raw", [b"\xff", b"{\xc3}", '{"a":1}'.encode("utf-16")])
def test_bytes_that_are_not_utf_8_are_refused(raw: bytes) -> None:
    """With the place of the first bad one, or by what they then say."""
    with pytest.raises(NotJsonError):
        read_event(decode_text(raw))


def test_an_envelope_may_come_in_three_shapes() -> None:
    """Text and bytes are taken exactly; a mapping is written as compact ASCII JSON."""
    text = '{ "event_id":"e1"}'

    assert text == text_of(text) == text_of(text.encode())
    assert text_of({"event_id": "ü"}) == '{"event_id":"\\u00fc"}'


@pytest.mark.parametrize("value", [object(), float("nan"), {1, 2}])
def test_a_mapping_that_json_cannot_express_is_refused(value: object) -> None:
    """With our error, whatever is in it."""
    with pytest.raises(NotJsonError):
        text_of({"event_id": "e1", "x": value})


def test_a_mapping_that_holds_itself_is_refused() -> None:
    """A circle cannot be written."""
    circle: dict[str, object] = {"event_id": "e1"}
    circle["x"] = circle

    with pytest.raises(NotJsonError):
        text_of(circle)
