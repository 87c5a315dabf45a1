"""The trace that a host was in is kept beside an event, and nowhere in it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsync import Kind, StubReceiver, make_target, open_store
from eventsync_core.traces import is_trace_context
from tests.cli.conftest import Run, home, run

__all__ = ["home", "run"]

ONE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-00"


def test_it_is_kept_and_shown(run: Run, home: Path) -> None:
    """Of the first capture; the event is byte for byte what it was."""
    text = '{"event_id": "e1",  "n": 1.50}'
    with open_store(home) as store:
        first = store.capture(text, traceparent=ONE)
        again = store.capture(text, traceparent=OTHER)
        store.capture_many(['{"event_id": "e2"}', '{"event_id": "e3"}'], traceparent=OTHER)
        store.capture('{"event_id": "e4"}')

    assert (first.state, first.durable, again.state) == ("stored", True, "duplicate")
    found = [run("journal", "show", f"e{n}", "--json").document for n in range(1, 5)]
    assert [each["traceparent"] for each in found] == [ONE, OTHER, OTHER, None]
    assert found[0]["text"] == text
    assert f"traceparent {ONE}" in run("journal", "show", "e1").out


def test_it_does_not_travel() -> None:
    """What is sent is what was captured."""
    target = make_target(Kind.EXTERNAL, "https://a.example/in")
    receiver = StubReceiver(target.target_id)
    with open_store(None) as store:
        store.capture('{"event_id": "e1"}', traceparent=ONE)
        store.grant(target, actor="me")
        assert store.drain(target, receiver).counts()["delivered"] == 1

    assert ONE not in repr(receiver.requests)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "none",
        ONE.upper(),
        f"{ONE} ",
        f"{ONE}\n",
        ONE.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32),
        ONE.replace("b7ad6b7169203331", "0" * 16),
        f"ff{ONE[2:]}",
    ],
)
def test_what_is_no_trace_context_is_left_out(said: str) -> None:
    """And never keeps an event from being stored."""
    with open_store(None) as store:
        assert store.capture('{"event_id": "e1"}', traceparent=said).state == "stored"
        assert store.stores.traces.of("default", 1) is None


@given(st.text(max_size=60) | st.just(ONE))
def test_a_trace_context_has_55_characters(text: str) -> None:
    """Hex digits of our alphabet, in four groups."""
    if is_trace_context(text):
        assert [len(each) for each in text.split("-")] == [2, 32, 16, 2]
        assert set(text) <= set("0123456789abcdef-")
