"""Answers to single events, and what the others of their batch are told."""

from typing import Any

import pytest

from eventsync_core.receivers import RequestRule, Script
from tests.answers.ends import World, counts, ids

_MISSING = "the server did not list it"


@pytest.mark.requirement("M1")
@pytest.mark.parametrize("word", ["success", "accepted", "warning", "SUCCESS "])
def test_words_of_success(world: World, word: str) -> None:
    """Each delivers, and leaves no history."""
    world.capture_ids("e1")
    world.tell(Script(events={"e1": {"status": word}}))

    assert counts(world.drain()) == {"selected": 1, "delivered": 1}
    assert world.rows() == {"e1": ("success", 1, 0)}
    assert world.history("e1") == []


@pytest.mark.requirement("M2")
@pytest.mark.requirement("L2")
def test_a_duplicate_is_delivered(world: World) -> None:
    """It is counted beside success, and never offered again."""
    world.capture_ids("e1", "e2")
    world.tell(Script(events={"e1": {"status": "duplicate"}}))

    assert counts(world.drain()) == {"selected": 2, "delivered": 1, "duplicate": 1}
    assert world.classes() == {"delivered": 2}
    assert world.drain_later().requests == 0


@pytest.mark.requirement("M3")
@pytest.mark.requirement("L3")
@pytest.mark.parametrize("word", ["pending", "queued"])
def test_words_of_pending(world: World, word: str) -> None:
    """No error and nothing owed; after five minutes it is asked for again."""
    world.capture_ids("e1")
    world.tell(Script(events={"e1": {"status": word}}))

    first = world.drain()
    world.clock.advance(299)
    early = world.drain()
    world.clock.advance(2)
    world.tell(Script())
    late = world.drain()

    assert (counts(first), first.is_clean) == ({"selected": 1, "pending": 1}, True)
    assert early.requests == 0
    assert counts(late) == {"selected": 1, "duplicate": 1}


@pytest.mark.requirement("M4")
@pytest.mark.requirement("M11")
@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"error": "E"}, "E"),
        ({"error_message": "M"}, "M"),
        ({"reason": "R", "error_message": "M", "error": "E", "detail": "D"}, "D"),
        ({"reason": "R", "error_message": "M"}, "M"),
    ],
)
def test_a_rejection_keeps_its_reason(world: World, said: dict[str, Any], reason: str) -> None:
    """It harms no other event, not even a later one of its aggregate."""
    world.capture_ids(*ids(3), aggregate_id="one")
    world.tell(Script(events={"e2": {"status": "rejected", **said}}))

    report = world.drain()

    assert counts(report) == {"selected": 3, "delivered": 2, "rejected": 1}
    assert (report.stopped_because, report.remaining_owed) == ("caught_up", 1)
    assert world.history("e2") == [("rejected", reason)]
    assert world.history("e1") == world.history("e3") == []
    assert world.rows()["e2"] == ("rejected", 1, 1)
    assert list(world.holds()) == ["e1", "e3"]


@pytest.mark.requirement("M5")
@pytest.mark.requirement("L8")
@pytest.mark.parametrize("word", ["stored", "", "Not Success", None, 200, ["success"]])
def test_an_unknown_word_is_no_delivery(world: World, word: Any) -> None:
    """Its effect is unknown, and a later event of its aggregate waits."""
    world.capture_ids("a1", "a2", aggregate_id="a")
    world.limit(max_events=1)
    world.tell(Script(events={"a1": {"status": word}}))

    report = world.drain()

    assert world.offered() == [["a1"]]
    assert world.rows()["a1"] == ("unknown_effect", 1, 0)
    assert report.remaining_owed == 2
    world.tell(Script())
    assert counts(world.drain_later()) == {"selected": 2, "delivered": 2}
    assert list(world.holds()) == ["a1", "a2"]


_HALF = '{"results":[{"event_id":"e2","status":"success"},{"event_id":"x","status":"success"}]}'
_TWICE = (
    '{"results":[{"event_id":"e1","status":"success"},{"event_id":"e2","status":"success"},'
    '{"event_id":"e1","status":"rejected"}]}'
)


@pytest.mark.requirement("M6")
@pytest.mark.parametrize(
    ("body", "said"),
    [(_HALF, _MISSING), (_TWICE, "the server listed it twice and disagrees")],
)
def test_what_is_missing_or_contradicted_is_no_delivery(world: World, body: str, said: str) -> None:
    """Whatever else is listed."""
    world.capture_ids("e1", "e2")
    world.tell(Script(requests=[RequestRule(body=body)]))

    assert counts(world.drain()) == {"selected": 2, "delivered": 1, "unknown_effect": 1}
    assert world.rows() == {"e1": ("unknown_effect", 1, 0), "e2": ("success", 1, 0)}
    assert world.history("e1") == [("unknown_effect", said)]


@pytest.mark.requirement("M6")
@pytest.mark.parametrize("listed", ["01jmbyaaaaaaaaaaaaaaaaaaaa", "01JMBYAAAAAAAAAAAAAAAAAAAA"])
def test_an_id_may_come_back_respelt(world: World, listed: str) -> None:
    """The acknowledgement is that of the event that was sent."""
    world.capture_ids("01JMBYAAAAAAAAAAAAAAAAAAAA")
    body = f'{{"results":[{{"event_id":"{listed}","status":"success"}}]}}'
    world.tell(Script(requests=[RequestRule(body=body)]))

    assert counts(world.drain()) == {"selected": 1, "delivered": 1}


@pytest.mark.parametrize("status", [201, 202, 207, 299])
def test_any_2xx_with_results_is_an_answer(world: World, status: int) -> None:
    """The number does not matter."""
    world.capture_ids("e1")
    body = '{"results":[{"event_id":"e1","status":"accepted"}]}'
    world.tell(Script(requests=[RequestRule(status=status, body=body)]))

    assert counts(world.drain()) == {"selected": 1, "delivered": 1}


@pytest.mark.requirement("M4")
def test_a_refused_project_pauses_its_stream_alone(world: World) -> None:
    """The event stays rejected; the other stream goes on."""
    world.capture_ids("p1", "p2", project_uuid="ppp")
    world.capture_ids("q1", project_uuid="qqq")
    world.streams = ["ppp", "qqq"]
    for stream in world.streams:
        world.grant(stream)
    refusal = {"status": "rejected", "error_category": "project_not_admitted"}
    world.tell(Script(events={"p1": refusal, "p2": refusal}))

    report = world.drain()

    assert report.stopped_because == "paused"
    assert counts(report) == {"selected": 3, "delivered": 1, "rejected": 2}
    world.offered()
    assert world.drain_later().stopped_because == "paused"
    assert world.offered() == []
    assert world.classes("ppp") == {"rejected": 2}


@pytest.mark.requirement("D6")
def test_every_byte_arrives_but_local_keys(world: World) -> None:
    """Spelling, order, numbers and spaces are those captured."""
    texts = [
        '{"event_id":"e1", "n":1.50,"drain_blocked_reason":"x","s":"\\u00fc\u00fc"}',
        '{ "z":[1e5, -0.0], "event_id" : "e2" }',
    ]
    world.capture(*texts)

    world.drain()

    assert world.holds() == {
        "e1": '{"event_id":"e1", "n":1.50,"s":"\\u00fc\u00fc"}',
        "e2": texts[1],
    }
