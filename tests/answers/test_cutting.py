"""A batch that is refused whole: who is to blame is found, and the innocent keep a clean record."""

import json
from typing import Any

import pytest

from eventsync_core.receivers import RequestRule, Script
from tests.answers.ends import World, counts, ids

_REFUSED = "batch validation failed"


def _clean(world: World, *event_ids: str, word: str = "success") -> None:
    """Assert that nothing but a delivery is on the record of these."""
    rows = world.rows()
    for event_id in event_ids:
        assert (rows[event_id][0], rows[event_id][2]) == (word, 0)
        assert world.history(event_id) == []


def _named(*culprits: str, **more: Any) -> list[dict[str, Any]]:
    return [{"event_id": culprit, "detail": f"{culprit} is bad", **more} for culprit in culprits]


@pytest.mark.requirement("B1")
@pytest.mark.requirement("M10")
def test_one_culprit_among_four(world: World) -> None:
    """It was alone in its request, and is rejected with its own reason."""
    world.capture_ids(*ids(4), aggregate_id="one")
    world.tell(Script(poison=frozenset({"e3"})))

    report = world.drain()

    assert counts(report) == {"selected": 4, "delivered": 3, "rejected": 1}
    assert (report.stopped_because, report.remaining_owed) == ("caught_up", 1)
    assert world.offered() == [ids(4), ["e1", "e2"], ["e3", "e4"], ["e3"], ["e4"]]
    assert world.history("e3") == [("rejected", _REFUSED)]
    _clean(world, "e1", "e2", "e4")
    assert list(world.holds()) == ["e1", "e2", "e4"]


@pytest.mark.requirement("B2")
def test_all_are_culprits(world: World) -> None:
    """Each is found, in no more than 2n - 1 requests, and none is offered twice more."""
    world.capture_ids(*ids(6))
    world.tell(Script(poison=frozenset(ids(6))))

    report = world.drain()

    assert counts(report) == {"selected": 6, "rejected": 6}
    assert report.requests == 2 * 6 - 1
    assert {row[2] for row in world.rows().values()} == {1}


@pytest.mark.requirement("B3")
def test_order_is_kept_across_the_cut(world: World) -> None:
    """Creation and change of one aggregate stand on either side of it."""
    world.capture_ids(*ids(7), aggregate_id="one")
    world.tell(Script(poison=frozenset({"e1", "e6"})))

    world.drain()

    assert list(world.holds()) == ["e2", "e3", "e4", "e5", "e7"]
    _clean(world, "e2", "e3", "e4", "e5", "e7")


@pytest.mark.requirement("B4")
def test_two_culprits_of_one_aggregate_end(world: World) -> None:
    """In three requests."""
    world.capture_ids("e1", "e2", aggregate_id="one")
    world.tell(Script(poison=frozenset({"e1", "e2"})))

    report = world.drain()

    assert (report.requests, counts(report)) == (3, {"selected": 2, "rejected": 2})


@pytest.mark.requirement("B5")
def test_what_was_stored_before_is_a_duplicate(world: World) -> None:
    """A server that kept part of a batch it refused, or whose answer was lost, does no harm."""
    world.capture_ids(*ids(3))
    world.tell(Script(requests=[RequestRule(cut="after")]))
    world.drain()
    world.tell(Script(poison=frozenset({"e2"})))

    report = world.drain_later()

    assert counts(report) == {"selected": 3, "duplicate": 2, "rejected": 1}
    assert {row[0] for row in world.rows().values()} == {"duplicate", "rejected"}


@pytest.mark.requirement("B7")
def test_a_later_drain_offers_the_culprit_alone(world: World) -> None:
    """The innocent are done with."""
    world.capture_ids(*ids(5))
    world.tell(Script(poison=frozenset({"e2"})))
    world.drain()
    world.offered()

    report = world.drain_later()

    assert (world.offered(), counts(report)) == ([["e2"]], {"selected": 1, "rejected": 1})
    assert world.rows()["e2"][2] == 2


@pytest.mark.requirement("B8")
@pytest.mark.parametrize(
    ("rule", "outcome", "stop"),
    [
        (RequestRule(status=401), "transient", "target_backoff"),
        (RequestRule(status=412), "transient", "protocol"),
        (RequestRule(cut="before"), "unknown_effect", "target_backoff"),
    ],
)
def test_a_fault_in_the_left_half_spares_the_right(
    world: World, rule: RequestRule, outcome: str, stop: str
) -> None:
    """It is not sent; all are delivered another time, in order."""
    world.capture_ids(*ids(4), aggregate_id="one")
    world.tell(Script(requests=[RequestRule(status=400, body="{}"), rule]))

    report = world.drain()

    assert world.offered() == [ids(4), ["e1", "e2"]]
    assert report.stopped_because == stop
    assert [row[0] for row in world.rows().values()] == [outcome] * 2 + ["transient"] * 2
    assert report.selected == 4
    assert counts(world.drain_later()) == {"selected": 4, "delivered": 4}
    assert list(world.holds()) == ids(4)


@pytest.mark.requirement("M8")
@pytest.mark.requirement("M9")
@pytest.mark.parametrize("is_text", [False, True])
@pytest.mark.parametrize("status", [400, 422])
def test_details_name_the_culprits(world: World, status: int, *, is_text: bool) -> None:
    """They are rejected; the rest was not evaluated, and goes once more without them."""
    world.capture_ids(*ids(5))
    details = _named("e2", "e4", "of another batch")
    body = json.dumps({"error": "no", "details": json.dumps(details) if is_text else details})
    world.tell(Script(requests=[RequestRule(status=status, body=body)]))

    report = world.drain()

    assert counts(report) == {"selected": 5, "delivered": 3, "rejected": 2}
    assert world.offered() == [ids(5), ["e1", "e3", "e5"]]
    assert world.history("e2") == [("rejected", "e2 is bad")]
    assert world.rows()["e4"] == ("rejected", 1, 1)
    _clean(world, "e1", "e3", "e5")


@pytest.mark.requirement("M8")
def test_a_rest_is_sent_once(world: World) -> None:
    """Refused by name again, what is left waits for another drain."""
    world.capture_ids(*ids(3))
    rules = [
        RequestRule(status=400, body=json.dumps({"details": _named(culprit)}))
        for culprit in ("e1", "e2")
    ]
    world.tell(Script(requests=rules))

    report = world.drain()

    assert counts(report) == {"selected": 3, "rejected": 2, "transient": 1}
    assert world.offered() == [ids(3), ["e2", "e3"]]
    assert counts(world.drain_later()) == {"selected": 3, "delivered": 3}


@pytest.mark.requirement("M9")
def test_details_that_refuse_the_project_pause_the_grant(world: World) -> None:
    """Whoever was not named waits with a clean record."""
    world.capture_ids(*ids(3))
    body = json.dumps({"details": _named("e1", code="project_not_consented")})
    world.tell(Script(requests=[RequestRule(status=400, body=body)]))

    report = world.drain()

    assert report.stopped_because == "paused"
    assert counts(report) == {"selected": 3, "rejected": 1, "transient": 2}
    assert world.offered() == [ids(3)]
    _clean(world, "e2", "e3", word="transient")


@pytest.mark.requirement("M12")
@pytest.mark.requirement("M13")
@pytest.mark.parametrize(
    "rule",
    [
        RequestRule(status=413),
        RequestRule(status=413, body='{"error":"payload","limits":{"max_events_per_batch":3}}'),
        RequestRule(status=400, body='{"error":"Batch Too Large"}'),
        RequestRule(status=422, body='{"error":"no","details":"oversized"}'),
    ],
)
def test_a_batch_too_large_is_halved(world: World, rule: RequestRule) -> None:
    """And all that follow; nobody is blamed."""
    world.capture_ids(*ids(6), aggregate_id="one")
    world.tell(Script(requests=[rule]))

    report = world.drain()

    assert counts(report) == {"selected": 6, "delivered": 6}
    assert world.offered() == [ids(6), ["e1", "e2", "e3"], ["e4", "e5", "e6"]]
    _clean(world, *ids(6))
    assert list(world.holds()) == ids(6)


@pytest.mark.requirement("M12")
def test_limits_that_are_told_are_heeded(world: World) -> None:
    """One batch is refused, and all others fit."""
    world.capture_ids(*ids(20), pad="x" * 60)
    world.tell(Script(max_bytes=500))

    report = world.drain()

    assert counts(report) == {"selected": 20, "delivered": 20}
    assert list(world.holds()) == list(ids(20))
    _clean(world, *ids(20))
    requests = world.stores.ledger.requests(world.target.target_id, "default")
    assert [request.status for request in requests if request.status != 200] == [413]
    assert max(request.body_bytes for request in requests[:-1]) <= 500


@pytest.mark.requirement("M12")
@pytest.mark.requirement("L4")
@pytest.mark.parametrize(
    "rule", [RequestRule(status=413), RequestRule(status=400, body='{"error":"oversized"}')]
)
def test_a_single_event_too_large_is_parked(world: World, rule: RequestRule) -> None:
    """It is not offered there again, its text is kept, and it is listed with a reason."""
    world.capture_ids("big")
    world.tell(Script(requests=[rule]))

    report = world.drain()

    assert counts(report) == {"selected": 1, "terminal_failed": 1}
    assert world.classes() == {"terminal_failed": 1}
    ((position, item),) = world.stores.ledger.terminal(world.target.target_id, "default")
    assert (position, item.category, bool(item.reason)) == (1, "oversized_event", True)
    assert world.drain_later().requests == 0
    assert world.stores.journal.find("big") is not None


@pytest.mark.requirement("D7")
def test_an_event_that_can_never_fit_costs_no_request(world: World) -> None:
    """Its size and the limit are on record; the rest is delivered."""
    world.capture_ids("e1")
    world.capture_ids("big", pad="x" * 600_000)
    world.capture_ids("e2")

    report = world.drain()

    assert counts(report) == {"selected": 3, "delivered": 2, "terminal_failed": 1}
    assert sorted(event for batch in world.offered() for event in batch) == ["e1", "e2"]
    ((outcome, reason),) = world.history("big")
    assert (outcome, "524288" in reason) == ("terminal_failed", True)
    _clean(world, "e1", "e2")
