"""A lease whose return could not be stored."""

from collections.abc import Callable

import pytest

from eventsync_adapters import machine
from eventsync_core.census import Class
from eventsync_core.errors import StoreError, StoreFullError
from eventsync_core.ledger import Busy, Lease, Opening
from tests.sqlite.conftest import World


def take(world: World) -> Lease | Busy:
    """Take the lease as this process, which lives."""
    return world.stores.leases.acquire(
        world.target.target_id, "default", machine.this_process(), at=world.clock()
    )


@pytest.fixture
def lease(world: World) -> Lease:
    """Return the lease of a stream of two events, one of them under way."""
    world.capture(2)
    lease = take(world)
    assert isinstance(lease, Lease)
    opening = Opening(positions=(1,), body_bytes=10, digest=b"d" * 32)
    assert world.stores.ledger.open_request(lease, opening, at=world.clock())
    return lease


def give_back_in_vain(world: World, lease: Lease) -> None:
    """Give the lease back in a unit of work that is undone, as by a full disk."""

    def leave() -> None:
        with world.stores.atomic():
            world.stores.leases.release(lease)
            raise StoreFullError

    with pytest.raises(StoreFullError):
        leave()


def classes(world: World) -> dict[Class, int]:
    """Return the classes that hold anything."""
    tally = world.stores.backlog.tally(world.target.target_id, "default", at=world.clock())
    return {name: count for name, count in tally.classes().items() if count}


def test_who_gave_it_back_need_not_wait(world: World, lease: Lease) -> None:
    """The store still says that this process has it, and the process lives."""
    assert isinstance(take(world), Busy)
    assert classes(world) == {Class.IN_FLIGHT: 1, Class.OWED: 1}

    give_back_in_vain(world, lease)

    assert classes(world) == {Class.UNKNOWN_EFFECT: 1, Class.OWED: 1}
    again = take(world)
    assert isinstance(again, Lease)
    assert lease.token < again.token
    assert isinstance(take(world), Busy)


def test_another_store_of_the_process_waits(
    world: World, lease: Lease, open_world: Callable[[], World]
) -> None:
    """It cannot know; two threads of one process must not take each other's lease."""
    give_back_in_vain(world, lease)

    assert isinstance(take(open_world()), Busy)


def test_a_lease_that_another_took_meanwhile_is_its(
    world: World, lease: Lease, open_world: Callable[[], World]
) -> None:
    """Its token is higher."""
    give_back_in_vain(world, lease)
    world.clock.advance(20)
    other = open_world()
    other.clock = world.clock
    assert isinstance(take(other), Lease)

    assert isinstance(take(world), Busy)


def test_a_lease_that_can_not_be_given_back_says_so(world: World, lease: Lease) -> None:
    """The error comes out, and the lease is free here all the same."""
    world.stores._database.run("PRAGMA query_only = ON")
    with pytest.raises(StoreError):
        world.stores.leases.release(lease)
    world.stores._database.run("PRAGMA query_only = OFF")

    assert isinstance(take(world), Lease)
