"""Events that supersede one another: the same at every other end."""

import pytest

from eventsync_core.capture import CaptureRules, capture
from eventsync_core.desk import Order, Selection, reopen
from eventsync_core.events import KeyRules
from eventsync_core.ledger import Act
from eventsync_core.receivers import Outcome, RequestRule, Script
from eventsync_core.testing import HOLDER, make_envelope
from tests.answers.ends import World

_KEYS: KeyRules = {"Indexed": (("path",),), "Computed": (("path",),)}


def _keyed(world: World, event_id: str, kind: str = "Indexed", **members: object) -> int:
    text = make_envelope(event_id, event_type=kind, **{"path": "a|b", **members})
    return capture(world.stores, text, at=world.clock(), rules=CaptureRules(keys=_KEYS)).superseded


@pytest.mark.requirement("C1")
@pytest.mark.requirement("C8")
def test_only_equal_keys_meet(world: World) -> None:
    """No key, another type, or parts that only look alike when joined: all are delivered."""
    _keyed(world, "e1", path=None)
    _keyed(world, "e2", path=None)
    _keyed(world, "e3")
    _keyed(world, "e4", "Computed")
    _keyed(world, "e5", path="a")

    world.drain()

    assert list(world.holds()) == ["e1", "e2", "e3", "e4", "e5"]


@pytest.mark.requirement("C2")
def test_of_two_undelivered_one_is_sent(world: World) -> None:
    """The latest; the other's fate is known."""
    _keyed(world, "e1")
    assert _keyed(world, "e2") == 1

    world.drain()

    assert world.offered() == [["e2"]]
    assert world.classes() == {"delivered": 1, "superseded": 1}


@pytest.mark.requirement("C3")
@pytest.mark.requirement("C4")
@pytest.mark.requirement("C5")
def test_what_was_delivered_is_never_touched(world: World) -> None:
    """Only what is undelivered gives way; both ends hold the bytes that were captured."""
    _keyed(world, "e1", filler="1.50")
    world.drain()
    _keyed(world, "e2")
    assert _keyed(world, "e3") == 1

    world.drain()

    assert list(world.holds()) == ["e1", "e3"]
    for event_id, text in world.holds().items():
        found = world.stores.journal.find(event_id)
        assert found is not None
        assert found.event.text == text


@pytest.mark.requirement("C6")
def test_what_failed_without_being_seen_gives_way(world: World) -> None:
    """It was too large to be sent, and stays on record as failed."""
    _keyed(world, "e1", filler="x" * 600_000)
    world.drain()

    assert _keyed(world, "e2") == 1
    world.drain()
    assert world.classes() == {"delivered": 1, "terminal_failed": 1}


@pytest.mark.requirement("C7")
@pytest.mark.parametrize(
    "script",
    [
        Script(events={"e1": {"status": "pending"}}),
        Script(events={"e1": {"status": "rejected"}}),
        Script(events={"e1": {"status": "perhaps"}}),
        Script(requests=[RequestRule(status=503)]),
        Script(requests=[RequestRule(cut="after")]),
    ],
    ids=["pending", "rejected", "unknown", "503", "cut"],
)
def test_what_may_have_been_seen_is_still_sent(world: World, script: Script) -> None:
    """Both arrive in the end."""
    _keyed(world, "e1")
    world.tell(script)
    world.drain()
    world.tell(Script())

    assert _keyed(world, "e2") == 0
    world.drain_later()

    assert set(world.holds()) == {"e1", "e2"}


@pytest.mark.requirement("L5")
def test_an_operator_lets_a_failed_event_go_again(world: World) -> None:
    """Once the other end takes it, it is delivered, and history keeps that it had failed."""
    world.capture_ids("e1", filler="x" * 300)
    world.tell(Script(max_bytes=200))
    world.drain()
    assert world.classes() == {"terminal_failed": 1}
    world.tell(Script())
    world.limit()
    selection = Selection(outcomes=frozenset({Outcome.TERMINAL_FAILED}))
    order = Order(
        act=Act.RETRIED, target_id=world.target.target_id, selection=selection, actor="me"
    )

    reopen(world.stores, order, ["default"], clock=world.clock, holder=HOLDER)
    world.drain()

    assert world.classes() == {"delivered": 1}
    assert next(outcome for outcome, _ in world.history("e1")) == "terminal_failed"
