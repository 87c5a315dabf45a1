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
    """Whatever its payload holds, as long as that does not say that it is base64."""
    payload = {f"_{number}": value for number, value in enumerate(payload.values())}
    raw = json.dumps({"event_id": "e2", "payload": payload, "other": other}).encode()
    says = any(isinstance(value, str) and "64" in value for value in payload.values())

    assert says or unwrap(raw) == Unwrapped(raw)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"event_id": "e1", "payload": _PACKED}, Unwrapped(_EVENT, "e1")),
        ({"event_id": 1, "payload": _PACKED}, Unwrapped(_EVENT)),
        ({"payload": _PACKED, "again": _PACKED}, Unwrapped(_EVENT)),
        ({"entry": {"encoding": "BASE64", "data": _PACKED}}, Unwrapped(_EVENT)),
        (_PACKED, Unwrapped(_EVENT)),
    ],
)
def test_documents_that_hold_one(document: Any, expected: Unwrapped) -> None:
    """It comes out with the id that stands beside it."""
    assert unwrap(json.dumps(document).encode()) == expected


@pytest.mark.parametrize(
    "document",
    [
        {"event_id": "e1", "payload": "bm9uc2Vuc2U="},
        {"event_id": "e1", "payload": {"encoding": "base64", "data": "bm9uc2Vuc2U="}},
        {"payload_b64": 7},
        {"payload": _PACKED, "more": b64encode(b'{"event_id": "e2"}').decode()},
    ],
)
def test_documents_that_should_hold_one(document: Any) -> None:
    """Are damaged, and stand there whole."""
    raw = json.dumps(document).encode()
    found = unwrap(raw)

    assert (found.raw, bool(found.damage)) == (raw, True)
