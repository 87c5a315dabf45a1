"""One sender at a time, and what happens when it dies."""

from typing import Any, Literal

import attrs
import pytest

from eventsync_core.census import Class
from eventsync_core.dispatch import Drain, Report, drain
from eventsync_core.ledger import Holder, Lease, MemoryLedger, Opening
from eventsync_core.receivers import Script, StubReceiver
from eventsync_core.targets import Limits
from eventsync_core.testing import (
    HOLDER,
    CrashingStores,
    make_envelope,
    run_until_crash,
)
from tests.core.dispatch.conftest import World


def _counts(report: Report) -> dict[str, int]:
    return {word: count for word, count in report.counts().items() if count}


def test_a_busy_stream_is_left_alone(world: World) -> None:
    """The report says who has it; nothing is sent."""
    world.capture(1)
    other = Holder(pid=42, started_at=1, boot="elsewhere")
    world.stores.leases.acquire(world.target.target_id, "default", other, at=world.clock())

    report = world.drain()

    assert report.stopped_because == "busy"
    assert "42" in report.message
    assert world.sent() == []


def test_the_lease_is_given_back(world: World) -> None:
    """The next drain need not wait."""
    world.capture(1)
    world.drain()
    world.capture_these([make_envelope("next")])

    assert world.drain().is_clean


@pytest.mark.parametrize("is_alive", [True, None])
def test_a_holder_that_may_live_is_waited_for(world: World, is_alive: Any) -> None:
    """Until its lease has run out."""
    world.capture(1)
    world.stores.ledger.boot, world.stores.ledger.is_alive = "boot", lambda _: is_alive
    world.stores.leases.acquire(world.target.target_id, "default", HOLDER, at=world.clock())

    assert world.drain().stopped_because == "busy"
    world.clock.advance(15)
    assert world.drain().is_clean


def test_a_dead_holder_is_replaced_at_once(world: World) -> None:
    """What its open request carried is of unknown effect, and offered first."""
    world.capture(2)
    world.tell(Script(), capacity=Limits(max_events=1))
    dying = CrashingStores(world.stores, 2, "after")
    assert run_until_crash(lambda: world.drain(stores=dying))
    assert world.classes() == {Class.IN_FLIGHT: 1, Class.OWED: 1}
    world.stores.ledger.boot, world.stores.ledger.is_alive = "boot", lambda _: False
    assert world.classes() == {Class.UNKNOWN_EFFECT: 1, Class.OWED: 1}

    report = world.drain()

    assert _counts(report) == {"selected": 2, "delivered": 2}
    assert world.sent() == [["e1"], ["e2"]]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_nothing_is_lost_with_a_process(
    world: World, nth: int, when: Literal["before", "after"]
) -> None:
    """Wherever a drain dies, the target ends up with every event, once."""
    ids = world.capture(4, aggregate_id="a")
    world.tell(Script(), capacity=Limits(max_events=2))
    dying = CrashingStores(world.stores, nth, when)
    assert run_until_crash(lambda: world.drain(stores=dying))
    world.clock.advance(16)

    report = world.drain()

    assert report.stopped_because == "caught_up"
    assert world.classes() == {Class.DELIVERED: 4}
    assert list(world.receiver.received) == ids


def test_an_interrupted_drain_is_not_failed(world: World) -> None:
    """What was under way is of unknown effect; the lease is free at once."""

    @attrs.define
    class Impatient(StubReceiver):
        def deliver(self, batch: Any) -> Any:
            raise KeyboardInterrupt

    world.capture(3)
    patient, world.receiver = world.receiver, Impatient(world.target.target_id)

    report = world.drain()
    assert (report.stopped_because, _counts(report)) == (
        "interrupted",
        {"selected": 3, "unknown_effect": 3},
    )
    assert world.classes() == {Class.UNKNOWN_EFFECT: 3}

    world.receiver = patient
    assert world.drain().is_clean


def test_a_lease_lasts_through_a_long_drain(world: World) -> None:
    """It is renewed before every request."""
    world.capture(4)
    world.tell(Script(), capacity=Limits(max_events=1))
    task = Drain(
        stores=world.stores,
        target=world.target,
        receiver=world.receiver,
        clock=world.clock,
        holder=HOLDER,
        progress=lambda _: world.clock.advance(10),
    )

    assert drain(task, ["default"]).is_clean


def test_an_answer_is_kept_when_the_next_round_is_interrupted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its note was undone with the unit of work, and is made again on leaving."""
    world.capture(2)
    world.tell(Script(), capacity=Limits(max_events=1))
    open_request, opened = MemoryLedger.open_request, []

    def impatient(self: MemoryLedger, lease: Lease, opening: Opening, *, at: int) -> int | None:
        opened.append(at)
        if len(opened) == 2:
            raise KeyboardInterrupt
        return open_request(self, lease, opening, at=at)

    monkeypatch.setattr(MemoryLedger, "open_request", impatient)

    report = world.drain()

    assert (report.stopped_because, _counts(report)) == (
        "interrupted",
        {"selected": 1, "delivered": 1},
    )
    assert world.classes() == {Class.DELIVERED: 1, Class.OWED: 1}
