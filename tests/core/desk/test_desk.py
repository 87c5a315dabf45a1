"""Retry, replay, hold and release, and what a drain then does."""

import pytest

from eventsync_core.capture import CaptureRules, capture
from eventsync_core.census import Class
from eventsync_core.desk import Account, Order, Selection, hold, preview, release, reopen, settle
from eventsync_core.dispatch import Budget
from eventsync_core.errors import NotGrantedError, UnknownEventError, UnknownTargetError
from eventsync_core.ledger import Act, Lease
from eventsync_core.receivers import Outcome, Script
from eventsync_core.targets import Deployment, Health, Limits
from eventsync_core.testing import (
    HOLDER,
    CrashingStores,
    make_envelope,
    make_stub_target,
    run_until_crash,
)
from tests.core.dispatch.conftest import World

_STUCK = frozenset({Outcome.TERMINAL_FAILED, Outcome.REJECTED})
_DELIVERED = frozenset({Outcome.SUCCESS, Outcome.DUPLICATE})
_TINY = Limits(max_bytes=40)


@pytest.fixture
def world() -> World:
    return World()


def _order(world: World, act: Act, **asked: object) -> Order:
    outcomes = _STUCK if act is Act.RETRIED else _DELIVERED
    asked = {"outcomes": outcomes, **asked}
    selection = Selection(**asked)  # type: ignore[arg-type]
    return Order(act=act, target_id=world.target.target_id, selection=selection, actor="me")


def _reopen(world: World, act: Act, *streams: str, **asked: object) -> Account:
    """Do it, having looked: the preview says the same."""
    order, where = _order(world, act, **asked), streams or ("default",)
    expected = preview(world.stores, order, where, clock=world.clock)
    done = reopen(world.stores, order, where, clock=world.clock, holder=HOLDER)
    assert expected == done
    return done


@pytest.mark.requirement("L5")
def test_what_failed_goes_again_to_a_target_that_now_takes_it(world: World) -> None:
    """Too large for the target, then not: delivered, with the failure on record."""
    world.tell(Script(), capacity=_TINY)
    world.capture_these([make_envelope("big", text="x" * 50), make_envelope("e1")])
    world.drain()
    assert world.classes() == {Class.TERMINAL_FAILED: 1, Class.DELIVERED: 1}
    world.tell(Script(), capacity=Limits())
    assert world.drain().requests == 0

    done = _reopen(world, Act.RETRIED)

    assert done.changed == {Outcome.TERMINAL_FAILED: 1}
    assert world.drain().counts()["delivered"] == 1
    assert world.classes() == {Class.DELIVERED: 2}
    history = world.stores.ledger.history("default", 1)
    assert [(item.outcome, item.act) for item in history] == [
        (Outcome.TERMINAL_FAILED, None),
        (Outcome.TERMINAL_FAILED, Act.RETRIED),
    ]


def test_a_pending_event_need_not_wait(world: World) -> None:
    """Made due at once, it is offered by the next drain."""
    world.tell(Script(events={"e1": {"status": "pending"}}))
    world.capture(1)
    world.drain()
    world.tell(Script())
    assert world.drain().selected == 0

    done = _reopen(world, Act.RETRIED, outcomes=frozenset({Outcome.PENDING}))

    assert done.changed == {Outcome.PENDING: 1}
    assert world.drain().selected == 1
    assert world.classes() == {Class.DELIVERED: 1}


def test_a_replay_sends_everything_again_in_order(world: World) -> None:
    """The target answers duplicate, and the ledger knows of both rounds."""
    ids = world.capture(5, aggregate_id="a")
    world.drain()
    assert world.sent() == [ids]

    done = _reopen(world, Act.DELIVERED_BEFORE)
    report = world.drain()

    assert done.changed == {Outcome.SUCCESS: 5}
    assert report.counts()["duplicate"] == 5
    assert world.sent() == [ids]
    assert world.classes() == {Class.DELIVERED: 5}
    row = world.stores.ledger.entry(world.target.target_id, "default", 3)
    assert row is not None
    assert (row.round, row.attempts) == (2, 2)


def test_later_events_wait_for_a_replayed_one(world: World) -> None:
    """A replay does not let an aggregate's new events overtake its old ones."""
    world.capture(2, aggregate_id="a")
    world.drain()
    world.sent()
    _reopen(world, Act.DELIVERED_BEFORE)
    world.capture_these([make_envelope("new", aggregate_id="a")])

    world.drain(budget=Budget(requests=1))
    world.drain()

    assert [event_id for sent in world.sent() for event_id in sent] == ["e1", "e2", "new"]


def test_a_window_and_a_type_choose_what_is_replayed(world: World) -> None:
    """Captured not before the one and before the other."""
    world.capture_these([make_envelope("a", event_type="Started")])
    begin = world.clock.now + 1
    world.capture_these([make_envelope("b", event_type="Started")])
    world.capture_these([make_envelope("c", event_type="Stopped")])
    end = world.clock.now + 1
    world.capture_these([make_envelope("d", event_type="Started")])
    world.drain()
    world.sent()

    window = {"captured_from": begin, "captured_until": end}
    assert _reopen(world, Act.DELIVERED_BEFORE, **window).changed.total() == 2
    world.drain()
    assert world.sent() == [["b", "c"]]

    types = frozenset({"Stopped"})
    assert _reopen(world, Act.DELIVERED_BEFORE, types=types).changed.total() == 1
    world.drain()
    assert world.sent() == [["c"]]


def test_held_events_are_not_opened_again(world: World) -> None:
    """They are counted apart and stay delivered."""
    world.capture(3)
    world.drain()
    hold(world.stores, ["e2"], reason="", actor="me", at=world.clock())

    done = _reopen(world, Act.DELIVERED_BEFORE)

    assert (done.changed.total(), done.held) == (2, 1)
    assert world.classes() == {Class.DELIVERED: 1, Class.OWED: 2}


def test_what_is_superseded_is_not_opened_again(world: World) -> None:
    """It could not go: a later event stands for it."""
    keys = {"T": (("about",),)}
    world.tell(Script(), capacity=_TINY)
    for name, text in (("big", "x" * 50), ("e1", "")):
        envelope = make_envelope(name, event_type="T", about="y", text=text)
        capture(world.stores, envelope, at=world.clock(), rules=CaptureRules(keys=keys))
        world.drain()
        world.tell(Script(), capacity=Limits())

    done = _reopen(world, Act.RETRIED)

    assert (done.changed.total(), done.superseded) == (0, 1)
    assert world.classes() == {Class.TERMINAL_FAILED: 1, Class.DELIVERED: 1}


def test_what_the_grant_does_not_reach_is_not_opened_again(world: World) -> None:
    """Opened, it could not go, and would no longer count as delivered."""
    world.capture(3)
    world.drain()
    world.stores.grants.revoke(
        world.target.target_id, "default", actor="me", reason="test", at=world.clock()
    )
    world.grant(from_position=2)

    done = _reopen(world, Act.DELIVERED_BEFORE)

    assert (done.changed.total(), done.not_granted) == (1, 2)
    assert world.classes() == {Class.DELIVERED: 2, Class.OWED: 1}


def test_without_a_grant_it_is_refused(world: World) -> None:
    """Before anything of the other streams has changed; an unknown target likewise."""
    world.capture(1)
    world.drain()
    order = _order(world, Act.DELIVERED_BEFORE)

    with pytest.raises(NotGrantedError):
        preview(world.stores, order, ["default", "other"], clock=world.clock)
    with pytest.raises(NotGrantedError) as caught:
        reopen(world.stores, order, ["default", "other"], clock=world.clock, holder=HOLDER)
    assert caught.value.fix_argv[-1] == "other"
    assert world.classes() == {Class.DELIVERED: 1}

    unknown = Order(
        act=order.act,
        target_id=make_stub_target("unknown").target_id,
        selection=order.selection,
        actor="me",
    )
    with pytest.raises(UnknownTargetError):
        reopen(world.stores, unknown, ["default"], clock=world.clock, holder=HOLDER)


def test_while_somebody_has_the_lease_it_is_refused(world: World) -> None:
    """Nothing of that stream changes; others are done."""
    world.capture(2)
    world.capture_these([make_envelope("other", project_uuid="p")])
    world.grant("p")
    world.drain("default", "p")
    target_id = world.target.target_id
    lease = world.stores.leases.acquire(target_id, "default", HOLDER, at=world.clock())
    assert isinstance(lease, Lease)

    done = _reopen(world, Act.DELIVERED_BEFORE, "default", "p")

    assert list(done.busy) == ["default"]
    assert done.changed.total() == 1
    assert world.classes() == {Class.DELIVERED: 2}
    world.stores.leases.release(lease)
    assert _reopen(world, Act.DELIVERED_BEFORE).changed.total() == 2


def test_the_lease_is_given_back(world: World) -> None:
    """A drain can begin at once."""
    world.capture(1)
    world.drain()

    _reopen(world, Act.DELIVERED_BEFORE)

    assert world.drain().stopped_because == "caught_up"


@pytest.mark.parametrize("nth", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_interrupted_replay_has_changed_whole_pages(world: World, nth: int, when: str) -> None:
    """And begun again it changes the rest, each entry once."""
    world.capture(2_000)
    world.drain()
    order = _order(world, Act.DELIVERED_BEFORE)
    dying = CrashingStores(world.stores, nth, when)  # type: ignore[arg-type]

    assert run_until_crash(
        lambda: reopen(dying, order, ["default"], clock=world.clock, holder=HOLDER)
    )

    changed = world.classes().get(Class.OWED, 0)
    assert changed == 500 * (nth - 1 if when == "after" else nth - 2) or changed == 2_000
    world.clock.advance(16)
    assert _reopen(world, Act.DELIVERED_BEFORE).changed.total() == 2_000 - changed
    rows = [
        world.stores.ledger.entry(world.target.target_id, "default", position)
        for position in range(1, 2_001)
    ]
    assert {row.round for row in rows if row} == {2}


def test_a_released_event_is_delivered(world: World) -> None:
    """Held while the cursor passed it, it goes with the next drain."""
    world.capture(3)
    hold(world.stores, ["e2"], reason="look", actor="me", at=world.clock())
    assert world.drain().counts()["delivered"] == 2
    assert world.classes() == {Class.DELIVERED: 2, Class.HELD: 1}

    moved = release(world.stores, ["e2"], actor="me", at=world.clock())

    assert moved == (1, 0)
    world.sent()
    assert world.drain().counts()["delivered"] == 1
    assert world.sent() == [["e2"]]


def test_a_released_invalid_event_is_offered_as_it_is(world: World) -> None:
    """The target decides; its text is not touched."""
    text = '{"event_id":"odd","a":1,"a":2}'
    world.capture_these([text])
    assert world.drain().selected == 0

    release(world.stores, ["odd"], actor="me", at=world.clock())

    assert world.drain().counts()["delivered"] == 1
    assert world.receiver.received["odd"] == text


def test_unknown_events_are_named_and_nothing_is_done(world: World) -> None:
    """One known among them stays as it is."""
    world.capture(1)

    with pytest.raises(UnknownEventError, match="nope") as caught:
        hold(world.stores, ["e1", "nope", "nada"], reason="", actor="me", at=world.clock())

    assert caught.value.event_ids == ("nope", "nada")
    assert world.classes() == {Class.OWED: 1}


def test_counts_of_holding_and_releasing(world: World) -> None:
    """What stood so before is counted apart, and an id named twice once."""
    world.capture(3)

    at = world.clock()
    assert hold(world.stores, ["e1", "e1", "e2"], reason="", actor="me", at=at) == (2, 0)
    assert hold(world.stores, ["e2", "e3"], reason="", actor="me", at=at) == (1, 1)
    assert release(world.stores, ["e1", "e3"], actor="me", at=at) == (2, 0)
    assert release(world.stores, ["e1", "e2"], actor="me", at=at) == (1, 1)


def _reset(world: World) -> None:
    """Let another server answer at the target's address."""
    for name in ("one", "two"):
        health = Health(deployment=Deployment(server_instance_id=name))
        world.stores.targets.observe(world.target.target_id, health, at=world.clock())
    assert _is_reset(world)


def _is_reset(world: World) -> bool:
    return world.stores.targets.get(world.target.target_id).reset is not None


def test_a_replay_of_everything_deals_with_a_reset(world: World) -> None:
    """A part of it does not, nor does one of two outcomes or one of two streams."""
    world.grant("p")
    world.capture_these([make_envelope("a"), make_envelope("b", project_uuid="p")])
    world.drain("default", "p")
    _reset(world)

    assert not _reopen(world, Act.DELIVERED_BEFORE, types=frozenset({"X"})).settled
    only = frozenset({Outcome.DUPLICATE})
    assert not _reopen(world, Act.DELIVERED_BEFORE, "default", "p", outcomes=only).settled
    assert not _reopen(world, Act.DELIVERED_BEFORE, "default").settled
    assert not _reopen(world, Act.RETRIED, "default", "p").settled
    assert _is_reset(world)

    assert _reopen(world, Act.DELIVERED_BEFORE, "default", "p").settled
    assert not _is_reset(world)
    assert not _reopen(world, Act.DELIVERED_BEFORE, "default", "p").settled


def test_a_reset_stays_noted_while_a_stream_is_busy(world: World) -> None:
    """What somebody else has the lease of was not asked for again."""
    world.capture(1)
    world.drain()
    _reset(world)
    lease = world.stores.leases.acquire(world.target.target_id, "default", HOLDER, at=world.clock())
    assert isinstance(lease, Lease)

    assert not _reopen(world, Act.DELIVERED_BEFORE).settled
    assert _is_reset(world)


def test_a_reset_can_be_dealt_with_without_a_replay(world: World) -> None:
    """Nothing is owed for it; it is said whether there was one."""
    world.capture(1)
    world.drain()
    _reset(world)

    assert settle(world.stores, world.target.target_id)
    assert not settle(world.stores, world.target.target_id)

    assert world.classes() == {Class.DELIVERED: 1}
