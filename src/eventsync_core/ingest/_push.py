"""One body in, one answer out."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import attrs

from eventsync_core.bodies import MOST_BYTES as MOST_BODY_BYTES
from eventsync_core.bodies import BodyKey, hash_of
from eventsync_core.codec import read_unambiguous
from eventsync_core.ingest._batch import Reply
from eventsync_core.ingest._port import Inbox

MOST_PUSH_BYTES = 8 * MOST_BODY_BYTES
"""The largest request that may hold a body: JSON can spell a character in six bytes."""

_PARTS = tuple(field.name for field in attrs.fields(BodyKey))
_TEXTS = (*_PARTS, "hash_algorithm", "content_body")
_FORMER = ("feature_slug", "mission_key")


def answer_push(inbox: Inbox, body: bytes) -> Reply:
    """
    Keep the body in the request *body* in *inbox* and answer for it.

    201 where it is new, 200 where it is known, 400 where it is none: a key that is missing,
    empty, no text or of older times, a hash that is not that of the content, or one too large.
    Only a 201 keeps anything.
    """
    try:
        document = read_unambiguous(body)
    except ValueError:
        return Reply(400, {"detail": "the body is not JSON"})
    if not isinstance(document, Mapping):
        return Reply(400, {"detail": "the body is not a JSON object"})
    wrong = _wrong_keys(document) or _wrong_content(document)
    if wrong:
        return Reply(400, wrong)
    key = [document[part] for part in _PARTS if part != "content_hash"]
    name = sha256("\0".join((*key, hash_of(document["content_body"]))).encode()).hexdigest()
    (is_new,) = inbox.take([(name, body.decode())])
    said = {"status": "stored" if is_new else "already_exists"}
    return Reply(201 if is_new else 200, {**said, "content_hash": document["content_hash"]})


def _wrong_keys(document: Mapping[str, Any]) -> dict[str, list[str]]:
    wrong = {name: [said] for name in _TEXTS if (said := _flaw(document, name))}
    former = {name: ["This key is not allowed."] for name in _FORMER if name in document}
    return {**wrong, **former}


def _flaw(document: Mapping[str, Any], name: str) -> str:
    if document.get(name) is None:
        return "This field is required."
    text = document[name]
    if not isinstance(text, str):
        return "This is not a text."
    if name == "content_body":
        return ""
    if not text.strip():
        return "This may not be empty."
    return "" if "\0" not in text else "This may not hold NUL."


def _wrong_content(document: Mapping[str, Any]) -> dict[str, list[str]]:
    content = document["content_body"]
    if document["hash_algorithm"].strip().lower() != "sha256":
        return {"hash_algorithm": ["Only sha256 is known."]}
    try:
        "".join(document[name] for name in _TEXTS).encode()
    except UnicodeEncodeError:
        return {"content_body": ["It is not valid UTF-8."]}
    if len(content.encode()) > MOST_BODY_BYTES:
        return {"content_body": [f"It is larger than {MOST_BODY_BYTES} bytes."]}
    if hash_of(content) != document["content_hash"].strip().lower():
        return {"content_hash": ["It is not the hash of content_body."]}
    return {}
