from typing import Any

import attrs

from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._keys import Keys
from eventsync_core.bodies import (
    LONGEST_WAIT,
    Added,
    Body,
    BodyCounts,
    BodyKey,
    BodyUpload,
    Listed,
    Owed,
    Standing,
    UploadFailure,
    UploadState,
    first_standing,
    merge_failures,
    reconcile,
)
from eventsync_core.egress import Grant
from eventsync_core.errors import StoreUnreadableError

_KEY = """
project_uuid = ? AND mission_slug = ? AND target_branch = ? AND mission_type = ?
AND manifest_version = ? AND artifact_path = ? AND content_hash = ?
"""
_UPLOAD = """
b.project_uuid, b.mission_slug, b.target_branch, b.mission_type, b.manifest_version,
b.artifact_path, b.content_hash, c.content, b.size_bytes, b.created_at, b.hash_algorithm,
b.retry_count, b.next_attempt_at, b.last_error
"""
_STANDING = """
s.state, s.attempts, s.failures, s.due_at, s.last_error, s.asked_at, s.settled_at
"""
_BY_KEY = f"""
SELECT b.body_no, {_UPLOAD}
FROM bodies b JOIN body_contents c ON c.body_no = b.body_no
WHERE {_KEY}
"""  # noqa: S608 - made of constants
_HEAD = "SELECT head FROM streams WHERE stream_id = ?"
_LAST = "SELECT COALESCE(MAX(body_no), 0) FROM bodies"
_NEW = """
INSERT INTO bodies (body_no, stream_id, project_uuid, mission_slug, target_branch, mission_type,
                    manifest_version, artifact_path, content_hash, hash_algorithm, size_bytes,
                    created_at, added_at, after_position, retry_count, next_attempt_at, last_error)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_NEW_CONTENT = "INSERT INTO body_contents (body_no, content) VALUES (?, ?)"
_SET_FACTS = """
UPDATE bodies SET created_at = ?, retry_count = ?, next_attempt_at = ?, last_error = ?
WHERE body_no = ?
"""
_LISTED = f"""
SELECT b.body_no, t.stream, b.project_uuid, b.mission_slug, b.target_branch, b.mission_type,
       b.manifest_version, b.artifact_path, b.content_hash, b.hash_algorithm, b.size_bytes,
       b.created_at, b.added_at, b.after_position, b.retry_count, b.next_attempt_at, b.last_error,
       {_STANDING}
FROM bodies b
CROSS JOIN streams t ON t.stream_id = b.stream_id
LEFT JOIN body_standings s ON s.target_no = ?1 AND s.stream_id = b.stream_id
                         AND s.body_no = b.body_no
"""  # noqa: S608 - made of constants
_PAGE = _LISTED + "WHERE b.body_no > ?2 ORDER BY b.body_no LIMIT ?3"
_PAGE_OF_STREAM = _LISTED + "WHERE b.body_no > ?2 AND b.stream_id = ?4 ORDER BY b.body_no LIMIT ?3"
_LAST_OF_STREAM = "SELECT COALESCE(MAX(body_no), 0) FROM bodies WHERE stream_id = ?"
_LAST_OWED = """
SELECT COALESCE(MAX(body_no), 0) FROM body_standings WHERE target_no = ? AND stream_id = ?
"""
_OWE = """
INSERT INTO body_standings (target_no, body_no, stream_id, state, attempts, failures, due_at,
                            last_error, asked_at, settled_at)
SELECT ?1, body_no, stream_id, 'queued', 0, retry_count, next_attempt_at, last_error, NULL, NULL
FROM bodies WHERE stream_id = ?2 AND body_no > ?3
"""
_NEXT_DUE = f"""
SELECT s.body_no, {_UPLOAD}, {_STANDING}
FROM body_standings s
CROSS JOIN bodies b ON b.body_no = s.body_no
CROSS JOIN body_contents c ON c.body_no = s.body_no
WHERE s.target_no = ?1 AND s.stream_id = ?2 AND s.state = 'queued'
  AND (s.due_at <= ?3 OR s.due_at > ?4) AND (s.due_at, s.body_no) > (?5, ?6)
  AND b.after_position >= ?7 AND (b.after_position > ?7 OR ?7 = 0 OR b.added_at >= ?8)
ORDER BY s.due_at, s.body_no LIMIT 1
"""  # noqa: S608 - made of constants
_REMAINING = """
SELECT COUNT(*)
FROM body_standings s
CROSS JOIN bodies b ON b.body_no = s.body_no
WHERE s.target_no = ?1 AND s.stream_id = ?2 AND s.state = 'queued'
  AND b.after_position >= ?3 AND (b.after_position > ?3 OR ?3 = 0 OR b.added_at >= ?4)
"""
_NOTE = """
UPDATE body_standings
SET state = ?, attempts = ?, failures = ?, due_at = ?, last_error = ?, asked_at = ?, settled_at = ?
WHERE target_no = ? AND stream_id = (SELECT stream_id FROM bodies WHERE body_no = ?)
  AND body_no = ?
"""
_FAILURE = """
SELECT project_uuid, mission_slug, target_branch, mission_type, manifest_version, artifact_path,
       content_hash, reason, hash_algorithm, size_bytes, failures, first_failed_at, last_failed_at
FROM body_failures
"""
_ONE_FAILURE = _FAILURE + f"WHERE {_KEY} AND reason = ?"
_FAILURES = _FAILURE + "WHERE failure_no > ? ORDER BY failure_no LIMIT ?"
_COUNT_FAILURES = "SELECT COUNT(*) FROM body_failures"
_COUNT_BODIES = "SELECT COUNT(*) FROM bodies"
_LAST_FAILURE = "SELECT COALESCE(MAX(failure_no), 0) FROM body_failures"
_NEW_FAILURE = """
INSERT INTO body_failures (failure_no, project_uuid, mission_slug, target_branch, mission_type,
                           manifest_version, artifact_path, content_hash, reason, hash_algorithm,
                           size_bytes, failures, first_failed_at, last_failed_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_SET_FAILURE = f"""
UPDATE body_failures
SET hash_algorithm = ?, size_bytes = ?, failures = ?, first_failed_at = ?, last_failed_at = ?
WHERE {_KEY} AND reason = ?
"""  # noqa: S608 - made of constants
_STATES = "SELECT state, COUNT(*) FROM body_standings WHERE target_no = ? GROUP BY state"
_THERE = """
SELECT COUNT(DISTINCT body_no) FROM body_standings WHERE state IN ('uploaded', 'already_exists')
"""


class SqliteBodies:
    """`Bodies` in the tables bodies, body_contents, body_standings and body_failures."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    def add(self, stream: str, upload: BodyUpload, *, at: int) -> Added:
        """See `Bodies.add`."""
        with self._database.write():
            row = self._database.row(_BY_KEY, attrs.astuple(upload.key))
            if row is not None:
                return self._add_again(row, upload)
            stream_id = self._keys.stream_for_writing(stream)
            (head,) = self._database.row(_HEAD, (stream_id,)) or (0,)
            number = self._last() + 1
            self._database.run(
                _NEW,
                (
                    number,
                    stream_id,
                    *attrs.astuple(upload.key),
                    upload.hash_algorithm,
                    upload.size_bytes,
                    upload.created_at,
                    at,
                    head,
                    upload.retry_count,
                    upload.next_attempt_at,
                    upload.last_error,
                ),
            )
            self._database.run(_NEW_CONTENT, (number, upload.content))
        return Added.STORED

    def _add_again(self, row: tuple[Any, ...], upload: BodyUpload) -> Added:
        number, stored = row[0], _upload(row[1:])
        added, now = reconcile(stored, upload)
        if now != stored:
            facts = (now.created_at, now.retry_count, now.next_attempt_at, now.last_error)
            self._database.run(_SET_FACTS, (*facts, number))
        return added

    def _last(self) -> int:
        (last,) = self._database.row(_LAST) or (0,)
        return int(last)

    def get(self, key: BodyKey) -> BodyUpload | None:
        """See `Bodies.get`."""
        row = self._database.row(_BY_KEY, attrs.astuple(key))
        return None if row is None else _upload(row[1:])

    def page(
        self, target_id: str = "", stream: str = "", *, after: int = 0, limit: int = 1000
    ) -> list[Listed]:
        """See `Bodies.page`."""
        target_no = self._keys.target(target_id)
        values: tuple[Any, ...] = (target_no, after, limit)
        if not stream:
            return [self._listed(row) for row in self._database.rows(_PAGE, values)]
        values = (*values, self._keys.stream(stream))
        return [self._listed(row) for row in self._database.rows(_PAGE_OF_STREAM, values)]

    def _listed(self, row: tuple[Any, ...]) -> Listed:
        body = Body(
            number=row[0],
            stream=row[1],
            key=BodyKey(**dict(zip(_PARTS, row[2:9], strict=True))),
            hash_algorithm=row[9],
            size_bytes=row[10],
            created_at=row[11],
            added_at=row[12],
            after_position=row[13],
        )
        if row[17] is None:
            return Listed(body, first_standing(*row[14:17]))
        return Listed(body, self._standing(row[17:]))

    def _standing(self, columns: tuple[Any, ...]) -> Standing:
        state, attempts, failures, due_at, last_error, asked_at, settled_at = columns
        try:
            known = UploadState(state)
        except ValueError as error:
            raise StoreUnreadableError(f"{self._database.path} is damaged") from error
        return Standing(
            state=known,
            attempts=attempts,
            failures=failures,
            due_at=due_at,
            last_error=last_error,
            asked_at=asked_at,
            settled_at=settled_at,
        )

    def owe(self, target_id: str, stream: str) -> None:
        """See `Bodies.owe`."""
        target_no, stream_id = self._keys.target_for_writing(target_id), self._keys.stream(stream)
        if stream_id is None or self._owed_upto(target_no, stream_id) is None:
            return
        with self._database.write():
            upto = self._owed_upto(target_no, stream_id)
            if upto is not None:
                self._database.run(_OWE, (target_no, stream_id, upto))

    def _owed_upto(self, target_no: int, stream_id: int) -> int | None:
        """Return up to which body all of the stream have a standing, or None if all have."""
        (last,) = self._database.row(_LAST_OF_STREAM, (stream_id,)) or (0,)
        (upto,) = self._database.row(_LAST_OWED, (target_no, stream_id)) or (0,)
        return None if last <= upto else int(upto)

    def next_due(self, grant: Grant, *, now: int, after: tuple[int, int] = (-1, 0)) -> Owed | None:
        """See `Bodies.next_due`."""
        place = (self._keys.target(grant.target_id), self._keys.stream(grant.stream))
        times = (now, now + LONGEST_WAIT)
        covered = (grant.from_position, grant.granted_at)
        row = self._database.row(_NEXT_DUE, (*place, *times, *after, *covered))
        if row is None:
            return None
        return Owed(row[0], _upload(row[1:15]), self._standing(row[15:]))

    def remaining(self, grant: Grant) -> int:
        """See `Bodies.remaining`."""
        place = (self._keys.target(grant.target_id), self._keys.stream(grant.stream))
        covered = (grant.from_position, grant.granted_at)
        (count,) = self._database.row(_REMAINING, (*place, *covered)) or (0,)
        return int(count)

    def note(self, target_id: str, number: int, standing: Standing) -> None:
        """See `Bodies.note`."""
        target_no = self._keys.target_for_writing(target_id)
        columns = (standing.state.value, *attrs.astuple(standing)[1:])
        with self._database.write():
            self._database.run(_NOTE, (*columns, target_no, number, number))

    def log(self, failure: UploadFailure) -> None:
        """See `Bodies.log`."""
        place = (*attrs.astuple(failure.key), failure.reason)
        with self._database.write():
            row = self._database.row(_ONE_FAILURE, place)
            merged = merge_failures(None if row is None else _failure(row), failure)
            facts = (
                merged.hash_algorithm,
                merged.size_bytes,
                merged.count,
                merged.first_failed_at,
                merged.last_failed_at,
            )
            if row is not None:
                self._database.run(_SET_FAILURE, (*facts, *place))
                return
            (last,) = self._database.row(_LAST_FAILURE) or (0,)
            self._database.run(_NEW_FAILURE, (last + 1, *place, *facts))

    def failures(self, *, after: int = 0, limit: int = 1000) -> list[UploadFailure]:
        """See `Bodies.failures`."""
        return [_failure(row) for row in self._database.rows(_FAILURES, (after, limit))]

    def counts(self, target_id: str = "") -> BodyCounts:
        """See `Bodies.counts`."""
        with self._database.snapshot():
            (bodies,) = self._database.row(_COUNT_BODIES) or (0,)
            (failures,) = self._database.row(_COUNT_FAILURES) or (0,)
            found: dict[str, int] = {}
            if target_id:
                found = dict(self._database.rows(_STATES, (self._keys.target(target_id),)))
            else:
                (there,) = self._database.row(_THERE) or (0,)
                found = {UploadState.UPLOADED.value: there}
            return BodyCounts(
                bodies=bodies,
                uploaded=sum(found.get(state.value, 0) for state in UploadState if state.is_there),
                failed=found.get(UploadState.FAILED.value, 0),
                failure_log=failures,
            )


_PARTS = tuple(field.name for field in attrs.fields(BodyKey))


def _upload(columns: tuple[Any, ...]) -> BodyUpload:
    content, size_bytes, created_at, hash_algorithm, retry_count, next_at, error = columns[7:]
    return BodyUpload(
        key=BodyKey(**dict(zip(_PARTS, columns[:7], strict=True))),
        content=content,
        size_bytes=size_bytes,
        created_at=created_at,
        hash_algorithm=hash_algorithm,
        retry_count=retry_count,
        next_attempt_at=next_at,
        last_error=error,
    )


def _failure(columns: tuple[Any, ...]) -> UploadFailure:
    reason, hash_algorithm, size_bytes, count, first_at, last_at = columns[7:]
    return UploadFailure(
        key=BodyKey(**dict(zip(_PARTS, columns[:7], strict=True))),
        reason=reason,
        hash_algorithm=hash_algorithm,
        size_bytes=size_bytes,
        count=count,
        first_failed_at=first_at,
        last_failed_at=last_at,
    )
