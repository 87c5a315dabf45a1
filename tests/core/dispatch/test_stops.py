"""Why a drain stops, and what is then still owed."""

import attrs
import pytest

from eventsync_core.census import Class
from eventsync_core.dispatch import Budget, Drain, Report, drain
from eventsync_core.receivers import Gate, Outcome, RequestRule, Script, StubReceiver
from eventsync_core.targets import Limits
from eventsync_core.testing import (
    HOLDER,
)
from tests.core.dispatch.conftest import World


def _counts(report: Report) -> dict[str, int]:
    return {word: count for word, count in report.counts().items() if count}


@pytest.mark.requirement("D9")
def test_a_closed_gate_sends_nothing(world: World) -> None:
    """It is named, written to no row, and everything is still owed."""

    @attrs.define
    class Gated(StubReceiver):
        def closed_gates(self) -> tuple[Gate, ...]:
            return (Gate.MISSING_AUTH,)

    world.capture(2)
    world.receiver = Gated(world.target.target_id)

    report = world.drain()

    assert (report.stopped_because, report.remaining_owed) == ("gate:missing_auth", 2)
    assert report.fix
    assert world.sent() == []
    assert world.classes() == {Class.OWED: 2}


@pytest.mark.requirement("J7")
def test_what_was_captured_before_a_grant_is_delivered_after(world: World) -> None:
    """Until then the drain says that there is none."""
    world.stores.grants.revoke(
        world.target.target_id, "default", actor="me", reason="test", at=world.clock()
    )
    world.capture(2)
    assert world.drain().stopped_because == "no_grant"
    assert world.sent() == []

    world.grant()
    assert _counts(world.drain()) == {"selected": 2, "delivered": 2}


def test_a_stream_without_events_needs_no_grant(world: World) -> None:
    """Nothing waits there."""
    assert world.drain("nowhere").stopped_because == "caught_up"


def test_a_grant_revoked_meanwhile_stops_the_drain(world: World) -> None:
    """Before the next request; what was answered is kept."""
    world.capture(4)
    world.tell(Script(), capacity=Limits(max_events=2))
    task = Drain(
        stores=world.stores,
        target=world.target,
        receiver=world.receiver,
        clock=world.clock,
        holder=HOLDER,
        progress=lambda _: world.stores.grants.revoke(
            world.target.target_id, "default", actor="me", reason="test", at=world.clock()
        ),
    )

    report = drain(task, ["default"])

    assert (report.stopped_because, report.requests) == ("no_grant", 1)
    assert world.classes() == {Class.DELIVERED: 2, Class.NOT_GRANTED: 2}


@pytest.mark.parametrize(
    ("rule", "stop", "outcome"),
    [
        (RequestRule(status=401), "target_backoff", Outcome.TRANSIENT),
        (RequestRule(status=429, headers={"retry-after": "9"}), "target_backoff", "transient"),
        (RequestRule(status=503), "target_backoff", Outcome.TRANSIENT),
        (RequestRule(cut="before"), "target_backoff", Outcome.UNKNOWN_EFFECT),
        (RequestRule(cut="after"), "target_backoff", Outcome.UNKNOWN_EFFECT),
        (RequestRule(status=412, body='{"error":"old"}'), "protocol", Outcome.TRANSIENT),
        (RequestRule(status=404), "protocol", Outcome.TRANSIENT),
        (RequestRule(status=301), "protocol", Outcome.TRANSIENT),
        (RequestRule(body="<html>"), "protocol", Outcome.UNKNOWN_EFFECT),
        (RequestRule(status=410), "paused", Outcome.TRANSIENT),
    ],
)
@pytest.mark.requirement("D10")
def test_a_fault_of_the_whole_request_stops_the_pass(
    world: World, rule: RequestRule, stop: str, outcome: str
) -> None:
    """After one request; nothing is parked, and no rejection is counted."""
    world.capture(4)
    world.tell(Script(requests=[rule]), capacity=Limits(max_events=2))

    report = world.drain()

    assert (report.stopped_because, report.requests) == (stop, 1)
    assert _counts(report) == {"selected": 2, outcome: 2}
    assert report.remaining_owed == 4
    row = world.stores.ledger.entry(world.target.target_id, "default", 1)
    assert row is not None
    assert (row.attempts, row.rejections) == (1, 0)


@pytest.mark.requirement("D11")
def test_after_a_412_the_next_drain_offers_the_same(world: World) -> None:
    """The guidance is shown, and nothing was lost."""
    ids = world.capture(3)
    body = '{"sync_protocol":{"upgrade_guidance":"get version 4"}}'
    world.tell(Script(requests=[RequestRule(status=412, body=body)]))

    assert "get version 4" in world.drain().message
    assert _counts(world.drain()) == {"selected": 3, "delivered": 3}
    assert world.sent() == [ids, ids]


def test_a_gone_target_rests_until_it_is_chosen_again(world: World) -> None:
    """The next drain sends nothing."""
    world.capture(1)
    world.tell(Script(requests=[RequestRule(status=410)]))
    world.drain()
    world.sent()

    assert world.drain().stopped_because == "paused"
    assert world.sent() == []
    world.stores.targets.pause(world.target.target_id, "")
    assert world.drain().is_clean


def test_a_refused_project_rests_until_it_is_granted_again(world: World) -> None:
    """The event stays rejected, the grant is paused."""
    world.capture(1)
    refusal = {"status": "rejected", "error_category": "project_not_admitted"}
    world.tell(Script(events={"e1": refusal}))

    report = world.drain()
    assert (report.stopped_because, _counts(report)) == ("paused", {"selected": 1, "rejected": 1})
    world.clock.advance(2)
    assert world.drain().stopped_because == "paused"

    world.tell(Script())
    world.grant()
    assert world.drain().is_clean


@pytest.mark.parametrize(
    ("budget", "requests", "delivered"),
    [
        (Budget(requests=2), 2, 4),
        (Budget(events=3), 2, 3),
        (Budget(seconds=0), 0, 0),
        (Budget(requests=0), 0, 0),
    ],
)
def test_a_budget_is_kept(world: World, budget: Budget, requests: int, delivered: int) -> None:
    """Requests, events or seconds; the rest is still owed, and the report says why."""
    world.capture(9)
    world.tell(Script(), capacity=Limits(max_events=2))

    report = world.drain(budget=budget)

    assert (report.stopped_because, report.requests) == ("budget", requests)
    assert report.counts()["delivered"] == delivered
    assert report.remaining_owed == 9 - delivered


def test_a_budget_of_time_is_kept(world: World) -> None:
    """It is looked at before each request."""
    world.capture(4)
    world.tell(Script(), capacity=Limits(max_events=1))
    task = Drain(
        stores=world.stores,
        target=world.target,
        receiver=world.receiver,
        clock=world.clock,
        holder=HOLDER,
        budget=Budget(seconds=2),
        progress=lambda _: world.clock.advance(1),
    )

    report = drain(task, ["default"])

    assert (report.stopped_because, report.requests) == ("budget", 2)
