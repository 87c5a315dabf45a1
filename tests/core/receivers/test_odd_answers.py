"""Answers at the edge of the contract: what is odd is told apart from what is wrong."""

import json
from typing import Any

import pytest

from eventsync_core.receivers import Answer, Effect, Next, Outcome, interpret
from eventsync_core.targets import Limits

_TWO = ("a", "b")
_THREE = ("a", "b", "c")
_SUCCESS, _TRANSIENT, _REJECTED = Outcome.SUCCESS, Outcome.TRANSIENT, Outcome.REJECTED
_UNKNOWN = Outcome.UNKNOWN_EFFECT
_ULID, _UUID = "01jmbyaaaaaaaaaaaaaaaaaaaa", "0E8C6C2A-5B7F-4C39-9E0A-1B2C3D4E5F60"


def _answer(status: int, document: Any = None, **more: Any) -> Answer:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Answer(status=status, body=body, **more)


def _item(event_id: str, status: str = "success", **more: Any) -> dict[str, Any]:
    return {"event_id": event_id, "status": status, **more}


@pytest.mark.requirement("M8")
@pytest.mark.parametrize("named", [_ULID.upper(), _ULID])
@pytest.mark.parametrize("is_text", [False, True])
def test_details_may_name_an_id_in_another_spelling(named: str, *, is_text: bool) -> None:
    """ULIDs in another case, UUIDs in another case or without hyphens."""
    details = [
        {"event_id": named, "detail": "bad field"},
        {"event_id": _UUID.lower().replace("-", ""), "reason": "bad uuid"},
    ]
    document = {"error": "no", "details": json.dumps(details) if is_text else details}

    verdict = interpret((_ULID, "b", _UUID), _answer(400, document))

    assert verdict.outcomes == (_REJECTED, _TRANSIENT, _REJECTED)
    assert [verdict.details[index].reason for index in (0, 2)] == ["bad field", "bad uuid"]
    assert verdict.next is Next.RESEND_REST


def test_details_never_mix_up_ids_that_differ_in_case_alone() -> None:
    """The exact id is blamed, the other not."""
    lower, upper = "a" * 26, "A" * 26

    verdict = interpret((lower, upper), _answer(400, {"details": [{"event_id": upper}]}))

    assert verdict.outcomes == (_TRANSIENT, _REJECTED)


def test_an_event_named_twice_keeps_what_was_said_first() -> None:
    """It is one rejection."""
    details = [{"event_id": "a", "error": "one"}, {"event_id": "a", "error": "two"}]

    assert interpret(_TWO, _answer(400, {"details": details})).details[0].reason == "one"


@pytest.mark.requirement("M10")
@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"error": "invalid", "details": "a field is missing"}, "invalid: a field is missing"),
        ({"details": "a field is missing"}, "a field is missing"),
        ({"error": "a field is missing", "details": "is missing"}, "a field is missing"),
        ({"error": "invalid", "details": '{"x":1}'}, 'invalid: {"x":1}'),
        ({"error": "invalid", "details": 5}, "invalid"),
        (None, "the server answered 400"),
    ],
)
def test_details_may_be_a_sentence(document: Any, expected: str) -> None:
    """It is part of the reason."""
    single, batch = (interpret(sent, _answer(400, document)) for sent in (["a"], _TWO))

    assert single.details[0].reason == expected
    assert batch.guidance == f"400: {expected}"


@pytest.mark.requirement("M13")
@pytest.mark.parametrize(
    "document",
    [
        {"error": "Batch validation failed", "details": "payload too large"},
        {"detail": "not taken", "error": "OVERSIZED batch"},
        {"error_message": "far too large"},
    ],
)
def test_too_large_may_be_said_in_any_text(document: Any) -> None:
    """Also where it is not the reason shown."""
    assert interpret(_TWO, _answer(400, document)).next is Next.HALVE


@pytest.mark.parametrize("body", [b"<h1>Request Header Or Cookie Too Large</h1>", b'"too large"'])
def test_too_large_outside_of_an_answer_is_not_believed(body: bytes) -> None:
    """A proxy's page is about something else; nothing is parked for it."""
    assert interpret(["a"], _answer(400, body)).outcomes == (_REJECTED,)


@pytest.mark.requirement("M12")
def test_a_single_event_too_large_names_the_limit() -> None:
    """Where the server tells it."""
    document = {"error": "payload", "limits": {"max_decompressed_bytes_per_batch": 1000}}

    verdict = interpret(["a"], _answer(413, document))

    assert verdict.details[0].reason == "payload; its limit is 1000 bytes"


@pytest.mark.parametrize("category", ["project_refused", "Project_Not_Admitted"])
def test_details_that_refuse_the_project_pause_the_grant(category: str) -> None:
    """The events named stay rejected, the others are not evaluated."""
    details = [{"event_id": "b", "category": category}]

    verdict = interpret(_TWO, _answer(400, {"details": details}))

    assert (verdict.outcomes, verdict.pauses_grant) == ((_TRANSIENT, _REJECTED), True)


@pytest.mark.requirement("D11")
@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"error_code": "client-too-old"}, "client-too-old"),
        ({"error_code": "client-too-old", "error_description": "old"}, "old"),
        ({"sync_protocol": {"upgrade_guidance": " "}, "error_description": 5, "error": "e"}, "e"),
        ({"error_code": 5}, "the server does not take what this version sends"),
        (None, "the server does not take what this version sends"),
    ],
)
def test_a_412_always_tells_something(document: Any, expected: str) -> None:
    """Guidance, description, reason, code, and else a sentence of ours."""
    assert interpret(["a"], _answer(412, document)).guidance == f"412: {expected}"


@pytest.mark.parametrize(
    "status", [-1, 0, 99, 100, 199, 402, 404, 405, 406, 407, 409, 411, 418, 421, 423, 425, 451]
)
def test_a_status_without_a_meaning_stops_the_pass(status: int) -> None:
    """Nothing is parked, and what it did is unknown."""
    verdict = interpret(_TWO, _answer(status, {"results": [_item("a")], "error": "why"}))

    assert verdict.outcomes == (_TRANSIENT, _TRANSIENT)
    assert (verdict.next, verdict.effect) == (Next.PROTOCOL, Effect.UNKNOWN)
    assert verdict.guidance == f"{status}: why"


@pytest.mark.parametrize("status", [600, 999, 1_000])
def test_a_number_beyond_all_statuses_is_no_server_error(status: int) -> None:
    """It stops the pass as one that makes no sense."""
    assert interpret(["a"], _answer(status)).next is Next.PROTOCOL


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308, 399])
def test_a_redirect_names_where_it_leads(status: int) -> None:
    """It had no effect and is not followed."""
    headers = {"Location": "https://b.example/\n"}

    verdict = interpret(["a"], _answer(status, None, headers=headers))

    assert (verdict.next, verdict.effect) == (Next.PROTOCOL, Effect.NONE)
    assert "https://b.example/;" in verdict.guidance


@pytest.mark.requirement("M5")
@pytest.mark.parametrize(
    "body",
    [
        b'{"results":[{"event_id":"a","status":"rejected","status":"success"}]}',
        b'{"results":[{"event_id":"b","event_id":"a","status":"success"}]}',
        b'{"results":[],"results":[{"event_id":"a","status":"success"}]}',
        b'{"results":[{"event_id":"a","status":"success"},{"event_id":"a","status":"rejected"}]}',
        b'{"results":[{"event_id":"a ","status":"success"}]}',
        b'{"results":[{"event_id":["a"],"status":"success"}]}',
        b'{"results":[["a","success"]]}',
        b'{"results":{"a":"success"}}',
        b'{"results":[{"id":"a","status":"success"}]}',
        b'{"results":[{"event_id":"a","status":"success"}]',
        b'{"results":[{"event_id":"a","status":"success"}]}}',
        b'[{"event_id":"a","status":"success"}]',
        b'{"results":[{"event_id":"a","status":"success"}],"x":' + b"9" * 5_000 + b"}",
        b'{"results":[{"event_id":"a","status":"success"}],"x":' + b"[" * 5_000,
        b'{"results":[{"event_id":"a","status":"success","x":"\xff"}]}',
        b'{"Results":[{"event_id":"a","status":"success"}]}',
    ],
)
def test_what_could_be_read_as_a_delivery_is_none(body: bytes) -> None:
    """What a suspicious reader doubts is of unknown effect."""
    assert interpret(["a"], _answer(200, body)).outcomes == (_UNKNOWN,)


@pytest.mark.requirement("M1")
@pytest.mark.parametrize(
    "body",
    [
        b'\xef\xbb\xbf{"results":[{"event_id":"a","status":"success"}]}',
        b'\r\n {"results" : [ {"status":"success", "event_id":"\\u0061"} ] }\n',
        b'{"results":[{"event_id":"a","status":"success","took":NaN}]}',
        b'{"results":[{"event_id":"a","status":"success","x":1e999}],"x":{"y":1,"y":2}}',
        '{"results":[{"event_id":"a","status":"success"}]}'.encode("utf-16"),
    ],
)
def test_an_acknowledgement_in_an_odd_dress_is_one(body: bytes) -> None:
    """A byte order mark, spaces, escapes, and oddities elsewhere do no harm."""
    assert interpret(["a"], _answer(200, body)).outcomes == (_SUCCESS,)


def test_what_a_server_says_can_be_stored_and_printed() -> None:
    """Half surrogates, control characters and endless texts are cut out."""
    odd = "\ud800\x00\x1b[31m" + "x" * 5_000
    document = {"results": [_item("a", "rejected", error=odd, code=odd), _item("b", odd)]}

    verdict = interpret(_TWO, _answer(200, document))

    for detail in verdict.details.values():
        for text in (detail.reason, detail.category or ""):
            assert len(text) <= 500
            assert text.isprintable()
            text.encode()


@pytest.mark.parametrize("count", [2, 3, 1_000])
def test_a_batch_answer_beyond_the_reader_s_bound(count: int) -> None:
    """Of unknown effect; what follows goes in batches half as large, whose answers fit."""
    sent = [f"e{number}" for number in range(count)]
    body = json.dumps({"results": [_item(event_id, x="y" * 90) for event_id in sent]}).encode()

    verdict = interpret(sent, _answer(200, body[:-9], is_whole=False, exceeds=True))

    assert set(verdict.outcomes) == {_UNKNOWN}
    assert (verdict.next, verdict.effect) == (Next.GO_ON, Effect.UNKNOWN)
    assert verdict.limits == Limits(max_events=count // 2)
    assert str(count) in verdict.guidance


@pytest.mark.parametrize(
    ("sent", "body"), [(("a",), b'{"results":['), (_TWO, b"<html>" + b" " * 999 + b'"results"')]
)
def test_an_endless_answer_that_is_nothing_else_stops_the_pass(
    sent: tuple[str, ...], body: bytes
) -> None:
    """A single event has nothing to halve, and a page is no batch answer."""
    verdict = interpret(sent, _answer(200, body, is_whole=False, exceeds=True))

    assert set(verdict.outcomes) == {_UNKNOWN}
    assert (verdict.next, verdict.limits) == (Next.PROTOCOL, None)


def test_a_2xx_without_a_body_says_nothing() -> None:
    """204 is no acknowledgement of any event."""
    verdict = interpret(_THREE, Answer(status=204))

    assert (verdict.outcomes, verdict.next) == ((_UNKNOWN,) * 3, Next.PROTOCOL)
