"""Rules that every store of bodies keeps alike."""

from hashlib import sha256

import attrs

from eventsync_core.bodies._model import Added, Body, BodyUpload, Standing, UploadFailure
from eventsync_core.clock import DAY, MINUTE
from eventsync_core.egress import Grant

MOST_BYTES = 524_288
"""A larger body is never sent."""
LONGEST_WAIT = DAY + 2 * MINUTE
"""No body is ever due later than this: one that is comes of a clock that was set back."""


def reconcile(stored: BodyUpload, incoming: BodyUpload) -> tuple[Added, BodyUpload]:
    """
    Return what came of adding *incoming* under the key of *stored*, and what is stored then.

    With equal content: as it was, except that the earlier creation and the larger retry count,
    with its wait and its error, stand. With other content: as it was.
    """
    same = (stored.content, stored.hash_algorithm) == (incoming.content, incoming.hash_algorithm)
    if stored.key != incoming.key or not same:
        return Added.CONFLICT, stored
    later = incoming if incoming.retry_count > stored.retry_count else stored
    return Added.KNOWN, attrs.evolve(
        stored,
        created_at=min(stored.created_at, incoming.created_at),
        retry_count=later.retry_count,
        next_attempt_at=later.next_attempt_at,
        last_error=later.last_error,
    )


def merge_failures(before: UploadFailure | None, more: UploadFailure) -> UploadFailure:
    """
    Return what is known after *more* of the same key and reason.

    Counts add up, the earliest first and the latest last time stand, with the latter's facts.
    """
    if before is None:
        return more
    latest = more if more.last_failed_at >= before.last_failed_at else before
    return attrs.evolve(
        latest,
        count=before.count + more.count,
        first_failed_at=min(before.first_failed_at, more.first_failed_at),
    )


def first_standing(retry_count: int, next_attempt_at: int, last_error: str) -> Standing:
    """Return where a body stands with a target that was never offered it."""
    return Standing(failures=retry_count, due_at=next_attempt_at, last_error=last_error)


def covers(grant: Grant, body: Body) -> bool:
    """Say whether *grant* lets the body go: its stream's, and added within what is granted."""
    return grant.stream == body.stream and body.number > grant.from_body


def hash_of(content: str) -> str:
    """Return the SHA-256 of *content* in UTF-8, in hex."""
    return sha256(content.encode()).hexdigest()


def flaw_of(upload: BodyUpload) -> str:
    """Return why *upload* cannot be sent, in the words of the failure log; empty if it can."""
    try:
        raw = upload.content.encode()
    except UnicodeEncodeError:
        return "not_valid_utf8"
    if len(raw) > MOST_BYTES:
        return f"oversized: {len(raw)} bytes > {MOST_BYTES} limit"
    algorithm = upload.hash_algorithm.strip().lower()
    if algorithm != "sha256":
        return f"unsupported_hash_algorithm: {algorithm[:40]}"
    if sha256(raw).hexdigest() != upload.key.content_hash.strip().lower():
        return "content_hash_mismatch"
    return ""
