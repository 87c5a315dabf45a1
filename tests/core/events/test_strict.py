"""What is an envelope of version 3, and what is not."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsync_core.events import strict_envelope
from tests.effort import examples

VALID: dict[str, Any] = {
    "event_id": "01JMBY7K8N3QRVX2DPFG5HWT4E",
    "event_type": "WPStatusChanged",
    "aggregate_id": "WP01",
    "aggregate_type": "WorkPackage",
    "schema_version": "3.0.0",
    "build_id": "dd2fffd4-15d5-42ea-8b89-c9c6e6a908ab",
    "payload": {"wp_id": "WP01", "from_lane": "planned", "actor": "a", "work_package_id": "WP01"},
    "node_id": "2a1ce6d9424a",
    "lamport_clock": 80,
    "causation_id": None,
    "correlation_id": "01JMBY7K8N3QRVX2DPFG5HWT4E",
    "timestamp": "2026-07-08T15:06:44.422782+00:00",
    "team_slug": None,
    "project_uuid": "4f966d18-69e0-49e2-905a-d923c98d5eb2",
    "drain_blocked_reason": "missing_auth",
}
REQUIRED = (
    "event_id",
    "event_type",
    "aggregate_id",
    "timestamp",
    "build_id",
    "node_id",
    "project_uuid",
    "correlation_id",
)
SECRET = "5ecret"


def without(key: str) -> dict[str, Any]:
    """Return a valid envelope but for *key*."""
    return {name: value for name, value in VALID.items() if name != key}


def test_what_an_emitter_writes_is_valid() -> None:
    """With its own local key, and keys that nobody asks for."""
    assert strict_envelope(VALID) is None


@pytest.mark.parametrize("key", REQUIRED)
def test_what_is_required_must_be_there(key: str) -> None:
    """Absent and null are missing; blank text and what is no text is not enough."""
    assert strict_envelope(without(key)) == f"{key} is missing"
    assert strict_envelope({**VALID, key: None}) == f"{key} is missing"
    values: tuple[object, ...] = ("", " \t", 7, True, [], {})
    for value in values:
        assert strict_envelope({**VALID, key: value}) == f"{key} is no text"


@pytest.mark.parametrize("key", sorted(VALID.keys() - {*REQUIRED, "event_id"}))
def test_nothing_else_is_required(key: str) -> None:
    """An emitter may leave it out."""
    assert strict_envelope(without(key)) is None


@pytest.mark.parametrize("key", ["event_id", "correlation_id", "causation_id"])
@pytest.mark.parametrize(
    ("value", "is_right"),
    [
        ("7ZZZZZZZZZZZZZZZZZZZZZZZZZ", True),
        ("8ZZZZZZZZZZZZZZZZZZZZZZZZZ", False),
        ("A1JMBY7K8N3QRVX2DPFG5HWT4E", False),
        ("01jmby7k8n3qrvx2dpfg5hwt4e", True),
        ("01JMBY7K8N3QRVX2DPFG5HWT4I", False),
        ("01JMBY7K8N3QRVX2DPFG5HWT4U", False),
        ("01JMBY7K8N3QRVX2DPFG5HWT4\u017f", False),
        ("01JMBY7K8N3QRVX2DPFG5HWT4", False),
        ("01JMBY7K8N3QRVX2DPFG5HWT4EE", False),
        ("4f966d18-69e0-49e2-905a-d923c98d5eb2", True),
        ("4F966D18-69E0-49E2-905A-D923C98D5EB2", True),
        ("4f966d1869e049e2905ad923c98d5eb2", True),
        ("4f966d18-69e0-49e2-905ad-923c98d5eb2", False),
        ("4f966d1869e0-49e2-905a-d923c98d5eb2", False),
        ("{f966d18-69e0-49e2-905a-d923c98d5eb}", False),
        ("4g966d1869e049e2905ad923c98d5eb2", False),
        ("--------------------------------", False),
        ("٤f966d1869e049e2905ad923c98d5eb2", False),
        ("e1", False),
    ],
)
def test_ids_have_known_forms(key: str, value: str, *, is_right: bool) -> None:
    """A ULID that 128 bits hold, a UUID, or its 32 digits; in either case."""
    flaw = strict_envelope({**VALID, key: value})

    assert flaw == (None if is_right else f"{key} is neither a ULID nor a UUID")


def test_a_project_is_named_by_a_uuid() -> None:
    """A ULID names none."""
    assert strict_envelope({**VALID, "project_uuid": "4f966d1869e049e2905ad923c98d5eb2"}) is None
    assert (
        strict_envelope({**VALID, "project_uuid": VALID["event_id"]}) == "project_uuid is no UUID"
    )


@pytest.mark.parametrize(
    ("value", "is_right"),
    [
        ("2026-07-08T15:06:44Z", True),
        ("2026-07-08 15:06:44.1+02:00", True),
        ("2026-07-08T15:06:44.123456789-0330", True),
        ("2026-07-08T15:06:44", False),
        ("2026-07-08", False),
        ("2026-13-08T15:06:44Z", False),
        ("2026-07-08T25:06:44Z", False),
        ("2026-07-08x15:06:44Z", False),
        ("1783523204", False),
        ("yesterday", False),
        ("2026-07-08T" + "0" * 100_000, False),
    ],
)
def test_a_time_has_an_offset(value: str, *, is_right: bool) -> None:
    """Without one nobody can tell when it was."""
    flaw = strict_envelope({**VALID, "timestamp": value})

    assert flaw == (None if is_right else "timestamp is no ISO 8601 time with an offset")


@pytest.mark.parametrize("value", [-1, 1.0, True, "1", [], 10**30])
def test_a_clock_is_a_whole_number(value: object) -> None:
    """From 0, of any size, or null."""
    flaw = strict_envelope({**VALID, "lamport_clock": value})

    assert flaw == (None if value == 10**30 else "lamport_clock is no whole number from 0")
    for right in (0, None):
        assert strict_envelope({**VALID, "lamport_clock": right}) is None


@pytest.mark.parametrize("value", [None, [], "text", 1])
def test_a_payload_is_an_object(value: object) -> None:
    """An empty one will do."""
    assert strict_envelope({**VALID, "payload": value}) == "payload is no object"
    assert strict_envelope({**VALID, "payload": {}}) is None


@pytest.mark.parametrize(
    "key",
    [
        "from_lane",
        "to_lane",
        "actor",
        "force",
        "reason",
        "review_ref",
        "execution_mode",
        "evidence",
    ],
)
def test_what_belongs_into_the_payload_is_free_there_only(key: str) -> None:
    """At the top it is of an older version, whatever its value."""
    assert strict_envelope({**VALID, key: None}) == f"{key} belongs into the payload"
    assert strict_envelope({**VALID, "payload": {key: "x", "deep": {key: "x"}}}) is None


@pytest.mark.parametrize(
    "key", ["feature_slug", "feature_number", "mission_key", "legacy_aggregate_id"]
)
def test_some_keys_are_nowhere(key: str) -> None:
    """Keys count and values do not; an object in a list is one too."""
    reason = f"the key {key} is of an older version"
    for place in ({key: 1}, {"payload": {key: 1}}, {"payload": {"a": [[{"b": {key: 1}}]]}}):
        assert strict_envelope({**VALID, **place}) == reason
    assert strict_envelope({**VALID, "payload": {"a": [key], "b": key}}) is None


def test_a_feature_is_of_an_older_version() -> None:
    """As what the event is about; as a word elsewhere it is free."""
    flaw = strict_envelope({**VALID, "aggregate_type": "Feature"})

    assert flaw == "aggregate_type Feature is of an older version"
    assert strict_envelope({**VALID, "aggregate_id": "Feature"}) is None


def test_all_flaws_are_named_in_one_line() -> None:
    """So that an emitter is corrected once."""
    flaw = strict_envelope({**without("node_id"), "lamport_clock": -1, "mission_key": "x"})

    assert flaw == (
        "node_id is missing; lamport_clock is no whole number from 0; "
        "the key mission_key is of an older version"
    )


def test_depth_does_not_matter() -> None:
    """It is looked at without recursion."""
    deep: Any = {"feature_slug": 1}
    for _ in range(100_000):
        deep = [deep]

    flaw = strict_envelope({**VALID, "payload": {"deep": deep}})
    while deep:
        deep = deep[0] if isinstance(deep, list) else None

    assert flaw == "the key feature_slug is of an older version"


_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.just(SECRET)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from((*VALID, SECRET)), inner)
    ),
    max_leaves=6,
)


@settings(max_examples=examples(200), deadline=None)
@given(st.dictionaries(st.sampled_from((*VALID, "force", "mission_key", SECRET)), _JSON))
def test_any_object_gets_an_answer_that_quotes_nothing(members: dict[str, Any]) -> None:
    """One line, without values and without keys that are not its own."""
    flaw = strict_envelope({**VALID, **members})

    assert flaw is None or (flaw.isprintable() and SECRET not in flaw)
