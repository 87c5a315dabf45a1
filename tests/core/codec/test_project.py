"""What leaves the machine: the stored bytes without local-only keys."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsync_core.codec import without_local_keys
from eventsync_core.testing import envelopes, json_texts
from tests.effort import examples

_KEY = '"drain_blocked_reason"'


@pytest.mark.requirement("D6")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a":1}', '{"a":1}'),
        (f'{{{_KEY}:null,"a":1.50}}', '{"a":1.50}'),
        (f'{{"a":1,{_KEY}:"x"}}', '{"a":1}'),
        (f'{{ "a" : 1 ,{_KEY}:{{"b":[1,2]}}, "c":"," }}', '{ "a" : 1 , "c":"," }'),
        (f"{{{_KEY}:1}}", "{}"),
        (f' {{"a":1,{_KEY}:1}}\n', ' {"a":1}\n'),
        ('{"drain\\u005fblocked_reason":1,"a":"\\u00fc"}', '{"a":"\\u00fc"}'),
        (f'{{"a":{{{_KEY}:1}}}}', f'{{"a":{{{_KEY}:1}}}}'),
        (f'{{"a":{_KEY}}}', f'{{"a":{_KEY}}}'),
        (f'{{"":{_KEY},"a":1}}', f'{{"":{_KEY},"a":1}}'),
        ('{"a":"\\u0041"}', '{"a":"\\u0041"}'),
    ],
)
def test_only_the_key_itself_is_cut(text: str, expected: str) -> None:
    """In any spelling, at the top level, as a key; every other byte stays."""
    assert expected == without_local_keys(text)


@settings(max_examples=examples(300), deadline=None)
@given(st.one_of(envelopes(), json_texts().map(lambda value: f'{{"":{value},{_KEY}:{value}}}')))
def test_the_rest_has_the_same_meaning(text: str) -> None:
    """What is left reads like the event without the key."""
    expected = json.loads(text)
    expected.pop("drain_blocked_reason", None)

    assert repr(expected) == repr(json.loads(without_local_keys(text)))


@settings(max_examples=examples(150), deadline=None)
@given(envelopes())
def test_cutting_twice_changes_nothing(text: str) -> None:
    """A text without the key comes back as it is."""
    once = without_local_keys(text)

    assert once == without_local_keys(once)
