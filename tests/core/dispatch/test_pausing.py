"""An operator's pause and a drain that runs."""

import pytest

from eventsync_core.census import Class
from eventsync_core.dispatch import Drain, Report, drain
from eventsync_core.receivers import Script
from eventsync_core.targets import Limits
from eventsync_core.testing import HOLDER
from tests.core.dispatch.conftest import World


def drain_and_pause(world: World, *, whole_target: bool) -> Report:
    """Drain two events per request, and pause after the first."""
    world.capture(6)
    world.tell(Script(), capacity=Limits(max_events=2))
    target_id = world.target.target_id

    def pause(_: Report) -> None:
        if whole_target:
            world.stores.targets.pause(target_id, "asked")
        else:
            world.stores.grants.pause(target_id, "default", "asked", actor="me", at=world.clock())

    task = Drain(
        stores=world.stores,
        target=world.target,
        receiver=world.receiver,
        clock=world.clock,
        holder=HOLDER,
        progress=pause,
    )
    return drain(task, ["default"])


@pytest.mark.parametrize("whole_target", [True, False])
def test_a_pause_stops_a_drain_before_its_next_request(world: World, *, whole_target: bool) -> None:
    """What was answered is kept, the rest waits, and resuming sends it."""
    report = drain_and_pause(world, whole_target=whole_target)

    assert (report.stopped_because, report.requests) == ("paused", 1)
    assert "asked" in report.message
    assert world.classes() == {Class.DELIVERED: 2, Class.OWED: 4}

    world.stores.targets.pause(world.target.target_id, "")
    world.stores.grants.resume(
        world.target.target_id, "default", actor="me", reason="test", at=world.clock()
    )
    assert world.drain().is_clean
    assert world.classes() == {Class.DELIVERED: 6}
