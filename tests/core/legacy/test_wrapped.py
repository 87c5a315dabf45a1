"""Envelopes inside a document of a project store."""

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsync_core.legacy import Unwrapped, unwrap

_EVENT = b'{"event_id": "e1"}'
_PACKED = b64encode(_EVENT).decode()
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just(_PACKED),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.binary() | _VALUES.map(lambda value: json.dumps(value).encode()))
def test_nothing_is_invented(raw: bytes) -> None:
    """What comes out is all of it, or an event that stands in it in base64."""
    found = unwrap(raw)

    assert found.raw == raw or (b64encode(found.raw) in raw and not found.damage)


@given(st.dictionaries(st.text(), _VALUES, max_size=4), _VALUES)
def test_an_envelope_is_returned_as_it_is(payload: dict[str, Any], other: Any) -> None:
    """Whatever its payload holds."""
    raw = json.dumps({"event_id": "e2", "payload": payload, "other": other}).encode()

    assert unwrap(raw) == Unwrapped(raw)


@pytest.mark.parametrize(
    "payload",
    [
        "hello",
        _PACKED,
        None,
        {"encoding": "base64", "content": "aGVsbG8="},
        {"base64_enabled": True},
        {"encoding": "base64", "content": _PACKED},
    ],
)
def test_an_event_with_a_type_is_the_envelope(payload: Any) -> None:
    """Base64 in it is its own matter."""
    raw = json.dumps({"event_id": "e2", "event_type": "T", "payload": payload}).encode()

    assert unwrap(raw) == Unwrapped(raw)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"event_id": "e1", "payload": _PACKED}, Unwrapped(_EVENT, "e1")),
        ({"event_id": 1, "payload": _PACKED}, Unwrapped(_EVENT)),
        ({"payload": _PACKED, "again": _PACKED}, Unwrapped(_EVENT)),
        ({"entry": {"encoding": "BASE64", "data": _PACKED}}, Unwrapped(_EVENT)),
        (_PACKED, Unwrapped(_EVENT)),
        ({"payload": b64encode(b"\n  " + _EVENT).decode()}, Unwrapped(b"\n  " + _EVENT)),
    ],
)
def test_documents_that_hold_one(document: Any, expected: Unwrapped) -> None:
    """It comes out with the id that stands beside it."""
    assert unwrap(json.dumps(document).encode()) == expected


@pytest.mark.parametrize(
    "document",
    [
        {"event_id": "e1", "payload": "bm9uc2Vuc2U="},
        {"entry_id": "e1", "payload": {"encoding": "base64", "data": "bm9uc2Vuc2U="}},
        {"payload_b64": 7},
        {"payload": _PACKED, "more": b64encode(b'{"event_id": "e2"}').decode()},
    ],
)
def test_documents_that_should_hold_one(document: Any) -> None:
    """Are damaged, and stand there whole."""
    raw = json.dumps(document).encode()
    found = unwrap(raw)

    assert (found.raw, bool(found.damage)) == (raw, True)
