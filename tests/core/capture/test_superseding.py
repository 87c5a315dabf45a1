"""Later events supersede earlier ones with their key, when a host says so."""

from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsync_core.capture import CaptureRules, Receipt, capture, capture_many
from eventsync_core.census import Class
from eventsync_core.dispatch import Drain, Report, drain
from eventsync_core.events import KeyRules
from eventsync_core.ledger import Link, Opening
from eventsync_core.receivers import RequestRule, Script, StubReceiver
from eventsync_core.stores import MemoryStores
from eventsync_core.targets import Limits, Target
from eventsync_core.testing import (
    EPOCH,
    HOLDER,
    CrashingStores,
    ManualClock,
    envelopes,
    make_envelope,
    make_stub_target,
    run_until_crash,
)
from tests.effort import examples

KEYS: KeyRules = {"T": (("about",),), "U": (("about",),)}
RULES = CaptureRules(keys=KEYS)


@attrs.define
class World:
    """One store and two granted targets."""

    stores: MemoryStores = attrs.field(factory=MemoryStores)
    clock: ManualClock = attrs.field(factory=ManualClock)
    receivers: dict[str, StubReceiver] = attrs.field(factory=dict)

    def target(self, name: str) -> Target:
        """Return the target of that name, granted everything."""
        target = make_stub_target(name)
        if target.target_id not in self.receivers:
            self.receivers[target.target_id] = StubReceiver(target.target_id)
            self.stores.targets.register(target, at=self.clock())
            self.stores.grants.grant(
                target.target_id, "default", from_position=0, actor="me", reason="", at=EPOCH
            )
        return target

    def capture(self, event_id: str, about: str | None = "x", **members: object) -> Receipt:
        """Capture one event about something."""
        found = {"event_type": "T", **members} | ({} if about is None else {"about": about})
        return capture(
            self.stores,
            make_envelope(event_id, **found),
            at=self.clock(),
            rules=RULES,
        )

    def drain(self, name: str = "one", script: Script | None = None) -> Report:
        """Drain to the target of that name."""
        target = self.target(name)
        receiver = self.receivers[target.target_id]
        receiver.script = script or Script()
        task = Drain(
            stores=self.stores,
            target=target,
            receiver=receiver,
            clock=self.clock,
            holder=HOLDER,
        )
        return drain(task, ["default"])

    def got(self, name: str = "one") -> list[str]:
        """Return the ids that the target holds."""
        return list(self.receivers[make_stub_target(name).target_id].received)

    def links(self) -> dict[int, int]:
        """Return which positions are superseded, and by which."""
        found = self.stores.superseding.superseded("default", range(1, 20))
        return {position: link.by for position, link in found.items()}

    def classes(self, name: str = "one") -> dict[Class, int]:
        """Return the classes that hold anything."""
        target_id = self.target(name).target_id
        tally = self.stores.backlog.tally(target_id, "default", at=self.clock())
        assert tally.is_coherent
        return {each: count for each, count in tally.classes().items() if count}


@pytest.fixture
def world() -> World:
    """Return an empty store."""
    return World()


def test_without_keys_nothing_is_superseded(world: World) -> None:
    """Superseding means that an event is not delivered: only when somebody says so."""
    for name in ("e1", "e2"):
        text = make_envelope(name, event_type="T", about="x")
        assert capture(world.stores, text, at=EPOCH).superseded == 0
    world.drain()

    assert world.capture("e3").superseded == 0
    assert world.got() == ["e1", "e2"]


@pytest.mark.requirement("C1")
def test_events_without_a_key_are_never_merged(world: World) -> None:
    """A missing part, or a type that has no rule."""
    world.capture("e1", None)
    world.capture("e2", None)
    world.capture("e3", event_type="V")
    world.capture("e4", event_type="V")

    world.drain()

    assert world.got() == ["e1", "e2", "e3", "e4"]


@pytest.mark.requirement("C2")
def test_of_two_undelivered_only_the_latest_is_offered(world: World) -> None:
    """And each id's fate is known."""
    first, second = world.capture("e1"), world.capture("e2")

    world.drain()

    assert (first.superseded, second.superseded) == (0, 1)
    assert world.got() == ["e2"]
    assert world.classes() == {Class.DELIVERED: 1, Class.SUPERSEDED: 1}
    link = Link(1, 2, EPOCH + 2)
    assert world.stores.superseding.superseded("default", [1, 2]) == {1: link}
    assert world.stores.superseding.supersedes("default", 2) == [link]
    assert world.stores.journal.find("e1") is not None


@pytest.mark.requirement("C3")
def test_what_was_delivered_anywhere_stays(world: World) -> None:
    """Its bytes are the same, the newcomer is a new row, and other targets get both."""
    world.capture("e1")
    before = world.stores.journal.find("e1")
    world.drain("one")

    receipt = world.capture("e2")

    assert (receipt.position, receipt.superseded) == (2, 0)
    assert world.stores.journal.find("e1") == before
    world.drain("two")
    assert world.got("two") == ["e1", "e2"]
    assert world.links() == {}


@pytest.mark.requirement("C4")
def test_of_delivered_and_undelivered_only_these_are_affected(world: World) -> None:
    """The delivered one is left alone, the other superseded."""
    world.capture("e1")
    world.drain()
    world.capture("e2")

    world.capture("e3")

    assert world.links() == {2: 3}
    world.drain()
    assert world.got() == ["e1", "e3"]


@pytest.mark.requirement("C5")
def test_a_second_delivered_one_is_not_touched_by_a_third(world: World) -> None:
    """Text, digest and chain of all that was delivered stay."""
    for name in ("e1", "e2"):
        world.capture(name)
        world.drain()
    before = world.stores.journal.entries("default")

    world.capture("e3")
    world.drain()

    assert world.stores.journal.entries("default")[:2] == before
    assert (world.links(), world.got()) == ({}, ["e1", "e2", "e3"])


@pytest.mark.requirement("C6")
def test_a_terminal_one_that_nobody_saw_is_superseded(world: World) -> None:
    """Too large for the target: it was never sent, and is still shown as failed there."""
    world.capture("e1", filler="x" * 600_000)
    assert world.drain().counts()["terminal_failed"] == 1

    assert world.capture("e2").superseded == 1
    assert world.classes("one") == {Class.TERMINAL_FAILED: 1, Class.OWED: 1}
    assert world.classes("two") == {Class.SUPERSEDED: 1, Class.OWED: 1}


@pytest.mark.requirement("C7")
@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (Script(events={"e1": {"status": "pending"}}), Class.PENDING),
        (Script(events={"e1": {"status": "rejected", "error": "no"}}), Class.REJECTED),
        (Script(requests=[RequestRule(status=503)]), Class.IN_BACKOFF),
        (Script(requests=[RequestRule(cut="after")]), Class.UNKNOWN_EFFECT),
    ],
)
def test_what_may_have_been_seen_stays(world: World, script: Script, expected: Class) -> None:
    """It was answered, or the target may have taken it."""
    world.capture("e1")
    world.drain(script=script)

    assert world.capture("e2").superseded == 0
    assert world.classes()[expected] == 1
    world.clock.advance(90_000)
    world.drain()
    assert set(world.got()) == {"e1", "e2"}


def test_an_attempt_without_effect_does_not_protect(world: World) -> None:
    """The server refused to look at it."""
    world.capture("e1")
    world.drain(script=Script(requests=[RequestRule(status=401)]))
    assert world.classes() == {Class.IN_BACKOFF: 1}

    assert world.capture("e2").superseded == 1
    world.clock.advance(90_000)
    world.drain()
    assert world.got() == ["e2"]


@pytest.mark.requirement("C7")
def test_what_is_in_flight_stays(world: World) -> None:
    """A capture during the request finds it on its way; both arrive."""
    world.target("one")
    world.capture("e1")

    class Slow(StubReceiver):
        """Something is captured while it reads."""

        def deliver(self, batch: Any) -> Any:
            if not self.received:
                assert world.capture("e2").superseded == 0
            return super().deliver(batch)

    target_id = make_stub_target().target_id
    world.receivers[target_id] = Slow(target_id)
    world.drain()

    assert world.got() == ["e1", "e2"]
    assert world.links() == {}


def test_what_was_cut_from_a_refused_batch_is_looked_at_again(world: World) -> None:
    """A capture between two halves of it supersedes what was not sent yet; it is not offered."""
    target_id = world.target("one").target_id
    for number in range(4):
        world.capture(f"e{number}", str(number))

    class Halving(StubReceiver):
        """Something is captured while it reads the first half."""

        def deliver(self, batch: Any) -> Any:
            if batch.event_ids == ("e0", "e1"):
                assert world.capture("new", "3").superseded == 1
            return super().deliver(batch)

    world.receivers[target_id] = Halving(target_id)
    world.drain(script=Script(requests=[RequestRule(status=413)]))

    assert world.got() == ["e0", "e1", "e2", "new"]
    assert world.classes() == {Class.DELIVERED: 4, Class.SUPERSEDED: 1}


def test_what_was_packed_ahead_is_looked_at_again(world: World) -> None:
    """A capture during a request supersedes what was to go next; it is not offered."""
    target_id = world.target("one").target_id
    for number in range(3):
        world.capture(f"e{number}", str(number))

    class Slow(StubReceiver):
        """Something is captured while it reads the first."""

        def deliver(self, batch: Any) -> Any:
            if batch.event_ids == ("e0",):
                assert world.capture("new", "1").superseded == 1
            return super().deliver(batch)

    world.receivers[target_id] = Slow(target_id, capacity=Limits(max_events=1))
    world.drain()

    assert world.got() == ["e0", "e2", "new"]
    assert world.receivers[target_id].requests == [("e0",), ("e2",), ("new",)]


@pytest.mark.requirement("C7")
def test_a_request_whose_sender_died_protects_what_it_carried(world: World) -> None:
    """Before and after somebody takes over."""
    target_id = world.target("one").target_id
    world.capture("e1")
    lease = world.stores.leases.acquire(target_id, "default", HOLDER, at=world.clock())
    opening = Opening(positions=(1,), body_bytes=1, digest=b"")
    assert world.stores.ledger.open_request(lease, opening, at=world.clock()) is not None  # type: ignore[arg-type]
    world.clock.advance(3_600)

    assert world.capture("e2").superseded == 0
    world.drain()
    assert set(world.got()) == {"e1", "e2"}


@pytest.mark.requirement("C8")
def test_types_have_their_own_keys(world: World) -> None:
    """Two types about the same thing do not supersede one another."""
    world.capture("e1", event_type="T")
    world.capture("e2", event_type="U")

    world.drain()

    assert world.got() == ["e1", "e2"]


def test_streams_have_their_own_keys(world: World) -> None:
    """The same key of another project is another key."""
    world.capture("e1")

    assert world.capture("e2", project_uuid="p").superseded == 0


def test_a_duplicate_or_conflict_supersedes_nothing(world: World) -> None:
    """Nothing new was said."""
    first = make_envelope("e1", event_type="T", about="x")
    world.capture("e2")
    capture(world.stores, first, at=EPOCH)

    results = capture_many(
        world.stores,
        [first, make_envelope("e1", event_type="T", about="x", more=1)],
        at=EPOCH,
        rules=RULES,
    )

    assert getattr(results[0], "state", "") == "duplicate"
    assert world.links() == {}


def test_a_held_event_supersedes_nothing_and_is_not_superseded(world: World) -> None:
    """It has no key: what it says cannot be relied on."""
    world.capture("e1")
    held = '{"event_id":"e2","event_type":"T","about":"x","x":1,"x":2}'

    receipt = capture(world.stores, held, at=EPOCH, rules=RULES)

    assert (receipt.state, receipt.superseded) == ("held", 0)
    world.capture("e3")
    assert world.links() == {1: 3}


def test_several_in_one_call_supersede_one_another(world: World) -> None:
    """Each the one before it; only the last is offered."""
    texts = [make_envelope(f"e{number}", event_type="T", about="x") for number in range(1, 4)]
    world.capture("e0")

    results = capture_many(world.stores, texts, at=EPOCH, rules=RULES)

    assert [getattr(result, "superseded", None) for result in results] == [1, 1, 1]
    assert world.links() == {1: 2, 2: 3, 3: 4}
    world.drain()
    assert world.got() == ["e3"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_event_and_its_links_are_one_unit(world: World, when: Any) -> None:
    """A process that dies leaves both or neither."""
    world.capture("e1")
    text = make_envelope("e2", event_type="T", about="x")

    crashing = CrashingStores(world.stores, 1, when)
    assert run_until_crash(lambda: capture(crashing, text, at=EPOCH, rules=RULES))

    is_stored = when == "after"
    assert (world.stores.journal.find("e2") is not None) == is_stored
    assert world.links() == ({1: 2} if is_stored else {})


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(envelopes(), max_size=8))
def test_many_at_once_supersede_as_many_in_turn(texts: list[str]) -> None:
    """One call links and answers what single calls would."""
    one, other = MemoryStores(), MemoryStores()
    keys: KeyRules = {"Started": (("aggregate_id",),), "Stopped": ()}

    together = capture_many(one, texts, at=EPOCH, rules=CaptureRules(keys=keys))
    in_turn = [
        capture_many(other, [text], at=EPOCH, rules=CaptureRules(keys=keys))[0] for text in texts
    ]

    assert [str(result) for result in in_turn] == [str(result) for result in together]
    for stream in ("default", "p1", "p2"):
        assert other.superseding.superseded(stream, range(9)) == one.superseding.superseded(
            stream, range(9)
        )
