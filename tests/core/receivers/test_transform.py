"""What a host makes of an event on its way out, and nothing else."""

import json
from hashlib import sha256
from typing import Any

import pytest

from eventsync_core.errors import UnsendableEventError
from eventsync_core.receivers import Batch, StubReceiver, transformed
from eventsync_core.testing import make_batch, make_event, make_events


def without_payload(envelope: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in envelope.items() if key != "payload"}


def batch_of(*texts: str) -> Batch:
    batch = make_batch("t", *make_events(len(texts)))
    return Batch(batch.permit, batch.event_ids, texts)


def test_without_a_transform_a_batch_is_itself() -> None:
    """Off by default; no text is parsed or written anew."""
    batch = make_batch("t", *make_events(3))

    assert transformed(batch, None) is batch


def test_each_event_is_what_the_host_made_of_it() -> None:
    """Body and digest are of what is sent; the batch that was handed in stays as it was."""
    batch = make_batch("t", make_event("e1", payload={"a": 1}, n=1), make_event("e2"))
    before = batch.body

    made = transformed(batch, without_payload)

    assert made.texts == ('{"event_id":"e1","n":1}', '{"event_id":"e2"}')
    assert made.body == b'{"events":[{"event_id":"e1","n":1},{"event_id":"e2"}]}'
    assert made.digest == sha256(made.body).digest() != batch.digest
    assert batch.body == before


def test_an_envelope_that_is_changed_in_place_is_taken() -> None:
    """Each call gets an envelope of its own."""

    def mark(envelope: dict[str, Any]) -> dict[str, Any]:
        envelope["marked"] = True
        return envelope

    made = transformed(make_batch("t", *make_events(2)), mark)

    assert [json.loads(text)["marked"] for text in made.texts] == [True, True]


def test_what_is_local_stays_here() -> None:
    """Also when the host adds it."""
    made = transformed(make_batch("t", make_event()), lambda e: {**e, "drain_blocked_reason": "x"})

    assert made.texts == ('{"event_id":"e1"}',)


def _refuse(_: dict[str, Any]) -> dict[str, Any]:
    raise LookupError("s3cret")


@pytest.mark.parametrize(
    ("transform", "reason"),
    [
        (_refuse, "wire_transform raised LookupError"),
        (lambda _: None, "wire_transform returned no mapping"),
        (lambda _: ["event_id"], "wire_transform returned no mapping"),
        (lambda _: {}, "wire_transform changed the event_id"),
        (lambda e: {**e, "event_id": "e3"}, "wire_transform changed the event_id"),
        (lambda e: {**e, "n": {1, 2}}, "wire_transform returned what is no JSON"),
        (lambda e: {**e, "n": float("nan")}, "wire_transform returned what is no JSON"),
        (lambda e: e.__setitem__("self", e) or e, "wire_transform returned what is no JSON"),
    ],
)
def test_one_event_that_cannot_be_sent_is_named(transform: Any, reason: str) -> None:
    """With its place and a reason that quotes neither the event nor the host."""

    def only_second(envelope: dict[str, Any]) -> Any:
        return transform(envelope) if envelope["event_id"] == "e2" else envelope

    batch = make_batch("t", *make_events(3))

    with pytest.raises(UnsendableEventError) as caught:
        transformed(batch, only_second)

    error = caught.value
    assert (error.index, error.event_id, error.reason) == (1, "e2", reason)
    assert "s3cret" not in error.message


def test_an_event_that_python_cannot_read_is_named() -> None:
    """A number of 5,000 digits is fine to send as it is, but not to be handed to a host."""
    batch = batch_of('{"event_id":"e1","n":' + "9" * 5_000 + "}")

    with pytest.raises(UnsendableEventError, match="Python cannot read"):
        transformed(batch, without_payload)


def test_the_stub_keeps_what_was_made() -> None:
    """Packed or not; an event that cannot be sent reaches nobody."""
    stub = StubReceiver("t", wire_transform=without_payload)
    batch = make_batch("t", make_event("e1", payload=1))

    stub.deliver(batch)
    stub.deliver(stub.pack(batch))
    stub.wire_transform = _refuse
    with pytest.raises(UnsendableEventError):
        stub.deliver(make_batch("t", make_event("e2")))

    assert stub.received == {"e1": '{"event_id":"e1"}'}
    assert stub.requests == [("e1",), ("e1",)]
