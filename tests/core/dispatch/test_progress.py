"""A drain makes progress, whatever stands in its way, and keeps what it knows."""

from typing import Any

import attrs
import pytest

from eventsync_adapters.alongside import alongside
from eventsync_core.census import Class
from eventsync_core.clock import DAY, SECOND
from eventsync_core.desk import Order, Selection, reopen
from eventsync_core.errors import StoreBusyError
from eventsync_core.ledger import Act, Lease, MemoryLedger, Opening
from eventsync_core.receivers import Batch, Outcome, RequestRule, Script, StubReceiver, Verdict
from eventsync_core.stores import MemoryStores
from eventsync_core.targets import Limits
from eventsync_core.testing import HOLDER, make_envelope
from tests.core.dispatch.conftest import World


def _reopen(world: World, act: Act, *types: str) -> None:
    selection = Selection(outcomes=frozenset(Outcome), types=frozenset(types))
    order = Order(act=act, target_id=world.target.target_id, selection=selection, actor="me")
    reopen(world.stores, order, ["default"], clock=world.clock, holder=HOLDER)


def test_what_was_replayed_in_parts_goes_at_once(world: World) -> None:
    """An aggregate whose later event is due before its earlier ones, in order, in one drain."""
    texts = [
        make_envelope(f"e{n}", aggregate_id="a", event_type="X" if n == 5 else "Y")
        for n in range(1, 11)
    ]
    world.capture_these(texts)
    world.drain()
    world.sent()
    _reopen(world, Act.DELIVERED_BEFORE, "X")
    _reopen(world, Act.DELIVERED_BEFORE, "Y")

    report = world.drain()

    assert (report.remaining_owed, report.counts()["duplicate"]) == (0, 10)
    assert world.sent() == [[f"e{n}" for n in range(1, 11)]]


def test_releases_around_a_fault_go_at_once(world: World) -> None:
    """Nobody who was let wait becomes due earlier than it was."""
    world.capture(20, aggregate_id="a")
    others = [1, *range(3, 21)]
    world.stores.holds.hold("default", others, reason="", actor="me", at=world.clock())
    world.tell(Script(requests=[RequestRule(status=503)]))
    world.drain()
    world.clock.advance(60)
    world.stores.holds.release("default", others, actor="me", at=world.clock())

    assert world.drain().remaining_owed == 0
    assert list(world.receiver.received) == [f"e{n}" for n in range(1, 21)]


def test_a_clock_that_was_ahead_holds_nothing_up(world: World) -> None:
    """What was answered in the future goes as soon as the clock is right."""
    world.capture(3, aggregate_id="a")
    now = world.clock.now
    world.clock.now += 365 * DAY
    world.tell(Script(requests=[RequestRule(status=503)]))
    world.drain()
    world.clock.now = now + 10 * SECOND

    assert world.drain().remaining_owed == 0
    assert world.classes() == {Class.DELIVERED: 3}


@attrs.define
class _Breaking(StubReceiver):
    """Cannot pack the event `e3`."""

    def pack(self, batch: Batch) -> Batch:
        """See `DeliveryReceiver.pack`."""
        if "e3" in batch.event_ids:
            raise RuntimeError("no such field")
        return batch


@pytest.mark.parametrize("way", [None, alongside])
def test_a_fault_of_the_host_takes_no_answer_away(world: World, way: Any) -> None:
    """It is raised once the answer to what was on its way is noted."""
    world.receiver = _Breaking(world.target.target_id, capacity=Limits(max_events=2))
    world.alongside = way
    world.capture(4)

    with pytest.raises(RuntimeError, match="no such field"):
        world.drain()

    assert world.classes() == {Class.DELIVERED: 2, Class.OWED: 2}


@attrs.define
class _Watchful(StubReceiver):
    """Notes whether a unit of work is open while it is asked for anything."""

    stores: Any = None
    inside: list[str] = attrs.field(factory=list)

    def pack(self, batch: Batch) -> Batch:
        """See `DeliveryReceiver.pack`."""
        self._look("pack")
        return batch

    def closed_gates(self) -> tuple[()]:
        """See `DeliveryReceiver.closed_gates`."""
        self._look("closed_gates")
        return ()

    def deliver(self, batch: Batch) -> Verdict:
        """See `DeliveryReceiver.deliver`."""
        self._look("deliver")
        return super().deliver(batch)

    def _look(self, what: str) -> None:
        if self.stores.depth:
            self.inside.append(what)


class _Counting(MemoryStores):
    """Tells how many units of work are open."""

    depth = 0

    def atomic(self) -> Any:
        """See `Stores.atomic`."""
        return _Unit(self, super().atomic())


@attrs.define
class _Unit:
    stores: _Counting
    unit: Any

    def __enter__(self) -> None:
        self.stores.depth += 1
        self.unit.__enter__()

    def __exit__(self, *error: Any) -> Any:
        self.stores.depth -= 1
        return self.unit.__exit__(*error)


def test_nothing_of_the_host_runs_inside_a_unit_of_work() -> None:
    """Its transformation may be slow, its gates may read files: nobody waits for them."""
    stores = _Counting()
    world = World(stores=stores)
    world.receiver = _Watchful(world.target.target_id, capacity=Limits(max_events=2), stores=stores)
    world.capture(6)
    world.tell(Script(events={"e1": {"status": "rejected"}}, poison=frozenset({"e3"})))

    world.drain()
    world.clock.advance(2)
    world.drain()

    assert world.receiver.inside == []
    assert len(world.receiver.received) == 4


@attrs.define
class _Slow(StubReceiver):
    """Takes longer to pack than a lease lasts, while another drain comes by."""

    world: Any = None

    def pack(self, batch: Batch) -> Batch:
        """See `DeliveryReceiver.pack`."""
        world, self.world = self.world, None
        if world is not None:
            world.clock.advance(20)
            world.receiver = StubReceiver(self.target_id, received=self.received)
            assert world.drain().counts()["delivered"] == 2
        return batch


def test_a_slow_host_does_not_send_what_another_drain_sent(world: World) -> None:
    """Its lease has run out meanwhile: it says so, and sends nothing."""
    slow = world.receiver = _Slow(world.target.target_id, world=world)
    world.capture(2)

    report = world.drain()

    assert (report.stopped_because, report.requests) == ("busy", 0)
    assert slow.requests == []


def test_one_event_too_large_does_not_make_all_batches_small(world: World) -> None:
    """Once it is found, what follows goes in full batches again."""
    texts = [make_envelope(f"e{n}") for n in range(1, 65)]
    texts[20] = make_envelope("e21", filler="x" * 5_000)
    world.capture_these(texts)
    world.tell(Script(max_bytes=4_000))
    world.receiver.capacity = Limits(max_events=32)

    @attrs.define
    class Silent(StubReceiver):
        """Names no limit."""

        def deliver(self, batch: Batch) -> Verdict:
            return attrs.evolve(super().deliver(batch), limits=None)

    world.receiver = Silent(
        world.target.target_id, script=world.receiver.script, capacity=Limits(max_events=32)
    )

    report = world.drain()

    assert report.counts()["terminal_failed"] == 1
    assert [len(ids) for ids in world.sent()][-1] == 32


def test_a_grant_that_is_widened_on_the_way_is_no_reason_to_stop(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leave is asked for again and the batch goes; what became deliverable goes next time."""
    world.capture(4)
    world.grant()
    world.stores.grants.revoke(
        world.target.target_id, "default", actor="me", reason="test", at=world.clock()
    )
    world.grant(from_position=2)
    world.tell(Script(), capacity=Limits(max_events=1))
    open_request, opened = MemoryLedger.open_request, []

    def widening(self: MemoryLedger, lease: Lease, opening: Opening, *, at: int) -> int | None:
        opened.append(at)
        found = open_request(self, lease, opening, at=at)
        if len(opened) == 1:
            world.grant()
        return found

    monkeypatch.setattr(MemoryLedger, "open_request", widening)

    report = world.drain()

    assert (report.stopped_because, report.counts()["delivered"]) == ("caught_up", 2)
    assert world.drain().counts()["delivered"] == 2


def test_a_store_that_fails_right_before_a_request_leaves_no_doubt(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing left: what the request would have carried is not of unknown effect."""
    world.capture(2)
    grants = world.stores.grants
    asked: list[str] = []
    get = type(grants).get

    def failing(self: Any, target_id: str, stream: str) -> Any:
        if world.stores.ledger.open_request_id(target_id, stream) and not asked:
            asked.append(stream)
            raise StoreBusyError("somebody writes")
        return get(self, target_id, stream)

    monkeypatch.setattr(type(grants), "get", failing)

    with pytest.raises(StoreBusyError):
        world.drain()

    assert world.sent() == []
    assert world.classes() == {Class.OWED: 2}


@attrs.define
class _Meanwhile(StubReceiver):
    """Lets something happen while its nth batch is packed."""

    nth: int = 1
    happens: Any = None
    packed: int = 0

    def pack(self, batch: Batch) -> Batch:
        """See `DeliveryReceiver.pack`."""
        self.packed += 1
        if self.packed == self.nth:
            self.happens()
        return batch


def test_what_was_offered_is_counted_whenever_the_drain_ends(world: World) -> None:
    """The pieces of a refused batch are transient, also the one that was being packed."""
    world.capture(10)
    target_id = world.target.target_id
    world.receiver = _Meanwhile(
        target_id,
        script=Script(requests=[RequestRule(status=413)]),
        nth=2,
        happens=lambda: world.stores.targets.pause(target_id, "maintenance"),
    )

    report = world.drain()

    assert (report.stopped_because, report.requests) == ("paused", 1)
    assert (report.selected, report.counts()["transient"]) == (10, 10)


def test_what_was_never_offered_is_not_counted(world: World) -> None:
    """An event that is held while its batch is packed is left out, and nothing is wrong."""
    world.capture(3)
    holds = world.stores.holds
    world.receiver = _Meanwhile(
        world.target.target_id,
        happens=lambda: holds.hold("default", [2], reason="", actor="me", at=world.clock()),
    )

    report = world.drain()

    assert world.sent() == [["e1", "e3"]]
    assert (report.selected, report.is_clean) == (2, True)
