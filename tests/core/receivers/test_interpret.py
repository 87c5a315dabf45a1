"""What every answer means, case by case."""

import json
from typing import Any

import pytest

from eventsync_core.receivers import Answer, Effect, Next, Outcome, interpret
from eventsync_core.targets import Limits

_TWO = ("a", "b")
_SUCCESS, _TRANSIENT, _REJECTED = Outcome.SUCCESS, Outcome.TRANSIENT, Outcome.REJECTED
_UNKNOWN = Outcome.UNKNOWN_EFFECT


def _answer(status: int, document: Any = None, **headers: str) -> Answer:
    body = document if isinstance(document, str) else json.dumps(document)
    return Answer(status=status, body=body.encode(), headers=headers)


def _listed(*items: Any) -> Answer:
    return _answer(200, {"results": list(items)})


def _item(event_id: str, status: str, **more: Any) -> dict[str, Any]:
    return {"event_id": event_id, "status": status, **more}


@pytest.mark.requirement("M1")
@pytest.mark.parametrize("word", ["success", "accepted", "warning", " SUCCESS\n"])
def test_words_of_success(word: str) -> None:
    """In any case, with any space around."""
    assert interpret(["a"], _listed(_item("a", word))).outcomes == (_SUCCESS,)


@pytest.mark.requirement("M2")
def test_a_duplicate_is_told_apart() -> None:
    """Delivered, but not by this request."""
    assert interpret(["a"], _listed(_item("a", "duplicate"))).outcomes == (Outcome.DUPLICATE,)


@pytest.mark.requirement("M3")
@pytest.mark.parametrize("word", ["pending", "queued"])
def test_words_of_pending(word: str) -> None:
    """Taken, but not yet done with."""
    assert interpret(["a"], _listed(_item("a", word))).outcomes == (Outcome.PENDING,)


@pytest.mark.requirement("M11")
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"error": "E"}, "E"),
        ({"error_message": "M"}, "M"),
        ({"reason": "R", "error_message": "M"}, "M"),
        ({"reason": "R", "error_message": "M", "error": "E"}, "E"),
        ({"reason": "R", "error_message": "M", "error": "E", "detail": "D"}, "D"),
        ({"detail": " ", "error": 5, "reason": "R"}, "R"),
        ({"error": "two\nlines"}, "two lines"),
        ({}, ""),
    ],
)
def test_the_reason_of_a_rejection(said: dict[str, Any], expected: str) -> None:
    """The first of detail, error, error_message and reason that says anything."""
    verdict = interpret(["a"], _listed(_item("a", "rejected", **said)))

    assert (verdict.outcomes, expected) == ((_REJECTED,), verdict.details[0].reason)


@pytest.mark.parametrize(
    "category", ["project_not_admitted", "project_not_consented", "PROJECT_REFUSED"]
)
def test_a_refused_project_pauses_the_grant(category: str) -> None:
    """The event stays rejected."""
    verdict = interpret(["a"], _listed(_item("a", "rejected", error_category=category)))

    assert (verdict.outcomes, verdict.pauses_grant) == ((_REJECTED,), True)


def test_any_other_category_is_kept_and_pauses_nothing() -> None:
    """It stands beside the reason."""
    verdict = interpret(["a"], _listed(_item("a", "rejected", code="Schema_Mismatch")))

    assert verdict.details[0].category == "schema_mismatch"
    assert not verdict.pauses_grant


@pytest.mark.requirement("M5")
@pytest.mark.parametrize("status", ["stored", "", "successful", None, 1, True, []])
def test_an_unknown_word_is_no_success(status: Any) -> None:
    """Its effect is unknown, and the rest is judged as listed."""
    answer = _listed({"event_id": "a", "status": status}, _item("b", "success"))

    assert interpret(_TWO, answer).outcomes == (_UNKNOWN, _SUCCESS)


@pytest.mark.requirement("M6")
def test_a_missing_entry_is_no_success() -> None:
    """Its effect is unknown; entries nobody asked for are ignored."""
    answer = _listed(_item("b", "success"), _item("c", "success"), None, 5, {"status": "success"})

    assert interpret(_TWO, answer).outcomes == (_UNKNOWN, _SUCCESS)


def test_a_server_that_contradicts_itself_is_not_believed() -> None:
    """Listed twice with two outcomes, an event is of unknown effect; twice alike it is not."""
    answer = _listed(
        _item("a", "success"),
        _item("a", "rejected"),
        _item("a", "success"),
        _item("b", "success"),
        _item("b", "accepted"),
    )

    assert interpret(_TWO, answer).outcomes == (_UNKNOWN, _SUCCESS)


def test_an_id_respelt_by_the_server_is_found() -> None:
    """ULIDs in other case, UUIDs in other case or without hyphens."""
    ulid, uuid = "01jmbyaaaaaaaaaaaaaaaaaaaa", "0E8C6C2A-5B7F-4C39-9E0A-1B2C3D4E5F60"
    answer = _listed(
        _item(ulid.upper(), "success"), _item(uuid.lower().replace("-", ""), "success")
    )

    assert interpret([ulid, uuid], answer).outcomes == (_SUCCESS, _SUCCESS)


def test_the_exact_id_counts_before_another_spelling() -> None:
    """Two events whose ids differ by case alone are never mixed up."""
    lower, upper = "a" * 26, "A" * 26

    answer = _listed(_item(upper, "success"))
    assert interpret([lower, upper], answer).outcomes == (_UNKNOWN, _SUCCESS)
    answer = _listed(_item(lower, "rejected"), _item(upper, "success"))
    assert interpret([lower], answer).outcomes == (_REJECTED,)


@pytest.mark.parametrize("status", [200, 201, 202, 207, 299])
def test_any_2xx_with_results_is_a_batch_answer(status: int) -> None:
    """The number does not matter."""
    verdict = interpret(["a"], _answer(status, {"results": [_item("a", "success")]}))

    assert (verdict.outcomes, verdict.next) == ((_SUCCESS,), Next.GO_ON)


@pytest.mark.requirement("M7")
@pytest.mark.parametrize("body", ["", "<html>", "[]", "null", '{"results":{}}', '{"results":null}'])
@pytest.mark.parametrize("status", [200, 204])
def test_a_2xx_that_is_no_batch_answer(status: int, body: str) -> None:
    """Everything is of unknown effect, and the pass stops."""
    verdict = interpret(_TWO, _answer(status, body))

    assert verdict.outcomes == (_UNKNOWN, _UNKNOWN)
    assert (verdict.next, verdict.effect) == (Next.PROTOCOL, Effect.UNKNOWN)


def test_an_answer_that_breaks_off_is_not_believed() -> None:
    """Even where the part that arrived reads like an answer."""
    whole = _listed(_item("a", "success"))

    verdict = interpret(["a"], Answer(status=200, body=whole.body, is_whole=False))

    assert verdict.outcomes == (_UNKNOWN,)


@pytest.mark.requirement("M8")
@pytest.mark.parametrize("is_text", [False, True])
@pytest.mark.parametrize("status", [400, 422])
def test_details_name_the_culprits(status: int, *, is_text: bool) -> None:
    """They are rejected with their reasons; the rest was not evaluated and is sent again."""
    details: Any = [{"event_id": "b", "detail": "D", "error": "E"}, {"event_id": "z"}, "x"]
    document = {"error": "top", "details": json.dumps(details) if is_text else details}

    verdict = interpret(("a", "b", "c"), _answer(status, document))

    assert verdict.outcomes == (_TRANSIENT, _REJECTED, _TRANSIENT)
    assert (verdict.next, verdict.effect) == (Next.RESEND_REST, Effect.NONE)
    assert {index: detail.reason for index, detail in verdict.details.items()} == {1: "D"}


def test_a_culprit_without_a_reason_has_that_of_the_batch() -> None:
    """The top-level text stands in; with nobody left there is no rest to send."""
    document = {"error": "top", "details": [{"event_id": "a"}, {"event_id": "b"}]}

    verdict = interpret(_TWO, _answer(400, document))

    assert verdict.outcomes == (_REJECTED, _REJECTED)
    assert (verdict.next, verdict.details[0].reason) == (Next.GO_ON, "top")


@pytest.mark.requirement("M10")
@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    "document",
    [None, {}, {"error": "no"}, {"details": "no"}, {"details": []}, {"details": [{"x": 1}]}],
)
def test_a_refusal_without_details(status: int, document: Any) -> None:
    """A batch is to be cut; a single event is rejected with what was said."""
    batch, single = (interpret(sent, _answer(status, document)) for sent in (_TWO, ["a"]))

    assert (batch.next, batch.effect) == (Next.BISECT, Effect.NONE)
    assert batch.outcomes == (_TRANSIENT, _TRANSIENT)
    assert (single.outcomes, single.next) == ((_REJECTED,), Next.GO_ON)
    assert single.details[0].reason


@pytest.mark.requirement("M12")
@pytest.mark.requirement("M13")
@pytest.mark.parametrize(
    "answer",
    [
        _answer(413),
        _answer(413, {"error": "payload"}),
        _answer(400, {"error": "Batch Too Large"}),
        _answer(400, {"detail": "oversized event"}),
    ],
)
def test_too_large(answer: Answer) -> None:
    """A batch is to be halved; a single event can never go."""
    batch, single = (interpret(sent, answer) for sent in (_TWO, ["a"]))

    assert (batch.next, batch.outcomes) == (Next.HALVE, (_TRANSIENT, _TRANSIENT))
    assert batch.effect is Effect.NONE
    assert (single.next, single.outcomes) == (Next.GO_ON, (Outcome.TERMINAL_FAILED,))
    assert single.details[0].category == "oversized_event"


def test_a_413_may_name_its_limits() -> None:
    """They are handed on."""
    limits = {"max_events_per_batch": 10, "max_decompressed_bytes_per_batch": 1000}

    verdict = interpret(_TWO, _answer(413, {"limits": limits}))

    assert verdict.limits == Limits(max_events=10, max_bytes=1000)


@pytest.mark.requirement("M14")
@pytest.mark.parametrize(
    ("status", "then", "effect"),
    [
        (401, Next.BACK_OFF, Effect.NONE),
        (403, Next.BACK_OFF, Effect.NONE),
        (429, Next.BACK_OFF, Effect.NONE),
        (408, Next.BACK_OFF, Effect.UNKNOWN),
        (500, Next.BACK_OFF, Effect.UNKNOWN),
        (502, Next.BACK_OFF, Effect.UNKNOWN),
        (503, Next.BACK_OFF, Effect.UNKNOWN),
        (504, Next.BACK_OFF, Effect.UNKNOWN),
        (301, Next.PROTOCOL, Effect.NONE),
        (308, Next.PROTOCOL, Effect.NONE),
        (412, Next.PROTOCOL, Effect.NONE),
        (410, Next.PAUSE_TARGET, Effect.NONE),
        (404, Next.PROTOCOL, Effect.UNKNOWN),
        (100, Next.PROTOCOL, Effect.UNKNOWN),
    ],
)
def test_faults_of_a_whole_request(status: int, then: Next, effect: Effect) -> None:
    """Every event is transient, whatever the body says."""
    verdict = interpret(_TWO, _answer(status, {"results": [_item("a", "success")]}))

    assert verdict.outcomes == (_TRANSIENT, _TRANSIENT)
    assert (verdict.next, verdict.effect, verdict.status) == (then, effect, status)
    assert verdict.guidance


@pytest.mark.requirement("D11")
@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"sync_protocol": {"upgrade_guidance": "get 4"}, "error_description": "old"}, "get 4"),
        ({"sync_protocol": 5, "error_description": "old", "error": "e"}, "old"),
        ({"error": "e"}, "e"),
    ],
)
def test_a_412_shows_the_server_s_guidance(document: Any, expected: str) -> None:
    """Upgrade guidance before description before error."""
    assert interpret(["a"], _answer(412, document)).guidance == f"412: {expected}"


@pytest.mark.requirement("D12")
def test_the_time_to_wait_is_handed_on() -> None:
    """As the server wrote it."""
    told = interpret(["a"], _answer(429, None, **{"retry-after": "7"}))
    assert told.guidance.endswith("it asks for 7 s")


@pytest.mark.requirement("M15")
def test_no_answer() -> None:
    """Before the first byte nothing can have happened; after it, anything."""
    before = interpret(["a"], Answer(fault="refused", reached=False))
    after = interpret(["a"], Answer(fault="timed out"))

    assert (before.outcomes, before.effect) == ((_TRANSIENT,), Effect.NONE)
    assert (after.outcomes, after.effect) == ((_UNKNOWN,), Effect.UNKNOWN)
    assert (before.status, before.guidance, after.guidance) == (None, "refused", "timed out")


@pytest.mark.requirement("M16")
@pytest.mark.parametrize("status", [None, 200, 400, 413, 500])
def test_nothing_sent_has_no_outcomes(status: int | None) -> None:
    """An empty batch gives an empty verdict."""
    assert interpret([], Answer(status=status)).outcomes == ()
