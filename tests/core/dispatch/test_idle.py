"""What a pass over entries that may not be offered costs the next one."""

from eventsync_core.dispatch import Budget
from eventsync_core.receivers import RequestRule, Script
from tests.core.dispatch.conftest import World


def test_held_entries_are_passed_over_once(world: World) -> None:
    """A pass that finds only held entries raises the cursor; the next has nothing to look at."""
    world.capture(1)
    world.drain()
    deep = "[" * 501 + "]" * 501
    world.capture_these([f'{{"event_id": "h{n}", "deep": {deep}}}' for n in range(3)])
    backlog, target_id = world.stores.backlog, world.target.target_id

    assert backlog.tail(target_id, "default", max_events=9, max_bytes=999) == ([], 4)
    assert world.drain().is_clean
    assert backlog.tail(target_id, "default", max_events=9, max_bytes=999) == ([], 0)


def test_a_budget_spent_on_the_last_event_is_caught_up(world: World) -> None:
    """Nothing is left, so nothing was stopped."""
    world.capture(2)

    report = world.drain(budget=Budget(requests=1))

    assert (report.stopped_because, report.remaining_owed) == ("caught_up", 0)


def test_the_halves_of_a_refused_batch_keep_their_order(world: World) -> None:
    """A fault on the left half does not let the right half overtake it in the next drain."""
    ids = world.capture(4)
    faults = [RequestRule(status=400, body='{"error":"no"}'), RequestRule(status=503)]
    world.tell(Script(requests=faults))

    world.drain()
    world.sent()
    world.clock.advance(2)
    world.drain()

    assert [event for request in world.sent() for event in request] == ids
