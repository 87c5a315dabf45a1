"""What may have been left waiting is found at once, and nobody is forgotten."""

from eventsync_core.clock import SECOND
from eventsync_core.receivers import RequestRule, Script
from tests.sqlite.conftest import World


def _left(world: World) -> bool:
    return world.target.target_id in world.stores.left_waiting(before=world.clock() - SECOND)


def test_what_was_never_offered_is_found(world: World) -> None:
    """Once it is long enough ago."""
    world.capture(3)
    assert not _left(world)

    world.clock.advance(2)
    assert _left(world)

    world.drain()
    assert not _left(world)


def test_what_failed_is_found(world: World) -> None:
    """Though nothing was captured since."""
    world.receiver.script = Script(requests=[RequestRule(status=503)] * 9)
    world.capture(3)
    world.drain()
    world.clock.advance(2)

    assert _left(world)


def test_what_is_caught_up_is_not_found(world: World) -> None:
    """However long ago."""
    world.capture(3)
    world.drain()
    world.clock.advance(9_999)

    assert not _left(world)


def test_a_grant_that_ended_waits_for_nothing(world: World) -> None:
    """Nor does one that never was."""
    world.capture(3)
    world.clock.advance(2)
    world.stores.grants.revoke(
        world.target.target_id, "default", actor="me", reason="", at=world.clock()
    )

    assert not _left(world)
