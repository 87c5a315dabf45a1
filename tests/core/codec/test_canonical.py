"""The canonical form: two roads, one result, and nothing that is not JSON."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsync_core.codec import parse_event_text
from eventsync_core.codec._exact import read_exactly
from eventsync_core.errors import NotJsonError
from eventsync_core.testing import envelopes, json_texts
from tests.effort import examples

_LOCAL = frozenset({"drain_blocked_reason"})


class _Number(str):
    """A number as it was written."""


def _slowly(value: Any, *, is_top: bool = False) -> str:
    """Return the canonical form the long way."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(map(_slowly, value)) + "]"
    if isinstance(value, dict):
        kept = sorted(key for key in value if not (is_top and key in _LOCAL))
        return "{" + ",".join(f"{json.dumps(key)}:{_slowly(value[key])}" for key in kept) + "}"
    return json.dumps(value)


def _reference(text: str) -> str:
    return _slowly(json.loads(text, parse_float=_Number, parse_int=_Number), is_top=True)


def _spaced(text: str, space: str) -> str:
    """Return *text* with *space* around every mark outside strings."""
    return re.sub(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]', lambda m: space + m[0] + space, text)


_OBJECTS = st.dictionaries(st.text(max_size=3), json_texts(), max_size=5).map(
    lambda pairs: "{" + ",".join(f"{json.dumps(k)}:{v}" for k, v in pairs.items()) + "}"
)


@settings(max_examples=examples(300), deadline=None)
@given(_OBJECTS)
def test_the_canonical_form_is_the_obvious_one(text: str) -> None:
    """Sorted keys, no spaces, ASCII, numbers as written, local-only keys left out."""
    assert _reference(text) == parse_event_text(text).canonical


@settings(max_examples=examples(300), deadline=None)
@given(st.one_of(_OBJECTS, envelopes()))
def test_both_roads_lead_to_the_same(text: str) -> None:
    """What the fast road finds, the exact road finds."""
    exact, found = read_exactly(text, _LOCAL), parse_event_text(text)

    assert (exact.canonical, exact.damage) == (found.canonical, found.damage)
    strings = {key: value for key, value in found.top.items() if isinstance(value, str)}
    assert strings == {key: value for key, value in exact.top.items() if isinstance(value, str)}


@settings(max_examples=examples(150), deadline=None)
@given(_OBJECTS, st.sampled_from((" ", "\n", "\t\r\n  ")))
def test_space_does_not_count(text: str, space: str) -> None:
    """Any white space between tokens gives the same canonical form."""
    assert parse_event_text(text).canonical == parse_event_text(_spaced(text, space)).canonical


@settings(max_examples=examples(150), deadline=None)
@given(_OBJECTS)
def test_the_canonical_form_is_its_own(text: str) -> None:
    """Reading it once more changes nothing."""
    canonical = parse_event_text(text).canonical

    assert canonical == parse_event_text(canonical).canonical


@settings(max_examples=examples(300), deadline=None)
@given(st.text(alphabet='{}[]",:0129.eE+-truefalsn\\ u\n', max_size=25))
def test_both_roads_refuse_the_same(text: str) -> None:
    """Whatever the text, either both read it or neither does."""

    def is_read(read: Any) -> bool:
        try:
            read()
        except NotJsonError:
            return False
        return True

    assert is_read(lambda: read_exactly(text, _LOCAL)) == is_read(lambda: parse_event_text(text))


@pytest.mark.parametrize(
    "number",
    ["0", "-0", "1.50", "1.5", "1e5", "1E5", "1e+22", "1e400", "-0.0", "0.1", "9" * 5_000],
)
def test_numbers_are_kept_as_written(number: str) -> None:
    """None is rounded, shortened or spelt otherwise."""
    assert f'{{"n":{number}}}' == parse_event_text(f'{{ "n" : {number} }}').canonical


@pytest.mark.parametrize(("one", "other"), [("1.5", "1.50"), ("1", "1.0"), ("0", "-0")])
def test_numbers_spelt_otherwise_are_other_content(one: str, other: str) -> None:
    """Equal values in two spellings are not canonically equal."""
    first, second = (parse_event_text(f'{{"n":{number}}}') for number in (one, other))

    assert first.canonical != second.canonical


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"b":1,"a":2}', '{"a":2,"b":1}'),
        ('{"ü":"é"}', '{"\\u00fc":"\\u00e9"}'),
        ('{"x":"\\u0041\\/"}', '{"x":"A/"}'),
        ('{"x":"\\ud83d\\ude00"}', '{"x":"\\ud83d\\ude00"}'),
        ('{"x":"\\ud800"}', '{"x":"\\ud800"}'),
        ('{"\U0001f600":1,"\ufb01":2}', '{"\\ufb01":2,"\\ud83d\\ude00":1}'),
        ('{"drain_blocked_reason":"x","a":1}', '{"a":1}'),
        ('{"drain\\u005fblocked_reason":"x","a":1.50}', '{"a":1.50}'),
        ('{"a":{"drain_blocked_reason":1}}', '{"a":{"drain_blocked_reason":1}}'),
        ("{}", "{}"),
    ],
)
def test_examples(text: str, expected: str) -> None:
    """Order by code point, escapes, surrogates and local-only keys."""
    assert expected == parse_event_text(text).canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1",
        "1.50",
        '"x"',
        "null",
        "[]",
        "[1.50]",
        "{",
        "}",
        "{}{}",
        "{} x",
        '{"a":1,}',
        "{'a':1}",
        '{"a"}',
        '{"a":01}',
        '{"a":1.}',
        '{"a":.5}',
        '{"a":+1}',
        '{"a":NaN}',
        '{"a":Infinity}',
        '{"a":-Infinity}',
        '{"a":"\t"}',
        '{"a":"\\x41"}',
        '{"a":"\\u12"}',
        '{"a":\u0661}',
        '{"a":1]',
        "\ufeff{}",
        "\u00a0{}",
    ],
)
def test_what_is_not_one_object_is_refused(text: str) -> None:
    """RFC 8259 to the letter: no other value, no comments, no NaN, no byte-order mark."""
    with pytest.raises(NotJsonError):
        parse_event_text(text)


@pytest.mark.parametrize("bad", ['{"a":1.50,"b":NaN}', '{"n":-0,"x":01}', '{"n":1.50,}'])
def test_the_exact_road_refuses_too(bad: str) -> None:
    """A number that sends a text the exact road does not let the rest through."""
    with pytest.raises(NotJsonError):
        parse_event_text(bad)


@pytest.mark.parametrize(
    "text", ['{"a":1,"a":1}', '{"x":{"a":1,"a":2}}', '{"a":1,"\\u0061":2}', '{"x":[{"":1,"":2}]}']
)
def test_a_repeated_key_is_damage(text: str) -> None:
    """At any depth and in any spelling; it is said, not raised."""
    assert "twice" in (parse_event_text(text).damage or "")


def _nested(depth: int) -> str:
    return '{"x":' + "[" * (depth - 1) + "]" * (depth - 1) + "}"


def test_nesting_of_500_is_read() -> None:
    """The deepest that is valid."""
    assert parse_event_text(_nested(500))[1:] == (_nested(500), None)


@pytest.mark.parametrize("depth", [501, 2_000, 50_000])
def test_deeper_nesting_is_damage(depth: int) -> None:
    """It is said, never a traceback, and the text stands for itself."""
    found = parse_event_text(_nested(depth))

    assert ("nested deeper than 500", _nested(depth)) == (found.damage, found.canonical)


def test_brackets_in_strings_are_no_nesting() -> None:
    """Only structure counts."""
    assert parse_event_text('{"x":"' + "[{" * 600 + '"}').damage is None


def test_many_shallow_containers_are_no_nesting() -> None:
    """A thousand siblings are one level."""
    text = '{"x":[' + ",".join(["[]"] * 1_000) + "]}"

    assert (text, None) == parse_event_text(text)[1:]


def test_a_key_cut_from_deep_nesting_is_still_found() -> None:
    """The id of a damaged event is read."""
    assert parse_event_text('{"event_id":"e1","x":' + "[" * 600 + "]" * 600 + "}").top[
        "event_id"
    ] == ("e1")
