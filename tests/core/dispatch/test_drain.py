"""What a drain delivers, and in which order."""

from hashlib import sha256
from typing import Any

import pytest

from eventsync_core.census import Class
from eventsync_core.dispatch import Drain, Report, drain
from eventsync_core.receivers import Script, StubReceiver
from eventsync_core.targets import Limits
from eventsync_core.testing import (
    HOLDER,
    make_envelope,
    make_stub_target,
)
from tests.core.dispatch.conftest import World


def _counts(report: Report) -> dict[str, int]:
    return {word: count for word, count in report.counts().items() if count}


@pytest.mark.requirement("D1")
def test_everything_goes_to_each_target(world: World) -> None:
    """Delivery to one target takes nothing from another, nor from the journal."""
    ids = world.capture(3)
    assert _counts(world.drain()) == {"selected": 3, "delivered": 3}

    world.target = make_stub_target("two")
    world.receiver = StubReceiver(world.target.target_id)
    world.stores.targets.register(world.target, at=world.clock())
    world.grant()
    assert _counts(world.drain()) == {"selected": 3, "delivered": 3}

    assert world.sent() == [ids]
    assert len(world.stores.journal.entries("default")) == 3


@pytest.mark.requirement("D2")
def test_a_second_drain_sends_nothing(world: World) -> None:
    """It is caught up, and says so."""
    world.capture(3)
    world.drain()
    world.sent()

    report = world.drain()

    assert (report.requests, report.stopped_because, report.remaining_owed) == (0, "caught_up", 0)
    assert world.sent() == []
    assert report.is_clean


def test_an_idle_drain_writes_nothing(world: World) -> None:
    """It does not even take the lease."""
    world.capture(1)
    world.drain()
    before = repr(world.stores.ledger)

    world.drain()

    assert repr(world.stores.ledger) == before


@pytest.mark.requirement("D5")
def test_an_empty_journal_is_caught_up(world: World) -> None:
    """No request, no lease, no error."""
    assert world.drain().stopped_because == "caught_up"
    assert world.sent() == []


@pytest.mark.requirement("D6")
def test_local_only_keys_stay_here(world: World) -> None:
    """Every other byte arrives."""
    world.capture_these(['{"event_id":"e1", "n":1.50,"drain_blocked_reason":"x"}'])

    world.drain()

    assert world.receiver.received == {"e1": '{"event_id":"e1", "n":1.50}'}


@pytest.mark.requirement("D7")
def test_an_oversized_event_is_parked(world: World) -> None:
    """Without a request, with its size and the limit; the rest is delivered."""
    texts = [make_envelope("e1"), make_envelope("big", x="y" * 600), make_envelope("e2")]
    world.capture_these(texts)
    world.tell(Script(), capacity=Limits(max_bytes=500))

    report = world.drain()

    assert _counts(report) == {"selected": 3, "delivered": 2, "terminal_failed": 1}
    assert sorted(event for ids in world.sent() for event in ids) == ["e1", "e2"]
    (item,) = world.stores.ledger.history("default", 2)
    size = len(texts[1]) + len('{"events":[]}')
    assert item.reason == f"{size} bytes in a request of its own, the limit is 500"
    assert report.stopped_because == "caught_up"


def test_an_event_between_the_limits_travels_alone(world: World) -> None:
    """Above the packing budget, within the hard limit."""
    world.capture_these([make_envelope("e1"), make_envelope("big", x="y" * 450)])
    world.tell(Script(), capacity=Limits(max_bytes=500))

    world.drain()

    assert world.sent() == [["e1"], ["big"]]


@pytest.mark.requirement("D8")
def test_rejected_events_at_the_head_do_not_block(world: World) -> None:
    """Of 500 with 25 rejected first, 475 are delivered in one pass."""
    ids = world.capture(500)
    world.tell(Script(events={event: {"status": "rejected"} for event in ids[:25]}))

    report = world.drain()

    assert _counts(report) == {"selected": 500, "delivered": 475, "rejected": 25}
    assert (report.stopped_because, report.remaining_owed) == ("caught_up", 25)


def test_rejected_events_go_last(world: World) -> None:
    """In a batch of their own, a later drain and a second later at the earliest."""
    world.capture(3)
    world.tell(Script(events={"e1": {"status": "rejected"}}))
    world.drain()
    world.capture_these([make_envelope("new")])
    assert world.sent() == [["e1", "e2", "e3"]]

    world.drain()
    assert world.sent() == [["new"]]
    world.clock.advance(1)
    world.capture_these([make_envelope("newer")])
    world.drain()
    assert world.sent() == [["newer"], ["e1"]]


@pytest.mark.requirement("D13")
def test_what_is_not_deliverable_does_not_use_up_the_limit(world: World) -> None:
    """2,000 held entries stand before 10 others; the 10 are delivered."""
    world.capture_these([f'{{"event_id":"h{n}","x":1,"x":2}}' for n in range(2_000)])
    world.capture(10)

    report = world.drain()

    assert _counts(report) == {"selected": 10, "delivered": 10}
    assert (report.requests, report.stopped_because) == (1, "caught_up")
    assert world.classes() == {Class.HELD: 2_000, Class.DELIVERED: 10}


def test_order_is_that_of_the_journal(world: World) -> None:
    """Across requests and drains."""
    ids = world.capture(7)
    world.tell(Script(), capacity=Limits(max_events=3))

    world.drain()

    assert world.sent() == [ids[:3], ids[3:6], ids[6:]]


def test_streams_are_drained_one_after_another(world: World) -> None:
    """A batch never mixes them, and one without a grant is named at the end."""
    world.capture_these(
        [make_envelope(f"{name}{n}", project_uuid=name) for n in (1, 2) for name in "abc"]
    )
    for stream in ("a", "c"):
        world.grant(stream)

    report = world.drain("a", "b", "c")

    assert world.sent() == [["a1", "a2"], ["c1", "c2"]]
    assert (report.stopped_because, report.selected) == ("no_grant", 4)


def test_pending_events_are_offered_again_after_five_minutes(world: World) -> None:
    """Alone they are no work left; then ten minutes, and so on."""
    world.capture(1)
    world.tell(Script(events={"e1": {"status": "pending"}}))
    report = world.drain()
    assert (report.is_clean, report.remaining_owed) == (True, 0)
    world.sent()

    offered = []
    for _ in range(16):
        world.clock.advance(60)
        world.drain()
        offered.append(len(world.sent()))

    assert [minute for minute, count in enumerate(offered, start=1) if count] == [5, 15]


def test_an_event_is_offered_once_per_drain(world: World) -> None:
    """Rejected, pending and unknown ones wait for a later drain, however slow this one is."""
    ids = world.capture(4)
    words = ("rejected", "pending", "misunderstood", "success")
    answers: dict[str, dict[str, Any]] = {
        event: {"status": word} for event, word in zip(ids, words, strict=True)
    }
    world.tell(Script(events=answers), capacity=Limits(max_events=1))
    task = Drain(
        stores=world.stores,
        target=world.target,
        receiver=world.receiver,
        clock=world.clock,
        holder=HOLDER,
        progress=lambda _: world.clock.advance(600),
    )

    drain(task, ["default"])

    assert world.sent() == [[event] for event in ids]


def test_a_widened_grant_offers_what_was_passed_over(world: World) -> None:
    """Entries below the first position go once it is lowered."""
    world.stores.grants.revoke(
        world.target.target_id, "default", actor="me", reason="test", at=world.clock()
    )
    world.capture(4)
    world.grant(from_position=2)
    world.drain()
    assert world.sent() == [["e3", "e4"]]

    world.grant(from_position=0)
    world.drain()

    assert world.sent() == [["e1", "e2"]]


def test_history_keeps_one_row_per_request(world: World) -> None:
    """What was sent, its size and digest, and what came of it."""
    world.capture(3)
    world.drain()

    (request,) = world.stores.ledger.requests(world.target.target_id, "default")

    body = '{"events":[' + ",".join(make_envelope(f"e{n}") for n in (1, 2, 3)) + "]}"
    assert (request.positions, request.event_count) == ("1-3", 3)
    assert (request.body_bytes, request.status, request.answer) == (len(body), 200, "go_on")
    assert request.digest == sha256(body.encode()).digest()


def test_progress_is_told_after_every_round(world: World) -> None:
    """With the running counts."""
    world.capture(4)
    world.tell(Script(), capacity=Limits(max_events=2))
    seen: list[int] = []
    task = Drain(
        stores=world.stores,
        target=world.target,
        receiver=world.receiver,
        clock=world.clock,
        holder=HOLDER,
        progress=lambda report: seen.append(report.selected),
    )

    drain(task, ["default"])

    assert seen == [2, 4]
