"""The meaning of every answer to a push: one pure, total function."""

from collections.abc import Mapping
from typing import Any

import attrs

from eventsync_core.bodies._model import UploadState
from eventsync_core.bodies._push import PushVerdict
from eventsync_core.codec import read_unambiguous
from eventsync_core.ids import one_line
from eventsync_core.receivers import Answer, Next, read_wait

_LONGEST_LINE = 300
_MOST_FIELDS = 20
_NO_TEAM = "direct_ingress_missing_private_team"
_WORDS_OF_TIME = ("time allowed", "too long", "took longer")


def interpret_push(content_hash: str, answer: Answer) -> PushVerdict:
    """
    Say what *answer* means for the body with that hash.

    It is at the target only if a 201 or 200 says so and does not speak of another hash;
    whatever the status, headers and body, this neither raises nor invents an upload.
    """
    if answer.status is None:
        return _no_answer(answer)
    document = _document(answer)
    verdict = _by_status(content_hash, answer.status, document, answer)
    return attrs.evolve(verdict, status=answer.status)


def _by_status(
    content_hash: str, status: int, document: Mapping[str, Any] | None, answer: Answer
) -> PushVerdict:
    if status in (200, 201):
        return _accepted(content_hash, status, document, answer)
    if status == 202:
        return PushVerdict(state=UploadState.QUEUED, reason="pending", is_pending=True)
    if 300 <= status < 400:
        place = _line(answer.headers.get("location", "elsewhere"))
        return _stop(f"{status}: it redirects to {place}; redirects are not followed")
    if status == 412:
        return _stop("412: the server does not take what this version sends")
    if status in (401, 429) or (status in (408, 503) and "retry-after" in answer.headers):
        return _leave_alone(_word(status), answer, document)
    if status == 408 or status >= 500:
        return PushVerdict(state=UploadState.QUEUED, reason=f"server_error: {status}")
    if status == 404:
        return _not_found(document)
    return _refused(status, document, answer)


def _accepted(
    content_hash: str, status: int, document: Mapping[str, Any] | None, answer: Answer
) -> PushVerdict:
    if document is None and (answer.body.strip() or not answer.is_whole):
        return _stop(f"{status}: no answer of a body endpoint; is this really one?")
    said = (document or {}).get("content_hash")
    if isinstance(said, str) and said.strip().lower() != content_hash.strip().lower():
        return _stop(f"{status}: it speaks of a body with another hash")
    if status == 201:
        return PushVerdict(state=UploadState.UPLOADED, reason="stored")
    return PushVerdict(state=UploadState.ALREADY_EXISTS, reason="already_exists")


def _refused(status: int, document: Mapping[str, Any] | None, answer: Answer) -> PushVerdict:
    """Return what a refusal means that another attempt would only repeat."""
    reason, then = f"unexpected_status: {status}", Next.GO_ON
    if status == 400:
        reason = f"bad_request: {_details(document) or 'unknown'}"
    elif status == 403:
        # It is about who asks: the bodies behind this one would be refused as well.
        is_team = _NO_TEAM.encode() in answer.body
        reason, then = _NO_TEAM if is_team else "unauthorized", Next.PROTOCOL
    return PushVerdict(state=UploadState.FAILED, reason=reason, next=then)


def _not_found(document: Mapping[str, Any] | None) -> PushVerdict:
    code = _text(document, "error")
    if code == "index_entry_not_found":
        return PushVerdict(state=UploadState.QUEUED, reason=code)
    if code == "namespace_not_found":
        return PushVerdict(state=UploadState.FAILED, reason=code)
    detail = _text(document, "detail") or "unknown"
    reason = f"not_found: {detail} (error={code or 'missing'})"
    return PushVerdict(state=UploadState.QUEUED, reason=_line(reason))


def _no_answer(answer: Answer) -> PushVerdict:
    fault = _line(answer.fault) or "no answer"
    is_slow = any(words in fault for words in _WORDS_OF_TIME)
    return PushVerdict(
        state=UploadState.QUEUED,
        reason=f"{'timeout' if is_slow else 'connection_error'}: {fault}",
        next=Next.BACK_OFF,
        no_connection=answer.no_connection,
    )


def _stop(reason: str) -> PushVerdict:
    return PushVerdict(state=UploadState.QUEUED, reason=reason, next=Next.PROTOCOL)


def _leave_alone(reason: str, answer: Answer, document: object) -> PushVerdict:
    asked = read_wait(answer.headers, document)
    return PushVerdict(
        state=UploadState.QUEUED,
        reason=reason,
        next=Next.BACK_OFF,
        retry_after=asked.after,
        retry_at=asked.at,
    )


def _word(status: int) -> str:
    return {401: "unauthorized", 429: "rate_limited"}.get(status, f"server_error: {status}")


def _document(answer: Answer) -> Mapping[str, Any] | None:
    try:
        found = read_unambiguous(answer.body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, Mapping) and answer.is_whole else None


def _details(document: Mapping[str, Any] | None) -> str:
    """Return what a refusal says: its `detail`, else what it says of each field."""
    if document is None:
        return ""
    detail = _text(document, "detail")
    if detail:
        return detail
    fields = [f"{name}: {_said(said)}" for name, said in list(document.items())[:_MOST_FIELDS]]
    return _line(" | ".join(fields))


def _said(said: object) -> str:
    if isinstance(said, list):
        return " ".join(part for part in said if isinstance(part, str))
    return said if isinstance(said, str) else ""


def _text(document: Mapping[str, Any] | None, name: str) -> str:
    said = None if document is None else document.get(name)
    return _line(said) if isinstance(said, str) else ""


def _line(text: str) -> str:
    return one_line(text, _LONGEST_LINE)
