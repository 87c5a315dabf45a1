"""What each answer to a push means."""

import html
import json
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any
from unicodedata import normalize
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsync_core.bodies import MOST_BYTES, UploadState, hash_of, interpret_push
from eventsync_core.clock import SECOND
from eventsync_core.receivers import Answer, Next
from eventsync_core.testing import answers, make_body

_UPLOAD = make_body("a", content="x")
_HASH = _UPLOAD.key.content_hash
_QUEUED, _FAILED = UploadState.QUEUED, UploadState.FAILED


def _answer(status: int, document: Any = None, **headers: str) -> Answer:
    body = b"" if document is None else json.dumps(document).encode()
    return Answer(status=status, body=body, headers=headers)


@pytest.mark.parametrize(
    ("answer", "state", "reason", "then"),
    [
        (_answer(201), UploadState.UPLOADED, "stored", Next.GO_ON),
        (_answer(201, {"content_hash": _HASH}), UploadState.UPLOADED, "stored", Next.GO_ON),
        (_answer(200, {}), UploadState.ALREADY_EXISTS, "already_exists", Next.GO_ON),
        (_answer(202, {}), _QUEUED, "pending", Next.GO_ON),
        (_answer(400, {"detail": "no such"}), _FAILED, "bad_request: no such", Next.GO_ON),
        (
            _answer(400, {"a": ["x", "y"], "b": "z"}),
            _FAILED,
            "bad_request: a: x y | b: z",
            Next.GO_ON,
        ),
        (_answer(400), _FAILED, "bad_request: unknown", Next.GO_ON),
        (_answer(400, []), _FAILED, "bad_request: unknown", Next.GO_ON),
        (_answer(401), _QUEUED, "unauthorized", Next.BACK_OFF),
        (_answer(403), _QUEUED, "unauthorized", Next.PROTOCOL),
        (
            _answer(403, {"error": "direct_ingress_missing_private_team"}),
            _QUEUED,
            "direct_ingress_missing_private_team",
            Next.PROTOCOL,
        ),
        (_answer(403, {"content_hash": _HASH}), _FAILED, "unauthorized", Next.GO_ON),
        (_answer(403, {"artifact_path": "research/a.md"}), _FAILED, "unauthorized", Next.GO_ON),
        (
            _answer(403, {"content_hash": hash_of("y"), "artifact_path": "research/a.md"}),
            _QUEUED,
            "unauthorized",
            Next.PROTOCOL,
        ),
        (
            _answer(201, {"content_hash": hash_of("y")}),
            _QUEUED,
            "201: it speaks of a body with another hash",
            Next.GO_ON,
        ),
        (
            _answer(404, {"error": "index_entry_not_found"}),
            _QUEUED,
            "index_entry_not_found",
            Next.GO_ON,
        ),
        (
            _answer(404, {"error": "namespace_not_found"}),
            _FAILED,
            "namespace_not_found",
            Next.GO_ON,
        ),
        (
            _answer(404, {"detail": "gone", "error": "what"}),
            _QUEUED,
            "not_found: gone (error=what)",
            Next.GO_ON,
        ),
        (_answer(404), _QUEUED, "not_found: unknown (error=missing)", Next.GO_ON),
        (_answer(429), _QUEUED, "rate_limited", Next.BACK_OFF),
        (_answer(408), _QUEUED, "server_error: 408", Next.BACK_OFF),
        (_answer(500), _QUEUED, "server_error: 500", Next.BACK_OFF),
        (_answer(503), _QUEUED, "server_error: 503", Next.BACK_OFF),
        (_answer(409), _FAILED, "unexpected_status: 409", Next.GO_ON),
        (_answer(410), _FAILED, "unexpected_status: 410", Next.GO_ON),
        (_answer(204), _FAILED, "unexpected_status: 204", Next.GO_ON),
    ],
)
def test_the_table(answer: Answer, state: UploadState, reason: str, then: Next) -> None:
    """Status and known words, in the words of the failure log."""
    verdict = interpret_push(_UPLOAD, answer)

    assert (verdict.state, verdict.reason, verdict.next) == (state, reason, then)
    assert verdict.status == answer.status


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=200, body=b"<html>log in</html>"),
        Answer(status=201, body=b"{}", is_whole=False),
        Answer(status=200, body=b"[]"),
        _answer(302, None, location="https://elsewhere.example/"),
        _answer(412),
    ],
)
def test_an_answer_of_something_else_is_no_upload(answer: Answer) -> None:
    """A log-in page or a redirection ends the upload and settles nothing."""
    verdict = interpret_push(_UPLOAD, answer)

    assert (verdict.state, verdict.next) == (_QUEUED, Next.PROTOCOL)
    assert verdict.reason.startswith(f"{answer.status}: ")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            Answer(fault="no connection: refused", reached=False, no_connection=True),
            "connection_error: no connection: refused",
        ),
        (
            Answer(fault="no answer within the time allowed"),
            "timeout: no answer within the time allowed",
        ),
        (Answer(), "connection_error: no answer"),
    ],
)
def test_no_answer(answer: Answer, reason: str) -> None:
    """The body stays queued and the target is left alone."""
    verdict = interpret_push(_UPLOAD, answer)

    assert (verdict.state, verdict.next, verdict.reason) == (_QUEUED, Next.BACK_OFF, reason)
    assert verdict.no_connection == answer.no_connection


def test_a_server_may_ask_for_a_wait() -> None:
    """With 429, and with 503 that says so."""
    for status in (429, 503):
        verdict = interpret_push(_UPLOAD, _answer(status, None, **{"retry-after": "7"}))
        assert (verdict.next, verdict.retry_after) == (Next.BACK_OFF, 7 * SECOND)


@given(
    answer=st.one_of(
        answers(["e1"]), st.builds(Answer, status=st.integers(100, 599), body=st.binary())
    )
)
def test_every_answer_means_something(answer: Answer) -> None:
    """Nothing raises, and only 200 and 201 are uploads."""
    verdict = interpret_push(_UPLOAD, answer)

    assert verdict.reason
    assert verdict.reason.isprintable()
    if verdict.state.is_there:
        assert answer.status in (200, 201)


_TEXT = "# Plan\n\nThe launch code of the\r\n\tmine is swordfish-7, say nobody \u00fcberall.\n"


@pytest.mark.parametrize(
    "document",
    [
        {"detail": f"cannot parse: {_TEXT}"},
        {"content_body": _TEXT, "other": ["is wrong"]},
        {"content_body": [_TEXT[:40], _TEXT[30:]]},
        {"detail": json.dumps(_TEXT)},
        {"detail": f"line 3: {_TEXT[28:60].upper()}!"},
        {"detail": "x" * 250 + _TEXT},
        {"error": _TEXT[8:], "detail": _TEXT[9:]},
    ],
)
@pytest.mark.parametrize("status", [400, 404])
def test_what_a_server_quotes_of_a_body_is_not_kept(status: int, document: Any) -> None:
    """Whole or in part, on one line or as JSON spells it, whatever the case."""
    verdict = interpret_push(make_body("a", content=_TEXT), _answer(status, document))

    said = " ".join(verdict.reason.lower().split())
    flat = " ".join(_TEXT.lower().split())
    assert not any(flat[at : at + 12] in said for at in range(len(flat) - 11))
    assert "swordfish" not in said


_ACCOUNT = 'Kontonummer: DE89 3704 0044 0532 0130 00\nPIN "4711" <secret@x.de> für Ümit\n'


@pytest.mark.parametrize(
    "said",
    [
        html.escape(_ACCOUNT),
        html.escape(html.escape(_ACCOUNT)),
        quote(_ACCOUNT),
        repr(_ACCOUNT),
        repr(_ACCOUNT.encode()),
        json.dumps(json.dumps(_ACCOUNT)),
        "\u0130 " + _ACCOUNT.upper(),
        _ACCOUNT.replace(" ", "\u00a0"),
        "> " + _ACCOUNT.replace("\n", "\n> "),
        " ".join(_ACCOUNT[at : at + 11] for at in range(0, len(_ACCOUNT), 11)),
        b64encode(_ACCOUNT.encode()).decode(),
        urlsafe_b64encode(_ACCOUNT.encode()).decode().rstrip("="),
        "\u200b".join(_ACCOUNT),
        ", ".join(repr(word) for word in _ACCOUNT.split()),
        normalize("NFD", _ACCOUNT),
    ],
)
def test_a_quote_is_not_kept_however_it_is_spelt(said: str) -> None:
    """Escaped, encoded, cut in pieces, with what nobody sees between."""
    verdict = interpret_push(
        make_body("a", content=_ACCOUNT), _answer(400, {"detail": f"bad: {said}"})
    )

    assert not any(word in verdict.reason.lower() for word in ("3704", "4711", "secret", "konto"))
    assert b64encode(_ACCOUNT.encode())[4:16].decode() not in verdict.reason
    assert verdict.reason.startswith("bad_request: bad: ")


@pytest.mark.parametrize(
    "content", ["%41%42 or \\n &amp; as it is", "!$%&/()=?+*~ a1b2 ;:<>|^-_.,"]
)
def test_a_quote_of_what_looks_like_an_escape_is_not_kept(content: str) -> None:
    """It counts as it is spelt, too, and so do marks."""
    verdict = interpret_push(
        make_body("a", content=content), _answer(400, {"detail": f"see {content} there"})
    )

    assert verdict.reason == "bad_request: see *** there"


@pytest.mark.parametrize(
    "spelt", [ascii, lambda text: "".join(f"\\U{ord(each):08x}" for each in text)]
)
def test_a_quote_with_escapes_of_characters_is_not_kept(spelt: Callable[[str], str]) -> None:
    """Those above 127 are one byte each then, or four."""
    content = "Schl\u00fcssel hei\u00dft Sesam-\u00f6ffne-dich"
    verdict = interpret_push(
        make_body("a", content=content), _answer(400, {"detail": f"bad: {spelt(content)}"})
    )

    assert not any(word in verdict.reason for word in ("Schl", "ssel", "Sesam", "ffne", "U0000"))


def test_looking_for_quotes_takes_no_long_time() -> None:
    """The largest body is walked through once or twice, whatever is said."""
    upload = make_body("a", content="a" * MOST_BYTES)

    began = time.process_time()
    interpret_push(upload, _answer(400, {"detail": ("a" * 11 + "b") * 90}))

    assert time.process_time() - began < 1.5


def test_a_redirection_keeps_nothing_of_a_body() -> None:
    """Neither does its address."""
    away = Answer(status=302, headers={"location": "https://e.example/?q=swordfish-7, say nobody"})

    assert "swordfish" not in interpret_push(make_body("a", content=_TEXT), away).reason


@pytest.mark.parametrize("content", ["", "a", "unauthorized\n", "bad_request: unknown", _TEXT])
def test_the_words_of_the_log_stay(content: str) -> None:
    """Whatever a body holds, what the status means is told, and so is what the server says."""
    upload = make_body("a", content=content)

    assert interpret_push(upload, _answer(403)).reason == "unauthorized"
    assert interpret_push(upload, _answer(400)).reason == "bad_request: unknown"
    told = interpret_push(upload, _answer(400, {"detail": "the mission is not known"}))
    assert told.reason == "bad_request: the mission is not known"


def test_a_short_body_is_not_quoted_either() -> None:
    """All of it counts, where it has four characters or more."""
    upload = make_body("a", content="hunter2\n")

    told = interpret_push(upload, _answer(400, {"detail": "what is Hunter2 here?"}))

    assert told.reason == "bad_request: what is *** here?"


def test_a_long_echo_of_a_long_body_is_cut_soon() -> None:
    """However much there is to compare."""
    content = "".join(f"line {number} of many\n" for number in range(24_000))
    upload = make_body("a", content=content)

    told = interpret_push(upload, _answer(400, {"content_body": content[1000:]}))

    assert told.reason.startswith("bad_request: content_body: ")
    assert "of many" not in told.reason
