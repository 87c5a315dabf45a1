"""A host shapes what a target is sent; what it cannot shape holds nothing up."""

from hashlib import sha256
from typing import Any

from eventsync_core.receivers import Outcome, plain_body
from tests.core.dispatch.conftest import World


def _shape(envelope: dict[str, Any]) -> dict[str, Any]:
    if envelope["event_id"] == "e2":
        raise ValueError
    return {"event_id": envelope["event_id"], "shaped": True}


def test_one_event_that_cannot_be_shaped_is_parked(world: World) -> None:
    """The others arrive as they were shaped; the journal holds what was captured."""
    ids = world.capture(3, payload="private")
    world.receiver.wire_transform = _shape

    report = world.drain()

    assert report.outcomes[Outcome.SUCCESS] == 2
    assert report.outcomes[Outcome.TERMINAL_FAILED] == 1
    assert report.selected == 3
    assert world.receiver.received == {
        each: f'{{"event_id":"{each}","shaped":true}}' for each in ("e1", "e3")
    }
    for event_id in ids:
        found = world.stores.journal.find(event_id)
        assert found is not None
        assert '"payload":"private"' in found.event.text


def test_the_digest_of_a_request_is_that_of_what_was_sent(world: World) -> None:
    """So the history can be held against the other end's record."""
    world.capture(1, payload="private")
    world.receiver.wire_transform = _shape

    world.drain()

    (request,) = world.stores.ledger.requests(world.target.target_id, "default")
    sent = plain_body(list(world.receiver.received.values()))
    assert (request.digest, request.body_bytes) == (sha256(sent).digest(), len(sent))
