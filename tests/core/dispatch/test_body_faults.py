"""What answers to bodies mean for events: nothing, until the events meet faults themselves."""

import attrs
import pytest

from eventsync_core.clock import MINUTE
from eventsync_core.receivers import RequestRule, Script
from eventsync_core.targets import BackOff
from tests.core.dispatch.conftest import World


def _of_bodies(world: World, failures: int = 7) -> BackOff:
    faults = BackOff(
        failures=failures,
        retry_at=world.clock() + MINUTE,
        reason="server_error: 500",
    )
    world.stores.targets.set_body_back_off(world.target.target_id, faults)
    return faults


def _kept(world: World) -> tuple[BackOff, BackOff]:
    target = world.stores.targets.get(world.target.target_id)
    return target.back_off, target.body_back_off


@pytest.mark.parametrize("minutes", [0, 2])
def test_events_go_while_bodies_wait(world: World, minutes: int) -> None:
    """All of them in one request, and the wait of the bodies is left as it was."""
    faults = _of_bodies(world)
    world.clock.advance(minutes * 60)
    ids = world.capture(3)

    report = world.drain()

    assert (report.is_clean, world.sent(), _kept(world)) == (True, [ids], (BackOff(), faults))


def test_a_fault_of_events_counts_by_itself(world: World) -> None:
    """It is the first one that they met, and both heed it from then on."""
    faults = _of_bodies(world)
    world.capture(1)
    world.tell(Script(requests=[RequestRule(status=503)]))

    assert world.drain().stopped_because == "target_backoff"

    own, of_bodies = _kept(world)
    assert (own.failures, of_bodies) == (1, faults)
    assert world.drain().requests == 0


def test_a_success_of_events_ends_what_they_met(world: World) -> None:
    """As ever."""
    faults = _of_bodies(world)
    over = attrs.evolve(faults, retry_at=world.clock())
    world.stores.targets.set_back_off(world.target.target_id, over)
    world.capture(1)

    assert world.drain().is_clean
    assert _kept(world) == (BackOff(), faults)
