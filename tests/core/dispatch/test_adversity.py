"""Pauses, clocks set back, endless refusals and changed grants."""

import pytest

from eventsync_core.census import Class
from eventsync_core.dispatch import Budget, Drain, _dispatch, drain
from eventsync_core.ledger import Lease, MemoryLedger, Opening
from eventsync_core.receivers import Script
from eventsync_core.testing import HOLDER, make_envelope
from tests.core.dispatch.conftest import World


def test_a_paused_stream_holds_up_no_other(world: World) -> None:
    """A project that the server does not take rests; the next stream is drained."""
    world.capture_these([make_envelope("a1", project_uuid="aaa")])
    world.capture_these([make_envelope("b1", project_uuid="bbb")])
    for stream in ("aaa", "bbb"):
        world.grant(stream)
    refusal = {"status": "rejected", "error_category": "project_not_admitted"}
    world.tell(Script(events={"a1": refusal}))

    first = world.drain("aaa", "bbb")
    world.clock.advance(2)
    second = world.drain("aaa", "bbb")

    assert (first.stopped_because, second.stopped_because) == ("paused", "paused")
    assert world.sent() == [["a1"], ["b1"]]


def test_a_clock_set_back_makes_nothing_due_again(world: World) -> None:
    """An event is offered once per drain, whatever the clock says."""
    world.capture(1)
    world.tell(Script(events={"e1": {"status": "rejected"}}))
    times = iter([world.clock.now] * 4 + [world.clock.now - 3_600_000_000] * 100)
    task = Drain(
        stores=world.stores,
        target=world.target,
        receiver=world.receiver,
        clock=lambda: next(times),
        holder=HOLDER,
        budget=Budget(requests=5),
    )

    assert drain(task, ["default"]).requests == 1


def test_cutting_refused_batches_has_a_bound(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that refuses everything whole costs so many requests and no more."""
    monkeypatch.setattr(_dispatch, "MOST_CUTS", 100)
    world.capture(150)
    world.tell(Script(poison=frozenset(f"e{n}" for n in range(151))))

    report = world.drain()

    assert report.stopped_because == "budget"
    assert 100 < report.requests <= 2 * 100 + 1


def test_a_grant_revoked_after_packing_sends_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The grant is read again right before the request; what was packed is still owed."""
    world.capture(2)
    open_request = MemoryLedger.open_request

    def then_revoke(self: MemoryLedger, lease: Lease, opening: Opening, *, at: int) -> int | None:
        opened = open_request(self, lease, opening, at=at)
        world.stores.grants.revoke(
            world.target.target_id, "default", actor="me", reason="test", at=at
        )
        return opened

    monkeypatch.setattr(MemoryLedger, "open_request", then_revoke)

    report = world.drain()

    assert (report.requests, report.stopped_because) == (0, "no_grant")
    assert world.sent() == []
    assert world.classes() == {Class.NOT_GRANTED: 2}
    assert world.stores.ledger.entry(world.target.target_id, "default", 1) is None

    monkeypatch.undo()
    world.grant()
    assert world.drain().is_clean
    assert world.sent() == [["e1", "e2"]]
