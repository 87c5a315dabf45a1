"""However much is in the way, what can be delivered is."""

from pathlib import Path

import attrs
import pytest
from hypothesis import HealthCheck, given, settings

from eventsync_core.dispatch import Budget, Report
from eventsync_core.receivers import Script
from eventsync_core.testing import make_envelope, scripts
from tests.answers.ends import ENDS, World, counts, ids, open_end
from tests.effort import examples


@pytest.mark.requirement("D13")
def test_what_is_not_granted_is_not_in_the_way(world: World) -> None:
    """2,000 older events of this stream and of another: the ten granted ones go at once."""
    world.capture(*(make_envelope(f"o{n}", project_uuid="other") for n in range(1_000)))
    world.capture_ids(*ids(1_000, "old"))
    world.stores.grants.revoke(
        world.target.target_id, "default", actor="me", reason="test", at=world.clock()
    )
    world.grant(from_position=1_000)
    world.capture_ids(*ids(10))

    report = world.drain()

    assert counts(report) == {"selected": 10, "delivered": 10}
    assert world.offered() == [ids(10)]
    assert list(world.holds()) == ids(10)
    assert world.classes() == {"delivered": 10, "not_granted": 1_000}


@pytest.mark.requirement("D8")
def test_rejected_events_in_front_are_not_in_the_way(world: World) -> None:
    """Of 500 with 25 of them, 475 are delivered in one pass."""
    world.capture_ids(*ids(500), aggregate_id="one")
    world.tell(Script(events={event_id: {"status": "rejected"} for event_id in ids(25)}))

    report = world.drain()

    assert counts(report) == {"selected": 500, "delivered": 475, "rejected": 25}
    assert (report.stopped_because, report.remaining_owed) == ("caught_up", 25)
    assert list(world.holds()) == ids(500)[25:]
    world.offered()
    world.drain_later()
    assert world.offered() == [ids(25)]


@pytest.mark.requirement("D8")
def test_a_poisoned_front_is_not_in_the_way(world: World) -> None:
    """The same where the server refuses whole batches, and the innocent have no history."""
    world.capture_ids(*ids(60))
    world.tell(Script(poison=frozenset(ids(5))))

    report = world.drain()

    assert counts(report) == {"selected": 60, "delivered": 55, "rejected": 5}
    rows = world.rows()
    assert {rows[event_id][2] for event_id in ids(60)[5:]} == {0}
    assert all(not world.history(event_id) for event_id in ids(60)[5:])


@pytest.mark.requirement("D2")
@pytest.mark.requirement("L1")
@pytest.mark.requirement("L12")
def test_nothing_is_delivered_twice(world: World) -> None:
    """Order is that of the journal, across budgets and drains; at the end nothing is sent."""
    world.capture_ids(*ids(9))

    first = world.drain(budget=Budget(events=4))
    second = world.drain()
    third = world.drain_later()

    assert (first.stopped_because, second.stopped_because) == ("budget", "caught_up")
    assert world.offered() == [ids(9)[:4], ids(9)[4:]]
    assert (third.requests, third.is_clean) == (0, True)
    assert list(world.holds()) == ids(9)


@pytest.mark.requirement("D1")
@pytest.mark.requirement("L1")
@pytest.mark.requirement("L4")
def test_each_target_gets_everything(tmp_path: Path) -> None:
    """Whatever another one said of it; the bytes are the same."""
    with open_end("external", tmp_path) as first, open_end("socket", tmp_path) as second:
        first.capture(*(f'{{"event_id":"{event_id}", "n":1.50}}' for event_id in ids(4)))
        first.tell(Script(events={"e2": {"status": "rejected"}}))
        first.drain()
        taken = first.holds()

        first.stores.targets.register(second.target, at=first.clock())
        first.target, first.noting = second.target, second.noting
        first.grant()
        report = first.drain()

        assert counts(report) == {"selected": 4, "delivered": 4}
        assert {event_id: second.holds()[event_id] for event_id in taken} == taken
        assert len(first.stores.journal.entries("default")) == 4


_TEXTS = [
    make_envelope("e1", aggregate_id="a"),
    make_envelope("e2", aggregate_id="b"),
    make_envelope("e3", aggregate_id="a"),
    make_envelope("Ünï", aggregate_id="b"),
    make_envelope("01JMBYAAAAAAAAAAAAAAAAAAAA"),
    make_envelope("e6", pad="x" * 90),
]


@pytest.mark.requirement("D3")
@settings(
    max_examples=examples(8),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(script=scripts(ids=("e1", "e2", "e3", "Ünï", "01JMBYAAAAAAAAAAAAAAAAAAAA", "e6")))
def test_every_end_comes_to_the_same(
    tmp_path_factory: pytest.TempPathFactory, script: Script
) -> None:
    """Whatever is answered: reports, rows, history, requests and what arrived are equal."""
    pictures = {}
    for name in ENDS:
        with open_end(name, tmp_path_factory.mktemp(name)) as world:
            world.capture(*_TEXTS)
            world.tell(attrs.evolve(script, requests=list(script.requests)))
            first = _picture(world, world.drain())
            pictures[name] = [first, _picture(world, world.drain_later()), world.holds()]

    for name in ENDS[1:]:
        assert pictures[name] == pictures["stub"], name


def _picture(world: World, report: Report) -> list[object]:
    """Return all that can be seen of a drain but times and addresses."""
    requests = world.stores.ledger.requests(world.target.target_id, "default")
    return [
        counts(report),
        report.stopped_because,
        report.remaining_owed,
        world.offered(),
        world.rows(),
        world.classes(),
        {event_id: world.history(event_id) for event_id in world.rows()},
        [
            (
                request.positions,
                request.status,
                request.answer,
                request.digest,
                # What a broken connection is called depends on how it broke.
                request.guidance if request.status else "",
            )
            for request in requests
        ],
    ]
