from enum import StrEnum

import attrs

from eventsync_core.codec import write_document
from eventsync_core.ids import stream_key
from eventsync_core.ledger import Act


def _project(named: str) -> str:
    """Return a project as the streams of events spell it."""
    return stream_key(named) if named.strip() else named


@attrs.frozen(kw_only=True)
class BodyKey:
    """
    Which body: the seven parts that the server's index knows it by.

    The project is spelt as the streams of events are, whatever the case of its letters.
    """

    project_uuid: str = attrs.field(converter=_project)
    mission_slug: str
    target_branch: str
    mission_type: str
    manifest_version: str
    artifact_path: str
    content_hash: str

    @property
    def name(self) -> str:
        """The seven parts as one text, under which it is on record where it came from."""
        return write_document(attrs.astuple(self))


@attrs.frozen(kw_only=True)
class BodyUpload:
    """
    The text of one artifact, to be uploaded beside the events that speak of it.

    `retry_count`, `next_attempt_at` and `last_error` are where a target that was never offered
    it starts from; they come from the queue that held it before. Times are in microseconds
    since 1970 UTC.
    """

    key: BodyKey
    content: str = attrs.field(repr=False)
    size_bytes: int
    created_at: int
    hash_algorithm: str = "sha256"
    retry_count: int = 0
    next_attempt_at: int = 0
    last_error: str = ""


@attrs.frozen(kw_only=True)
class UploadFailure:
    """
    How often a body was refused for good for one reason; nothing of its content.

    Times are in microseconds since 1970 UTC.
    """

    key: BodyKey
    reason: str
    size_bytes: int
    first_failed_at: int
    last_failed_at: int
    count: int = 1
    hash_algorithm: str = "sha256"


class Added(StrEnum):
    """What came of adding a body: new, known with equal content, or known with other content."""

    STORED = "stored"
    KNOWN = "known"
    CONFLICT = "conflict"


class UploadState(StrEnum):
    """Where a body stands with a target; `uploaded` and `already_exists` both mean it is there."""

    QUEUED = "queued"
    UPLOADED = "uploaded"
    ALREADY_EXISTS = "already_exists"
    FAILED = "failed"

    @property
    def is_there(self) -> bool:
        """The target has said that it holds this body."""
        return self in (UploadState.UPLOADED, UploadState.ALREADY_EXISTS)


@attrs.frozen(kw_only=True)
class Standing:
    """
    Where one body stands with one target.

    `attempts` counts the requests that carried it there, `failures` the faults in a row that
    its wait until `due_at` comes from, those of an older queue included. `settled_at` is when
    it was uploaded or failed for good, `reopened` how often an operator let it go again. `wait` is
    how long the target is left to work on it, 0 unless that was its last answer. Times are in
    microseconds, since 1970 UTC.
    """

    state: UploadState = UploadState.QUEUED
    attempts: int = 0
    failures: int = 0
    due_at: int = 0
    last_error: str = ""
    asked_at: int | None = None
    settled_at: int | None = None
    reopened: int = 0
    wait: int = 0


@attrs.frozen(kw_only=True)
class Reopening:
    """
    That `actor` let a body go to a target again, and how it stood there until then.

    Times are in microseconds since 1970 UTC.
    """

    act: Act
    at: int
    actor: str
    state: UploadState
    last_error: str
    settled_at: int | None


@attrs.frozen(kw_only=True)
class Body:
    """
    A stored body without its content.

    `number` counts the bodies of a store from 1 without gaps, in the order in which they were
    added, and decides what grant covers it.
    """

    number: int
    stream: str
    key: BodyKey
    hash_algorithm: str
    size_bytes: int
    created_at: int
    added_at: int


@attrs.frozen
class Listed:
    """A body and where it stands with the target asked about."""

    body: Body
    standing: Standing


@attrs.frozen
class Owed:
    """A body that may be offered to a target now."""

    number: int
    upload: BodyUpload
    standing: Standing


@attrs.frozen(kw_only=True)
class BodyCounts:
    """
    How many bodies there are, and how they stand with one target.

    Each body is in exactly one of `waiting`, `uploaded` and `failed`. Without a target, bodies
    that any target holds count as uploaded.
    """

    bodies: int = 0
    uploaded: int = 0
    failed: int = 0
    failure_log: int = 0

    @property
    def waiting(self) -> int:
        """How many are still to be uploaded."""
        return self.bodies - self.uploaded - self.failed
