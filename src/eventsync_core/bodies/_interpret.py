"""The meaning of every answer to a push: one pure, total function."""

from collections.abc import Mapping
from typing import Any

import attrs

from eventsync_core.bodies._echo import without_content
from eventsync_core.bodies._model import BodyUpload, UploadState
from eventsync_core.bodies._push import PushVerdict
from eventsync_core.codec import read_unambiguous
from eventsync_core.ids import one_line
from eventsync_core.receivers import Answer, Next, read_wait

_LONGEST_LINE = 300
_LONGEST_READ = 1_000
_MOST_FIELDS = 20
_NO_TEAM = "direct_ingress_missing_private_team"
_WORDS_OF_TIME = ("time allowed", "too long", "took longer")


@attrs.frozen
class _Said:
    """What came back for a body: the status, the answer, and what it holds if it is an object."""

    upload: BodyUpload
    status: int
    answer: Answer
    document: Mapping[str, Any] | None

    @property
    def names_body(self) -> bool:
        """It says which body is meant, by its hash or its path, and it is this one."""
        key, document = self.upload.key, self.document or {}
        said = [document.get(name) for name in ("content_hash", "artifact_path")]
        sent = (key.content_hash, key.artifact_path)
        named = [(a, b) for a, b in zip(said, sent, strict=True) if a is not None]
        return bool(named) and all(a == b for a, b in named)

    def text(self, name: str) -> str:
        """Return the text under *name*, without what it quotes of the body."""
        said = None if self.document is None else self.document.get(name)
        return self.line(said) if isinstance(said, str) else ""

    def line(self, text: str) -> str:
        """Return *text* as one line, without what it quotes of the body."""
        return _line(without_content(text[:_LONGEST_READ], self.upload.content))


def interpret_push(upload: BodyUpload, answer: Answer) -> PushVerdict:
    """
    Say what *answer* means for *upload*.

    It is at the target only if a 201 or 200 says so and does not speak of another hash;
    whatever the status, headers and body, this neither raises nor invents an upload. What the
    server says is kept without what it quotes of the content.
    """
    if answer.status is None:
        return _no_answer(answer)
    verdict = _by_status(_Said(upload, answer.status, answer, _document(answer)))
    return attrs.evolve(verdict, status=answer.status)


def _by_status(said: _Said) -> PushVerdict:
    status, answer = said.status, said.answer
    if status in (200, 201):
        return _accepted(said)
    if status == 202:
        return PushVerdict(state=UploadState.QUEUED, reason="pending", is_pending=True)
    if 300 <= status < 400:
        place = said.line(answer.headers.get("location", "elsewhere"))
        return _stop(f"{status}: it redirects to {place}; redirects are not followed")
    if status == 412:
        return _stop("412: the server does not take what this version sends")
    if status in (401, 408, 429) or status >= 500:
        return _leave_alone(said)
    if status == 403:
        return _turned_away(said)
    if status == 404:
        return _not_found(said)
    return _refused(said)


def _accepted(said: _Said) -> PushVerdict:
    status, answer, document = said.status, said.answer, said.document
    if document is None and (answer.body.strip() or not answer.is_whole):
        return _stop(f"{status}: no answer of a body endpoint; is this really one?")
    named, sent = (document or {}).get("content_hash"), said.upload.key.content_hash
    if isinstance(named, str) and named.strip().lower() != sent.strip().lower():
        reason = f"{status}: it speaks of a body with another hash"
        return PushVerdict(state=UploadState.QUEUED, reason=reason)
    if status == 201:
        return PushVerdict(state=UploadState.UPLOADED, reason="stored")
    return PushVerdict(state=UploadState.ALREADY_EXISTS, reason="already_exists")


def _refused(said: _Said) -> PushVerdict:
    """Return what a refusal means that another attempt would only repeat."""
    reason = f"unexpected_status: {said.status}"
    if said.status == 400:
        reason = f"bad_request: {_details(said) or 'unknown'}"
    return PushVerdict(state=UploadState.FAILED, reason=reason)


def _turned_away(said: _Said) -> PushVerdict:
    """Return what a 403 means: who asks may not, unless it names the body that may not go."""
    reason = _NO_TEAM if _NO_TEAM.encode() in said.answer.body else "unauthorized"
    if said.names_body:
        return PushVerdict(state=UploadState.FAILED, reason=reason)
    return _stop(reason)


def _not_found(said: _Said) -> PushVerdict:
    code = said.text("error")
    if code == "index_entry_not_found":
        return PushVerdict(state=UploadState.QUEUED, reason=code)
    if code == "namespace_not_found":
        return PushVerdict(state=UploadState.FAILED, reason=code)
    detail = said.text("detail") or "unknown"
    reason = f"not_found: {detail} (error={code or 'missing'})"
    return PushVerdict(state=UploadState.QUEUED, reason=_line(reason))


def _no_answer(answer: Answer) -> PushVerdict:
    fault = _line(answer.fault) or "no answer"
    if not (answer.reached or answer.no_connection):
        return PushVerdict(state=UploadState.QUEUED, reason=fault, next=Next.WITHHELD)
    is_slow = any(words in fault for words in _WORDS_OF_TIME)
    return PushVerdict(
        state=UploadState.QUEUED,
        reason=f"{'timeout' if is_slow else 'connection_error'}: {fault}",
        next=Next.BACK_OFF,
        no_connection=answer.no_connection,
    )


def _stop(reason: str) -> PushVerdict:
    return PushVerdict(state=UploadState.QUEUED, reason=reason, next=Next.PROTOCOL)


def _leave_alone(said: _Said) -> PushVerdict:
    asked = read_wait(said.answer.headers, said.document)
    return PushVerdict(
        state=UploadState.QUEUED,
        reason=_word(said.status),
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


def _details(said: _Said) -> str:
    """Return what a refusal says: its `detail`, else what it says of each field."""
    if said.document is None:
        return ""
    detail = said.text("detail")
    if detail:
        return detail
    items = list(said.document.items())[:_MOST_FIELDS]
    return said.line(" | ".join(f"{name}: {_words(value)}" for name, value in items))


def _words(value: object) -> str:
    if isinstance(value, list):
        return " ".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""


def _line(text: str) -> str:
    return one_line(text, _LONGEST_LINE)
