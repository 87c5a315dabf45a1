"""The events of a body come out with the very text they came in."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsync_core.codec import slice_events

SPACE = st.text(" \t\r\n", max_size=3)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
TEXTS = st.builds(
    lambda value, ascii_only, indent: json.dumps(value, ensure_ascii=ascii_only, indent=indent),
    st.dictionaries(st.text(), VALUES, max_size=4),
    st.booleans(),
    st.sampled_from([None, 1]),
)


def _texts(body: str) -> list[str]:
    return [event.text for event in slice_events(body)]


@given(texts=st.lists(TEXTS, max_size=4), space=SPACE)
def test_every_text_comes_back_character_for_character(texts: list[str], space: str) -> None:
    """Whatever the spelling and the white space around it, the slice is the text."""
    inside = f"{space},{space}".join(texts)
    body = f'{space}{{{space}"events"{space}:{space}[{space}{inside}{space}]{space}}}{space}'

    assert _texts(body) == texts


@pytest.mark.parametrize(
    "text",
    [
        '{"n": 1.50, "z": -0, "e": 1E+2}',
        '{"n": ' + "9" * 5_000 + "}",
        '{"deep": ' + "[" * 3_000 + "]" * 3_000 + "}",
        '{"lone": "\\ud800", "b": "}]\\"{["}',
        '{"a": 1, "a": 2}',
        "{}",
    ],
)
def test_unusual_events_are_cut_out_unchanged(text: str) -> None:
    """Numbers, nesting, escapes and repeated keys of any kind survive."""
    assert _texts('{"events":[{"x":1},' + text + "]}") == ['{"x":1}', text]


def test_top_level_keys_are_read_on_both_roads() -> None:
    """The id is found beside a number that Python's decoder refuses."""
    text = '{"event_id": "\\u0061", "n": ' + "9" * 5_000 + "}"

    assert [event.top["event_id"] for event in slice_events('{"events":[' + text + "]}")] == ["a"]


def test_the_key_may_be_escaped() -> None:
    """`events` in another spelling is the same key."""
    assert _texts('{"\\u0065vents": []}') == []


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"events"}',
        '{"events":',
        '{"events":{}}',
        '{"events":[}',
        '{"events":[1]}',
        '{"events":[{},]}',
        '{"events":[{} {}]}',
        '{"events":[{}]',
        '{"events":[{}]} x',
        '{"events":[{}],"events":[]}',
        '{"events":[{}],"more":1}',
        '{"other":[]}',
        "{1:[]}",
        '{"events":[{"a":NaN}]}',
        '{"events":[{"a":-Infinity}]}',
        '{"events":[{"a":01}]}',
        '{"events":[{"a":"\n"}]}',
        '{"events":[{"a":' + "[" * 3_000 + "}]}",
        '{"events":[{"a":' + "[" * 3_000 + "]" * 2_999 + "}}]}",
        '{"events":[{"a":' + "9" * 5_000 + ",}]}",
        '\ufeff{"events":[]}',
    ],
)
def test_anything_else_is_refused(body: str) -> None:
    """What is not an object with one array of objects is a ValueError."""
    with pytest.raises(ValueError, match=r"character|key|JSON"):
        _texts(body)
