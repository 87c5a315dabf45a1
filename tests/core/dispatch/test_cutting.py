"""How a refused batch is cut, and in which order the pieces go."""

from math import log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsync_core.dispatch import Budget, Report
from eventsync_core.receivers import RequestRule, Script
from eventsync_core.targets import Limits
from eventsync_core.testing import make_envelope
from tests.core.dispatch.conftest import World
from tests.effort import examples


def _counts(report: Report) -> dict[str, int]:
    return {word: count for word, count in report.counts().items() if count}


@pytest.mark.requirement("B1")
def test_one_poisoned_event_is_found(world: World) -> None:
    """The others are delivered; it is rejected in a batch of one, with its own reason."""
    world.capture(4)
    world.tell(Script(poison=frozenset({"e3"})))

    report = world.drain()

    assert _counts(report) == {"selected": 4, "delivered": 3, "rejected": 1}
    assert world.sent() == [["e1", "e2", "e3", "e4"], ["e1", "e2"], ["e3", "e4"], ["e3"], ["e4"]]
    items = world.stores.ledger.history("default", 3)
    assert [item.reason for item in items] == ["batch validation failed"]


@pytest.mark.requirement("B2")
@settings(max_examples=examples(60), deadline=None)
@given(st.data(), st.integers(1, 96))
def test_the_number_of_requests_is_bounded(data: st.DataObject, count: int) -> None:
    """For k poisoned of n: at most 2k(log2 n + 1) + 1; and never more than 2n - 1."""
    world = World()
    ids = world.capture(count)
    poison = data.draw(st.frozensets(st.sampled_from(ids), max_size=min(count, 6)))
    world.tell(Script(poison=poison))

    report = world.drain()

    assert report.requests <= 2 * len(poison) * (log2(count) + 1) + 1
    assert report.requests <= 2 * count - 1
    assert report.counts()["rejected"] == len(poison)
    assert report.counts()["delivered"] == count - len(poison)
    assert set(world.receiver.received) == set(ids) - poison
    assert report.stopped_because == "caught_up"


@pytest.mark.requirement("B3")
@settings(max_examples=examples(60), deadline=None)
@given(st.data(), st.integers(2, 40))
def test_order_is_kept_on_a_cut(data: st.DataObject, count: int) -> None:
    """However often a batch is cut, the target takes events in the order of the journal."""
    world = World()
    ids = world.capture(count, aggregate_id="a")
    poison = data.draw(st.frozensets(st.sampled_from(ids), max_size=4))
    size = data.draw(st.sampled_from((None, 60, 200)))
    world.tell(Script(poison=poison, max_bytes=size))

    world.drain()

    assert list(world.receiver.received) == [event for event in ids if event not in poison]


@pytest.mark.requirement("B4")
def test_two_poisoned_events_of_one_aggregate_end(world: World) -> None:
    """Both are rejected, in three requests."""
    world.capture(2, aggregate_id="a")
    world.tell(Script(poison=frozenset({"e1", "e2"})))

    report = world.drain()

    assert (report.requests, _counts(report)) == (3, {"selected": 2, "rejected": 2})


@pytest.mark.requirement("B5")
def test_what_the_target_already_took_is_a_duplicate(world: World) -> None:
    """A server that stored part of a refused batch does no harm."""
    world.capture(3)
    world.receiver.received["e1"] = make_envelope("e1")
    world.tell(Script(poison=frozenset({"e2"})))

    assert _counts(world.drain()) == {
        "selected": 3,
        "delivered": 1,
        "duplicate": 1,
        "rejected": 1,
    }


@pytest.mark.requirement("B6")
def test_a_fault_is_not_cut(world: World) -> None:
    """One request, and what it did is unknown of every event."""
    world.capture(8)
    world.tell(Script(requests=[RequestRule(cut="before")]))

    report = world.drain()

    assert (report.requests, _counts(report)) == (1, {"selected": 8, "unknown_effect": 8})


@pytest.mark.requirement("B7")
def test_a_later_drain_offers_only_the_culprit(world: World) -> None:
    """The innocent are done with."""
    world.capture(8)
    world.tell(Script(poison=frozenset({"e5"})))
    world.drain()
    world.sent()

    world.clock.advance(2)
    world.drain()

    assert world.sent() == [["e5"]]


@pytest.mark.requirement("B8")
def test_a_fault_in_the_left_half_spares_the_right(world: World) -> None:
    """Cutting stops there; what was not evaluated counts as transient."""
    world.capture(4)
    rules = [RequestRule(status=400, body="{}"), RequestRule(status=401)]
    world.tell(Script(requests=rules))

    report = world.drain()

    assert world.sent() == [["e1", "e2", "e3", "e4"], ["e1", "e2"]]
    assert (report.stopped_because, _counts(report)) == (
        "target_backoff",
        {"selected": 4, "transient": 4},
    )


def test_what_a_fault_left_over_is_offered_next_time(world: World) -> None:
    """Nothing is lost between the halves, and an aggregate keeps its order."""
    ids = world.capture(4, aggregate_id="a")
    world.tell(Script(requests=[RequestRule(status=400, body="{}"), RequestRule(status=503)]))
    world.drain()
    world.clock.advance(60)

    assert _counts(world.drain()) == {"selected": 4, "delivered": 4}
    assert list(world.receiver.received) == ids


def test_a_budget_of_requests_stops_the_cutting(world: World) -> None:
    """What was not evaluated counts as transient and is still owed."""
    world.capture(8)
    world.tell(Script(poison=frozenset({"e1"})))

    report = world.drain(budget=Budget(requests=2))

    assert (report.stopped_because, _counts(report)) == (
        "budget",
        {"selected": 8, "transient": 8},
    )
    assert report.remaining_owed == 8


@pytest.mark.requirement("M12")
def test_a_batch_too_large_is_halved(world: World) -> None:
    """Until the pieces fit what the target said; order is kept."""
    ids = world.capture(8)
    world.tell(Script(max_bytes=80))

    report = world.drain()

    assert _counts(report) == {"selected": 8, "delivered": 8}
    sent = world.sent()
    assert [event for batch in sent[1:] for event in batch] == ids
    assert sent[0] == ids


def test_a_single_event_too_large_is_parked_by_the_answer(world: World) -> None:
    """For this target; the others are delivered."""
    world.capture_these([make_envelope("e1"), make_envelope("big", x="y" * 90)])
    world.tell(Script(requests=[RequestRule(status=413, body="{}"), RequestRule()], max_bytes=60))

    report = world.drain()

    assert _counts(report) == {"selected": 2, "delivered": 1, "terminal_failed": 1}


@pytest.mark.requirement("M8")
def test_named_culprits_are_taken_out(world: World) -> None:
    """The rest is sent again once, in order."""
    world.capture(4)
    body = '{"error":"no","details":[{"event_id":"e2","detail":"bad field"}]}'
    world.tell(Script(requests=[RequestRule(status=400, body=body)]))

    report = world.drain()

    assert _counts(report) == {"selected": 4, "delivered": 3, "rejected": 1}
    assert world.sent() == [["e1", "e2", "e3", "e4"], ["e1", "e3", "e4"]]


def test_a_rest_is_sent_only_once(world: World) -> None:
    """Refused by name a second time, what is left over waits for a later drain."""
    world.capture(3)
    bodies = [f'{{"details":[{{"event_id":"{event}"}}]}}' for event in ("e1", "e2")]
    world.tell(Script(requests=[RequestRule(status=400, body=body) for body in bodies]))

    report = world.drain()

    assert _counts(report) == {"selected": 3, "rejected": 2, "transient": 1}
    assert world.sent() == [["e1", "e2", "e3"], ["e2", "e3"]]


@pytest.mark.parametrize("word", ["misunderstood"])
def test_later_events_of_an_aggregate_wait(world: World, word: str) -> None:
    """Behind one of unknown effect; other aggregates, and events without one, go on."""
    world.capture_these(
        [
            make_envelope("a1", aggregate_id="a"),
            make_envelope("b1", aggregate_id="b"),
            make_envelope("a2", aggregate_id="a"),
            make_envelope("free"),
        ]
    )
    world.tell(Script(events={"a1": {"status": word}}), capacity=Limits(max_events=1))

    world.drain()
    assert world.sent() == [["a1"], ["b1"], ["free"]]

    world.clock.advance(2)
    world.tell(Script())
    world.drain()
    assert world.sent() == [["a1"], ["a2"]]


@pytest.mark.parametrize("word", ["rejected", "pending"])
def test_an_answered_event_makes_none_wait(world: World, word: str) -> None:
    """The next of its aggregate goes in the same drain."""
    world.capture(2, aggregate_id="a")
    world.tell(Script(events={"e1": {"status": word}}), capacity=Limits(max_events=1))

    assert world.drain().counts()["delivered"] == 1


def test_nothing_waits_for_what_is_no_longer_granted(world: World) -> None:
    """An earlier event that will never go lets the next one go."""
    world.capture(1, aggregate_id="a")
    world.tell(Script(events={"e1": {"status": "misunderstood"}}))
    world.drain()
    world.stores.grants.revoke(
        world.target.target_id, "default", actor="me", reason="test", at=world.clock()
    )
    world.grant(from_position=1)
    world.capture_these([make_envelope("next", aggregate_id="a")])

    assert _counts(world.drain()) == {"selected": 1, "delivered": 1}
