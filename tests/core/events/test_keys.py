"""The key by which events supersede one another."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsync_core.events import DOSSIER_KEYS, KeyRules, coalesce_key, read_event
from eventsync_core.testing import make_event

ARTIFACT, SNAPSHOT = DOSSIER_KEYS
RULES: KeyRules = {"T": (("a.x", "b"), ("c",)), "U": (("a.x", "b"), ("c",)), "V": ()}


def key(event_type: str | None = "T", **members: object) -> list[str] | None:
    """Return the parts of the key of an event of that type with *members*."""
    found = coalesce_key(make_event("e1", event_type=event_type, **members), RULES)
    return None if found is None else json.loads(found)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"a": {"x": "1"}, "c": "2"}, ["T", "1", "2"]),
        ({"payload": {"a": {"x": "1"}, "c": "2"}}, ["T", "1", "2"]),
        ({"a": {"x": "1"}, "payload": {"a": {"x": "no"}, "c": "2"}}, ["T", "1", "2"]),
        ({"b": "1", "c": "2"}, ["T", "1", "2"]),
        ({"b": "old", "payload": {"a": {"x": "new"}}, "c": "2"}, ["T", "new", "2"]),
        ({"a": "flat", "b": "1", "c": "2"}, ["T", "1", "2"]),
        ({"a": {"x": None}, "b": "1", "c": "2"}, ["T", "1", "2"]),
        ({"b": "\ud800", "c": "ü"}, ["T", "\ud800", "ü"]),
        ({"b": "1", "c": "2", "n": [10**30, 1.5, -0.0]}, ["T", "1", "2"]),
    ],
)
def test_parts_are_looked_up(members: dict[str, Any], expected: list[str]) -> None:
    """By the first path that leads to text, in the envelope before the payload."""
    assert key(**members) == expected


@pytest.mark.requirement("C1")
@pytest.mark.parametrize(
    "members",
    [
        {},
        {"b": "1"},
        {"b": "1", "c": ""},
        {"b": "1", "c": 2},
        {"b": "1", "c": ["2"]},
        {"b": "1", "c": None},
        {"b": "1", "payload": "c"},
        {"b": "1", "payload": ["c"]},
    ],
)
def test_a_missing_part_is_no_key(members: dict[str, Any]) -> None:
    """Nor is one that is no text."""
    assert key(**members) is None


@pytest.mark.requirement("C1")
def test_only_named_types_have_keys() -> None:
    """A type that no rule names, or none at all; a rule without parts is of the type alone."""
    assert key("W", b="1", c="2") is None
    assert key(None, b="1", c="2") is None
    assert key("V") == ["V"]


def test_a_held_event_has_no_key() -> None:
    """What it says cannot be relied on."""
    event = read_event('{"event_id":"e1","event_type":"T","b":"1","c":"2","c":"3"}')

    assert coalesce_key(event, RULES) is None


def test_numbers_of_any_size_do_no_harm() -> None:
    """Python refuses to read integers above 4,300 digits; a key needs none."""
    text = '{"event_id":"e1","event_type":"T","b":"1","c":"2","n":' + "9" * 5_000 + "}"

    assert coalesce_key(read_event(text), RULES) == '["T","1","2"]'


@pytest.mark.requirement("C8")
def test_types_and_separators_do_not_collide() -> None:
    """Keys that differ by type only, or by where a part ends, are different keys."""
    pairs = [("a|b", "c"), ("a", "b|c"), ('a","b', "c"), ("a", 'b","c'), ("a,b", "c"), ("ab", "c")]
    keys = [
        coalesce_key(make_event("e1", event_type=word, b=one, c=two), RULES)
        for word in ("T", "U")
        for one, two in pairs
    ]

    assert len(set(keys)) == len(keys)


@pytest.mark.requirement("C8")
@given(st.lists(st.tuples(st.sampled_from("TU"), st.text(), st.text()), max_size=6, unique=True))
def test_different_parts_are_different_keys(values: list[tuple[str, str, str]]) -> None:
    """Whatever text they are."""
    keys = [
        coalesce_key(make_event("e1", event_type=word, b=one, c=two), RULES)
        for word, one, two in values
    ]
    found = [each for each in keys if each is not None]

    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("event_type", "payload", "parts"),
    [
        (
            ARTIFACT,
            {
                "namespace": {"project_uuid": "p", "mission_slug": "m"},
                "artifact_id": {"path": "spec.md"},
            },
            ["p", "m", "spec.md"],
        ),
        (
            ARTIFACT,
            {"project_uuid": "p", "mission_slug": "m", "artifact_key": "k"},
            ["p", "m", "k"],
        ),
        (
            ARTIFACT,
            {
                "project_uuid": "p",
                "feature_slug": "m",
                "relative_path": "spec.md",
                "artifact_key": "k",
            },
            ["p", "m", "spec.md"],
        ),
        (SNAPSHOT, {"namespace": {"project_uuid": "p", "mission_slug": "m"}}, ["p", "m"]),
        (SNAPSHOT, {"project_uuid": "p", "feature_slug": "m"}, ["p", "m"]),
    ],
)
def test_dossier_events_of_every_age_have_keys(
    event_type: str, payload: dict[str, Any], parts: list[str]
) -> None:
    """The present shape first, then the older ones."""
    event = make_event("e1", event_type=event_type, payload=payload)

    assert json.loads(coalesce_key(event, DOSSIER_KEYS) or "") == [event_type, *parts]
