"""The next batch is made ready while one is on its way, and nothing else changes."""

import threading
from collections.abc import Callable

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsync_adapters.alongside import alongside
from eventsync_core.dispatch import Alongside, Budget
from eventsync_core.receivers import Batch, RequestRule, Script, StubReceiver, Verdict
from eventsync_core.targets import Limits
from eventsync_core.testing import make_envelope
from tests.core.dispatch.conftest import World
from tests.effort import examples

_TWO = Limits(max_events=2)


def _first(call: Callable[[], Verdict]) -> Callable[[], Verdict]:
    """Let the answer be there before anything is made ready."""
    verdict = call()
    return lambda: verdict


def _last(call: Callable[[], Verdict]) -> Callable[[], Verdict]:
    """Let everything be made ready before the request leaves."""
    return call


_WAYS: dict[str, Alongside] = {"first": _first, "last": _last, "thread": alongside}


@pytest.fixture(params=sorted(_WAYS))
def piped(request: pytest.FixtureRequest, world: World) -> World:
    """Return a world whose drains make ready ahead, two events to a batch."""
    world.alongside = _WAYS[request.param]
    world.tell(Script(), capacity=_TWO)
    return world


def test_everything_is_delivered_once_and_in_order(piped: World) -> None:
    """As many requests as without it."""
    ids = piped.capture(7)

    report = piped.drain()

    assert piped.sent() == [ids[0:2], ids[2:4], ids[4:6], ids[6:7]]
    assert report.counts()["delivered"] == 7
    assert report.stopped_because == "caught_up"
    assert piped.drain().requests == 0


def test_what_waits_behind_an_unanswered_event_is_not_sent(piped: World) -> None:
    """Even if it was made ready before the answer was there."""
    piped.capture_these(
        [
            make_envelope("e1"),
            make_envelope("e2", aggregate_id="a"),
            make_envelope("e3", aggregate_id="a"),
            make_envelope("e4"),
        ]
    )
    piped.tell(Script(events={"e2": {"status": "perhaps"}}))

    piped.drain()

    assert piped.sent() == [["e1", "e2"], ["e4"]]


def test_the_pieces_of_a_refused_batch_go_first(piped: World) -> None:
    """What was made ready waits until the cut ones are through."""
    piped.capture(4)
    piped.tell(Script(poison=frozenset({"e1"})))

    piped.drain()

    assert piped.sent() == [["e1", "e2"], ["e1"], ["e2"], ["e3", "e4"]]


def test_a_revocation_on_the_way_stops_what_was_made_ready(world: World) -> None:
    """Nothing leaves after it."""
    world.tell(Script(), capacity=_TWO)
    world.capture(4)

    def revoke_meanwhile(call: Callable[[], Verdict]) -> Callable[[], Verdict]:
        def answer() -> Verdict:
            world.stores.grants.revoke(
                world.target.target_id, "default", actor="me", reason="test", at=world.clock()
            )
            return call()

        return answer

    world.alongside = revoke_meanwhile

    report = world.drain()

    assert world.sent() == [["e1", "e2"]]
    assert report.stopped_because == "no_grant"


def test_a_fault_leaves_what_was_made_ready_untouched(piped: World) -> None:
    """It was never offered, and is the first to go after what failed."""
    piped.capture(4)
    piped.tell(Script(requests=[RequestRule(status=503)]))

    assert piped.drain().stopped_because == "target_backoff"
    assert piped.sent() == [["e1", "e2"]]
    assert piped.stores.ledger.entry(piped.target.target_id, "default", 3) is None
    piped.clock.advance(3600)
    piped.drain()
    assert piped.sent() == [["e1", "e2"], ["e3", "e4"]]


@pytest.mark.parametrize("budget", [Budget(events=2), Budget(requests=1)])
def test_a_budget_bounds_it(piped: World, budget: Budget) -> None:
    """Nothing is sent beyond it."""
    piped.capture(6)

    assert piped.drain(budget=budget).selected == 2
    assert len(piped.sent()) == 1


@attrs.define
class _Patient(StubReceiver):
    """Answers a request only after the next batch was packed."""

    packed: int = 0
    is_ready: threading.Event = attrs.field(factory=threading.Event)

    def pack(self, batch: Batch) -> Batch:
        """See `DeliveryReceiver.pack`."""
        self.packed += 1
        if self.packed == 2:
            self.is_ready.set()
        return batch

    def deliver(self, batch: Batch) -> Verdict:
        """See `DeliveryReceiver.deliver`."""
        assert self.is_ready.wait(timeout=30), "nothing was packed while a request was on its way"
        return super().deliver(batch)


def test_the_next_batch_is_packed_while_one_is_on_its_way(world: World) -> None:
    """The first request is answered only after the second batch was packed."""
    world.receiver = _Patient(world.target.target_id, capacity=_TWO)
    world.alongside = alongside
    ids = world.capture(4)

    world.drain()

    assert world.sent() == [ids[:2], ids[2:]]


@settings(max_examples=examples(80), deadline=None)
@given(st.data(), st.integers(1, 30), st.sampled_from(sorted(_WAYS)))
def test_it_changes_no_outcome(data: st.DataObject, count: int, way: str) -> None:
    """Whatever is answered, requests, outcomes and ledger are those of a plain drain."""
    names = st.sampled_from(("a", "b", "c", None))
    texts = [
        make_envelope(f"e{n}", **({"aggregate_id": name} if name else {}))
        for n in range(1, count + 1)
        for name in (data.draw(names),)
    ]
    words = st.sampled_from(("success", "duplicate", "pending", "rejected", "perhaps"))
    ids = [f"e{n}" for n in range(1, count + 1)]
    told = data.draw(st.dictionaries(st.sampled_from(ids), words, max_size=5))
    statuses = st.sampled_from((200, 200, 200, 400, 413, 503, 412))
    rules = data.draw(st.lists(statuses, max_size=6))
    size = data.draw(st.integers(1, 7))
    found = []
    for mode in (None, _WAYS[way]):
        world = World(alongside=mode)
        world.capture_these(texts)
        script = Script(
            requests=[RequestRule(status=status) for status in rules],
            events={event_id: {"status": word} for event_id, word in told.items()},
        )
        world.tell(script, capacity=Limits(max_events=size))
        reports = []
        for _ in range(2):
            reports.append(world.drain().counts())
            world.clock.advance(3600)
        rows = [
            world.stores.ledger.entry(world.target.target_id, "default", position)
            for position in range(1, count + 1)
        ]
        states = [row and (row.outcome, row.attempts, row.rejections) for row in rows]
        found.append((reports, world.sent(), states))
    assert found[0] == found[1]
