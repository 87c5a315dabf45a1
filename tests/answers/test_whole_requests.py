"""Answers to a whole request: what the ledger says, why the drain stops, what may go again."""

import attrs
import pytest

from eventsync_core.receivers import RequestRule, Script
from tests.answers.ends import World, counts, ids


@attrs.frozen(kw_only=True)
class Case:
    """A rule for the first request of three events, and what must come of it."""

    rule: RequestRule
    outcome: str
    stop: str
    says: str = ""


def _case(case: str, rule: RequestRule, outcome: str, stop: str, says: str = "") -> object:
    marks = [pytest.mark.requirement(word) for word in case.split()]
    name = f"{rule.status}-{rule.cut or (rule.body or '')[:12]}"
    return pytest.param(
        Case(rule=rule, outcome=outcome, stop=stop, says=says), id=name, marks=marks
    )


_WAIT = {"Retry-After": "7"}
CASES = [
    _case("M7", RequestRule(body="<html>hello</html>"), "unknown_effect", "protocol"),
    _case("M7", RequestRule(body=""), "unknown_effect", "protocol"),
    _case("M7", RequestRule(body='{"results":{}}'), "unknown_effect", "protocol"),
    _case("M7", RequestRule(body="[]"), "unknown_effect", "protocol"),
    _case("M7", RequestRule(status=204), "unknown_effect", "protocol"),
    _case("M7", RequestRule(body="[" * 9_000), "unknown_effect", "protocol"),
    _case(
        "M14 D10", RequestRule(status=401, body='{"error":"who?"}'), "transient", "target_backoff"
    ),
    _case("M14", RequestRule(status=403), "transient", "target_backoff"),
    _case("M14", RequestRule(status=408), "transient", "target_backoff"),
    _case(
        "M14 D12", RequestRule(status=429, headers=_WAIT), "transient", "target_backoff", "for 7 s"
    ),
    _case("M14", RequestRule(status=500, body='{"error":"oh"}'), "transient", "target_backoff"),
    _case("M14", RequestRule(status=502, body="<html>"), "transient", "target_backoff", "502"),
    _case("M14", RequestRule(status=503, headers=_WAIT), "transient", "target_backoff", "for 7 s"),
    _case("M14", RequestRule(status=504), "transient", "target_backoff", "504"),
    _case("M15 B6", RequestRule(cut="before"), "unknown_effect", "target_backoff"),
    _case("M15 B6", RequestRule(cut="after"), "unknown_effect", "target_backoff"),
    _case(
        "D11",
        RequestRule(status=412, body='{"sync_protocol":{"upgrade_guidance":"get version 4"}}'),
        "transient",
        "protocol",
        "get version 4",
    ),
    _case("D11", RequestRule(status=412), "transient", "protocol", "does not take"),
    _case("M14", RequestRule(status=404, body='{"error":"no such"}'), "transient", "protocol"),
    _case("M14", RequestRule(status=451), "transient", "protocol", "451"),
    _case(
        "M14",
        RequestRule(status=308, headers={"Location": "https://b.example/"}),
        "transient",
        "protocol",
        "https://b.example/",
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_one_answer_to_all(world: World, case: Case) -> None:
    """
    One request, one outcome for all, nothing parked and no rejection counted.

    A later drain offers the same events in the same order, and all are delivered.
    """
    sent = world.capture_ids(*ids(3), aggregate_id="one")
    world.tell(Script(requests=[case.rule]))

    report = world.drain()

    assert (report.stopped_because, report.requests) == (case.stop, 1)
    assert counts(report) == {"selected": 3, case.outcome: 3}
    assert case.says in report.message
    assert report.fix
    assert world.rows() == dict.fromkeys(sent, (case.outcome, 1, 0))
    assert world.offered() == [sent]
    assert report.remaining_owed == 3
    assert set(world.holds()) == (set(sent) if case.rule.cut == "after" else set())

    again = world.drain_later()

    word = "duplicate" if case.rule.cut == "after" else "delivered"
    assert counts(again) == {"selected": 3, word: 3}
    assert (again.stopped_because, again.remaining_owed) == ("caught_up", 0)
    assert world.offered() == [sent]
    assert list(world.holds()) == sent
    row = ("duplicate" if case.rule.cut == "after" else "success", 2, 0)
    assert world.rows() == dict.fromkeys(sent, row)


@pytest.mark.requirement("M14")
def test_a_target_that_is_gone_rests(world: World) -> None:
    """410 pauses it: nothing is sent until it is let go on, whatever time passes."""
    sent = world.capture_ids(*ids(3))
    world.tell(Script(requests=[RequestRule(status=410)]))

    first, later = world.drain(), world.drain_later()

    assert (first.stopped_because, later.stopped_because) == ("paused", "paused")
    assert counts(first) == {"selected": 3, "transient": 3}
    assert (later.requests, later.remaining_owed) == (0, 3)
    world.stores.targets.pause(world.target.target_id, "")
    assert counts(world.drain_later()) == {"selected": 3, "delivered": 3}
    assert list(world.holds()) == sent


@pytest.mark.requirement("D12")
def test_a_wait_that_is_asked_for_is_kept(world: World) -> None:
    """Until it is over nothing is sent, however often a drain is run; then all goes on."""
    sent = world.capture_ids(*ids(3))
    world.tell(Script(requests=[RequestRule(status=429, headers={"Retry-After": "240"})]))
    world.drain()

    for _ in range(4):
        world.clock.advance(55)
        early = world.drain()
        assert (early.stopped_because, early.requests) == ("target_backoff", 0)
        assert early.remaining_owed == 3
    world.clock.advance(30)

    assert counts(world.drain()) == {"selected": 3, "delivered": 3}
    assert world.offered() == [sent, sent]
    assert world.rows() == dict.fromkeys(sent, ("success", 2, 0))


@pytest.mark.requirement("D5")
@pytest.mark.requirement("M16")
def test_nothing_to_send_is_no_request(world: World) -> None:
    """An empty journal is caught up."""
    report = world.drain()

    assert (report.stopped_because, report.requests, world.offered()) == ("caught_up", 0, [])


@pytest.mark.requirement("D9")
def test_nothing_is_sent_without_a_grant(world: World) -> None:
    """What waits is still owed, and nobody was asked."""
    world.capture_ids(*ids(2))
    world.stores.grants.revoke(
        world.target.target_id, "default", actor="me", reason="test", at=world.clock()
    )

    report = world.drain()

    assert (report.stopped_because, report.requests) == ("no_grant", 0)
    assert (world.offered(), world.holds(), world.rows()) == ([], {}, {})


@pytest.mark.requirement("L7")
@pytest.mark.requirement("L9")
@pytest.mark.requirement("L10")
def test_attempts_and_rejections_are_counted_apart(world: World) -> None:
    """Every request is an attempt, only a no counts as a rejection; success clears what was."""
    world.capture_ids("e1")
    refusal = {"e1": {"status": "rejected", "error": "not yet"}}
    world.tell(Script(events=refusal))
    world.drain()
    assert world.rows() == {"e1": ("rejected", 1, 1)}

    world.tell(Script(requests=[RequestRule(status=503)], events=refusal))
    world.drain_later()
    assert world.rows() == {"e1": ("transient", 2, 1)}

    world.drain_later()
    assert world.rows() == {"e1": ("rejected", 3, 2)}

    world.tell(Script())
    world.drain_later()
    assert world.rows() == {"e1": ("success", 4, 2)}
    assert world.history("e1") == [("rejected", "not yet"), ("rejected", "not yet")]
    assert world.classes() == {"delivered": 1}
