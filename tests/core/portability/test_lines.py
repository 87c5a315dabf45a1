"""A line of an export tells by itself whether it is an envelope or carries one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsync_core.lines import TEXT_KEY, line_of

_KEYS = st.sampled_from(
    [
        '"event_id"',
        f'"{TEXT_KEY}"',
        '"\\u0065ventsync_text"',
        '"event\\u0073ync\\u005Ftext"',
        '"eventsync\\\\u005ftext"',
        '"Eventsync_text"',
        '"ü\\u00fc"',
    ]
)
_SPACE = st.text(" \t\n\r", max_size=2)
_LEAVES = st.sampled_from(
    ["1.50", "null", '"x"', f'"{TEXT_KEY}"', '"\\ud800"', '"\u2028\x7f\x85"', '"a\\nb"']
)


@st.composite
def _objects(draw: st.DrawFn, values: st.SearchStrategy[str]) -> str:
    pairs = [
        f"{draw(_SPACE)}{draw(_KEYS)}{draw(_SPACE)}:{draw(values)}{draw(_SPACE)}"
        for _ in range(draw(st.integers(0, 3)))
    ]
    return draw(_SPACE) + "{" + ",".join(pairs) + "}" + draw(_SPACE)


TEXTS = _objects(st.recursive(_LEAVES, _objects, max_leaves=3))


def read_back(line: str) -> str:
    """Return the text that *line* stands for, by what docs/commands.md says of it."""
    assert line.endswith("\n")
    body = line[:-1]
    assert not {"\n", "\r"} & set(body)
    found = json.loads(body)
    if TEXT_KEY not in found:
        return body
    assert found == {"event_id": "e1", TEXT_KEY: found[TEXT_KEY]}
    return str(found[TEXT_KEY])


@given(TEXTS)
def test_every_text_comes_back(text: str) -> None:
    """Byte for byte, however it is spelt and whatever keys it has."""
    assert read_back(line_of("e1", text)) == text


@given(TEXTS)
def test_only_what_must_be_is_carried(text: str) -> None:
    """Everything else goes out as it is."""
    is_clear = not {"\n", "\r"} & set(text) and TEXT_KEY not in json.loads(text)

    assert (line_of("e1", text) == text + "\n") == is_clear


@pytest.mark.parametrize(
    "text",
    [
        f'{{"event_id":"e1","{TEXT_KEY}":"{{}}"}}',
        f'{{"{TEXT_KEY}":1,"{TEXT_KEY}":"twice"}}',
        '{"event_id":"e1","event\\u0073ync_text":null}',
        f'{{"x":{"[" * 600}{"]" * 600},"{TEXT_KEY}":""}}',
        f'{{"big":{"9" * 5_000},"{TEXT_KEY}":""}}',
    ],
)
def test_an_envelope_that_looks_like_one_that_carries(text: str) -> None:
    """It is carried itself, as often as it is looked at."""
    line = line_of("e1", text)

    assert json.loads(line) == {"event_id": "e1", TEXT_KEY: text}
    assert read_back(line_of("e1", line[:-1])) == line[:-1]


def test_the_key_deeper_down_or_in_a_value_is_nothing_special() -> None:
    """Only the top of the object is looked at."""
    for text in (f'{{"a":{{"{TEXT_KEY}":1}}}}', f'{{"a":"{TEXT_KEY}"}}', f'{{"{TEXT_KEY}s":1}}'):
        assert line_of("e1", text) == text + "\n"


def test_what_is_no_json_is_carried() -> None:
    """Nobody could tell otherwise what it is."""
    text = f'{{"{TEXT_KEY}"'

    assert json.loads(line_of("e1", text)) == {"event_id": "e1", TEXT_KEY: text}
