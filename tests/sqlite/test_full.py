"""A disk that is full: nothing is half written, and the store works again afterwards."""

import pytest

from eventsync_core.capture import capture, capture_many
from eventsync_core.errors import NothingOpenError, StoreError, StoreFullError
from eventsync_core.events import Hold
from eventsync_core.integrity import verify
from eventsync_core.receivers import Batch, Verdict
from eventsync_core.testing import make_envelope
from tests.sqlite.conftest import World


def limit_pages(world: World, more: int | None) -> None:
    """Let the file grow by *more* pages; None: as far as it likes."""
    database = world.stores._database
    (count,) = database.row("PRAGMA page_count") or (0,)
    database.row(f"PRAGMA max_page_count = {count + more if more is not None else 2**31}")


def big(prefix: str, count: int) -> list[str]:
    """Return *count* events of a page each."""
    return [make_envelope(f"{prefix}{number}", text="x" * 8_000) for number in range(count)]


@pytest.mark.parametrize("projects", [("",), ("a", "b")])
def test_a_full_disk_stores_nothing_of_a_unit(world: World, projects: tuple[str, ...]) -> None:
    """The error says so; what was stored before stands, and a raised limit is enough."""
    world.capture(3)
    texts = [
        text.replace('{"', f'{{"project_uuid":"{project}","', 1)
        for project in projects
        for text in big(f"big{project}", 40)
    ]
    limit_pages(world, 30)

    with pytest.raises(StoreFullError):
        capture_many(world.stores, texts, at=world.clock())

    assert [head.position for head in world.stores.journal.heads()] == [3]
    assert world.stores.journal.find("big0") is None
    limit_pages(world, None)
    results = capture_many(world.stores, texts, at=world.clock())
    assert all(getattr(result, "state", "") == "stored" for result in results)
    for head in world.stores.journal.heads():
        assert verify(world.stores.journal, head.stream).is_intact


def drain_until_full(world: World) -> None:
    """Note answers, and capture a little more, until the file may not grow."""
    while world.drain().requests:
        world.capture(1, first=1_000 + len(world.receiver.requests))


def test_a_full_disk_during_a_drain_loses_nothing(world: World) -> None:
    """Whatever could not be noted is offered again; the target has each event once."""
    world.capture(40, text="x" * 8_000)
    limit_pages(world, 0)

    with pytest.raises(StoreFullError):
        drain_until_full(world)

    limit_pages(world, None)
    world.clock.advance(100_000)
    world.drain()
    world.clock.advance(100_000)
    assert world.drain().remaining_owed == 0
    assert {f"e{number}" for number in range(1, 41)} <= set(world.receiver.received)
    assert verify(world.stores.journal, "default").is_intact


@pytest.mark.parametrize("is_read_only", [False, True])
def test_after_a_full_disk_the_same_store_drains_at_once(
    world: World, *, is_read_only: bool
) -> None:
    """Its own lease does not keep it waiting, also where giving it back could not be stored."""
    world.capture(40, text="x" * 8_000)
    deliver, database = world.receiver.deliver, world.stores._database

    def then_full(batch: Batch) -> Verdict:
        verdict = deliver(batch)
        limit_pages(world, 0)
        database.run(f"PRAGMA query_only = {is_read_only:d}")
        return verdict

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(world.receiver), "deliver", lambda _, batch: then_full(batch))
        with pytest.raises(StoreError):
            drain_until_full(world)

    database.run("PRAGMA query_only = 0")
    limit_pages(world, None)
    assert world.drain().stopped_because == "caught_up"
    assert {f"e{number}" for number in range(1, 41)} <= set(world.receiver.received)


def swallow(world: World) -> None:
    """Run a unit that goes on after an error in the middle of it."""
    with world.stores.atomic():
        capture(world.stores, make_envelope("before"), at=1)
        with pytest.raises(StoreFullError):
            capture_many(world.stores, big("big", 40), at=1)
        with pytest.raises((StoreError, NothingOpenError)):
            capture(world.stores, make_envelope("after"), at=1)


def test_a_full_disk_undoes_the_outer_unit_too(world: World) -> None:
    """A caller that swallows the error cannot store the rest of its unit by accident."""
    limit_pages(world, 30)

    with pytest.raises(StoreError):
        swallow(world)

    assert world.stores.journal.heads() == []
    assert capture(world.stores, make_envelope("later"), at=1).position == 1


def test_a_full_disk_holds_nothing_of_a_unit(world: World) -> None:
    """Neither the holds nor what is counted of them."""
    world.capture(3_000)
    limit_pages(world, 0)

    with pytest.raises(StoreFullError), world.stores.atomic():
        world.stores.holds.hold("default", range(1, 3_001), reason="x" * 80, actor="", at=1)

    assert world.stores.inspection.miscounts() == []
    assert world.stores.holds.held("default", Hold.OPERATOR) == []
