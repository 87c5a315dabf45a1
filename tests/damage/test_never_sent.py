"""What is damaged is never sent, and holds nothing up."""

from pathlib import Path

import attrs
import pytest

from eventsync_adapters.sqlite import open_stores
from eventsync_core.dispatch import Drain, drain
from eventsync_core.ledger import Candidate, is_damaged
from eventsync_core.receivers import Outcome, StubReceiver
from eventsync_core.stores import MemoryStores
from eventsync_core.testing import HOLDER, ManualClock, make_event, make_stub_target
from tests.damage.damaging import spoil, unguarded
from tests.sqlite.conftest import World

_COLUMNS = {
    "event_id": "UPDATE entries SET event_id = CAST(? AS TEXT) WHERE position = 2",
    "digest": "UPDATE entries SET digest = CAST(? AS TEXT) WHERE position = 2",
    "aggregate": "UPDATE entries SET aggregate = CAST(? AS TEXT) WHERE position = 2",
}
SPOILT: list[str | bytes] = [
    '{"event_id":"e2","payload":{"n":2}}',
    b'{"event_id":"e2","payload":"\xff"}',
    '{"event_id":"e3"}',
    "",
    b"\x00",
]


@pytest.fixture
def world(tmp_path: Path) -> World:
    path = tmp_path / "eventsync.db"
    found = World(path, open_stores(path))
    found.grant()
    return found


@pytest.mark.parametrize("text", SPOILT)
def test_a_damaged_text_is_never_sent(world: World, text: str | bytes) -> None:
    """The rest goes, what came after it in its aggregate included; the reason is on record."""
    world.capture(4, aggregate_id="WP01")
    spoil(world.path, ["e2"], text)

    report = world.drain()

    assert list(world.receiver.received) == ["e1", "e3", "e4"]
    assert report.outcomes[Outcome.SUCCESS] == 3
    assert report.outcomes[Outcome.TERMINAL_FAILED] == 1
    (said,) = world.stores.ledger.history("default", 2)
    assert (said.category, said.request_id) == ("damaged", 0)


def test_a_damaged_text_that_comes_due_again_is_never_sent(world: World) -> None:
    """What was offered before and is damaged since does not leave a second time."""
    world.capture(3)
    stores, target = world.stores, world.target
    lease = stores.leases.acquire(target.target_id, "default", HOLDER, at=world.clock())
    stores.ledger.let_wait(lease, {2: world.clock()})  # type: ignore[arg-type]
    stores.leases.release(lease)  # type: ignore[arg-type]
    spoil(world.path, ["e2"], b"\xfe")

    world.drain()

    assert list(world.receiver.received) == ["e1", "e3"]


@pytest.mark.parametrize("column", _COLUMNS)
@pytest.mark.parametrize("value", [b"\xff\xfe", b"e2\x00", 7, None])
def test_damage_beside_the_text_holds_nothing_up(
    world: World, column: str, value: bytes | int | None
) -> None:
    """An entry that is not told from another any more stays; the rest goes."""
    world.capture(4)
    if value is None and column != "aggregate":
        value = ""  # type: ignore[assignment]
    change = _COLUMNS[column]
    unguarded(world.path, (change, (value,)))

    world.drain()

    left = ["e1", "e2", "e3", "e4"] if column == "aggregate" else ["e1", "e3", "e4"]
    assert list(world.receiver.received) == left


def test_a_damaged_text_in_memory_is_never_sent() -> None:
    """The rule is the same for every store."""
    stores, target, clock = MemoryStores(), make_stub_target(), ManualClock()
    whole = make_event("e1")
    stores.journal.append("default", [whole, attrs.evolve(make_event("e2"), text="{}")], at=1)
    stores.targets.register(target, at=1)
    stores.grants.grant(target.target_id, "default", from_position=0, actor="me", reason="", at=1)
    receiver = StubReceiver(target.target_id)

    drain(
        Drain(stores=stores, target=target, receiver=receiver, clock=clock, holder=HOLDER),
        ["default"],
    )

    assert receiver.received == {"e1": whole.text}


@pytest.mark.parametrize("event_id", ["e1", 'say "hello"', "a\\b", "größe", "☃"])
def test_an_intact_entry_is_not_damaged(event_id: str) -> None:
    """However its id is spelt in the text."""
    event = make_event(event_id)
    candidate = Candidate(
        position=1,
        event_id=event_id,
        text=event.text,
        size=event.size,
        digest=event.digest,
        chain=b"",
    )

    assert not is_damaged(candidate)
    assert is_damaged(attrs.evolve(candidate, event_id="e9"))
    assert is_damaged(attrs.evolve(candidate, text=event.text + " "))
    assert is_damaged(attrs.evolve(candidate, text="\ud800"))
    assert is_damaged(attrs.evolve(candidate, digest=b""))
