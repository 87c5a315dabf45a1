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


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        (
            ("DELETE FROM payloads WHERE entry_id = 3", "DELETE FROM entries WHERE position = 3"),
            [3],
        ),
        (("UPDATE entries SET chain = 'ab' WHERE position IN (2, 3)",), [2, 3]),
        (
            ("DELETE FROM payloads WHERE entry_id = 6", "DELETE FROM entries WHERE position = 6"),
            [6],
        ),
        (("UPDATE streams SET head = head + 4",), []),
    ],
)
def test_an_intact_entry_behind_damage_goes(
    world: World, changes: tuple[str, ...], left: list[int]
) -> None:
    """As verify says that it is good, also where what stood before it is gone."""
    world.capture(7)
    unguarded(world.path, *((change, ()) for change in changes))
    world.capture(3, first=8)

    world.drain()

    names = [f"e{n}" for n in range(1, 11) if n not in left]
    assert list(world.receiver.received) == names


def test_an_entry_of_another_place_does_not_go(world: World) -> None:
    """What stands before it is gone, and what stands after it does not follow from it."""
    world.capture(7)
    unguarded(
        world.path,
        ("DELETE FROM payloads WHERE entry_id = 3", ()),
        ("DELETE FROM entries WHERE position = 3", ()),
        ("UPDATE entries SET position = 99 WHERE position = 4", ()),
        ("UPDATE entries SET position = 4 WHERE position = 6", ()),
        ("UPDATE entries SET position = 6 WHERE position = 99", ()),
    )

    world.drain()

    assert not {"e4", "e6"} & set(world.receiver.received)


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
