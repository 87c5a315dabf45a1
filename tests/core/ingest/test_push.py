"""The server's half of a push."""

import json
from typing import Any

import pytest

from eventsync_core.bodies import MOST_BYTES, push_body
from eventsync_core.ingest import MemoryInbox, answer_push
from eventsync_core.testing import make_body


def _push(inbox: MemoryInbox, **changes: Any) -> tuple[int, Any]:
    document = json.loads(push_body(make_body("a"))) | changes
    kept = {name: value for name, value in document.items() if value is not None}
    reply = answer_push(inbox, json.dumps(kept).encode())
    return reply.status, reply.document


def test_a_body_is_kept_once() -> None:
    """201, then 200, as it came."""
    inbox, body = MemoryInbox(), push_body(make_body("a"))

    assert [answer_push(inbox, body).status for _ in range(2)] == [201, 200]
    assert [kept.text for kept in inbox.received()] == [body.decode()]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"mission_slug": None}, "mission_slug"),
        ({"content_body": 7}, "content_body"),
        ({"feature_slug": "x"}, "feature_slug"),
        ({"mission_key": "x"}, "mission_key"),
        ({"hash_algorithm": "md5"}, "hash_algorithm"),
        ({"content_body": "other"}, "content_hash"),
        ({"content_body": "x" * (MOST_BYTES + 1)}, "content_body"),
        ({"artifact_path": "\ud800"}, "content_body"),
        ({"artifact_path": ""}, "artifact_path"),
        ({"artifact_path": "a\0b"}, "artifact_path"),
        ({"manifest_version": " "}, "manifest_version"),
    ],
)
def test_what_is_no_body_is_refused(changes: dict[str, Any], named: str) -> None:
    """400 names the field, and nothing is kept."""
    inbox = MemoryInbox()

    status, document = _push(inbox, **changes)

    assert (status, set(document)) == (400, {named})
    assert inbox.count() == 0


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"{", b"[" * 100_000])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    """With a detail."""
    reply = answer_push(MemoryInbox(), body)

    assert (reply.status, set(reply.document)) == (400, {"detail"})


def test_the_case_of_a_hash_does_not_tell() -> None:
    """As the client takes it; it is one body."""
    inbox, sent = MemoryInbox(), json.loads(push_body(make_body("a")))

    assert _push(inbox)[0] == 201
    assert _push(inbox, content_hash=sent["content_hash"].upper())[0] == 200
    assert _push(inbox, hash_algorithm="SHA256")[0] == 200


def test_what_is_no_text_is_said_to_be_none() -> None:
    """It is not missing."""
    status, said = _push(MemoryInbox(), manifest_version=1)

    assert (status, said) == (400, {"manifest_version": ["This is not a text."]})
