"""What is local only is kept here, counted by itself, and offered to nobody."""

import pytest

from eventsync_core.capture import CaptureRules, capture, capture_many
from eventsync_core.census import Class
from eventsync_core.desk import hold, release, release_all
from eventsync_core.dispatch import Drain, drain
from eventsync_core.events import FAMILIES, Hold
from eventsync_core.policy import Mode
from eventsync_core.receivers import StubReceiver
from eventsync_core.stores import MemoryStores
from eventsync_core.testing import EPOCH, HOLDER, ManualClock, make_envelope, make_stub_target

TARGET = make_stub_target()
LOCAL = make_envelope("local", event_type="MissionReopened")
ODD = '{"event_id":"odd","event_type":"MissionReopened","x":1,"x":2}'


@pytest.fixture
def stores() -> MemoryStores:
    """Return a store whose stream `default` may go to the target."""
    found = MemoryStores()
    found.targets.register(TARGET, at=EPOCH)
    found.grants.grant(
        TARGET.target_id, "default", from_position=0, actor="me", reason="", at=EPOCH
    )
    return found


def _received(stores: MemoryStores) -> list[str]:
    receiver = StubReceiver(TARGET.target_id)
    task = Drain(
        stores=stores, target=TARGET, receiver=receiver, clock=ManualClock(), holder=HOLDER
    )
    assert drain(task, ["default"]).is_clean
    return list(receiver.received)


def _classes(stores: MemoryStores) -> dict[Class, int]:
    tally = stores.backlog.tally(TARGET.target_id, "default", at=EPOCH)
    assert tally.is_coherent
    return {name: count for name, count in tally.classes().items() if count}


@pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.OPT_OUT])
def test_it_is_held_in_every_mode_that_keeps(stores: MemoryStores, mode: Mode) -> None:
    """With the reason; nobody is offered it."""
    receipt = capture(stores, LOCAL, at=EPOCH, rules=CaptureRules(mode=mode))
    capture(stores, make_envelope("e1", event_type="BuildHeartbeat"), at=EPOCH)

    assert (receipt.state, receipt.position) == ("held", 1)
    (entry, _) = stores.journal.entries("default")
    assert entry.event.hold is Hold.LOCAL_ONLY
    assert "MissionReopened" in (entry.event.hold_reason or "")
    assert _received(stores) == ["e1"]
    assert _classes(stores) == {Class.DELIVERED: 1, Class.LOCAL_ONLY: 1}


def test_a_host_says_what_is_local(stores: MemoryStores) -> None:
    """Its families count; what is stored already stays what it was."""
    capture(stores, make_envelope("e1", event_type="Mine"), at=EPOCH)
    rules = CaptureRules(families=FAMILIES.extended({"Mine": "local_only"}))

    texts = [make_envelope(event_id, event_type="Mine") for event_id in ("e1", "e2")]
    results = capture_many(stores, texts, at=EPOCH, rules=rules)

    assert [getattr(result, "state", None) for result in results] == ["duplicate", "held"]
    assert _received(stores) == ["e1"]


def test_only_an_operator_lets_it_go(stores: MemoryStores) -> None:
    """By its id, or by the very hold; not with what is held for another reason."""
    capture_many(stores, [LOCAL, ODD, '{"event_id":"bad","x":1,"x":2}'], at=EPOCH)
    hold(stores, ["local"], reason="look", actor="me", at=EPOCH)

    for why, count in ((Hold.OPERATOR, 0), (Hold.INVALID, 1)):
        assert release_all(stores, "default", why, actor="me", clock=ManualClock()) == count
    assert _received(stores) == ["bad"]

    release(stores, ["local"], actor="me", at=EPOCH)
    assert _received(stores) == ["local"]
    assert release_all(stores, "default", Hold.LOCAL_ONLY, actor="me", clock=ManualClock()) == 1
    assert _received(stores) == ["odd"]


def test_a_local_event_that_is_not_valid_says_both(stores: MemoryStores) -> None:
    """It is local first."""
    capture(stores, ODD, at=EPOCH)

    (entry,) = stores.journal.entries("default")
    assert entry.event.hold is Hold.LOCAL_ONLY
    assert "local only" in (entry.event.hold_reason or "")
    assert "twice" in (entry.event.hold_reason or "")
