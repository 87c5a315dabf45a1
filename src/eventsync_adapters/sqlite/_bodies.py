from typing import Any

import attrs

from eventsync_adapters.sqlite._body_failures import BY_PARTS, FailureLog
from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._errors import understood
from eventsync_adapters.sqlite._keys import Keys
from eventsync_adapters.sqlite._numbered import BODIES, count, highest
from eventsync_core.bodies import (
    LONGEST_WAIT,
    Added,
    Body,
    BodyCounts,
    BodyKey,
    BodyUpload,
    Listed,
    Owed,
    Reopening,
    Standing,
    UploadFailure,
    UploadState,
    first_standing,
    reconcile,
    reopened,
)
from eventsync_core.egress import Grant
from eventsync_core.errors import StoreUnreadableError
from eventsync_core.ledger import Act

_UPLOAD = """
b.project_uuid, b.mission_slug, b.target_branch, b.mission_type, b.manifest_version,
b.artifact_path, b.content_hash, c.content, b.size_bytes, b.created_at, b.hash_algorithm,
b.retry_count, b.next_attempt_at, b.last_error
"""
_STANDING = """
s.state, s.attempts, s.failures, s.due_at, s.last_error, s.asked_at, s.settled_at,
s.reopened, s.wait
"""
_BY_KEY = f"""
SELECT b.body_no, {_UPLOAD}
FROM bodies b JOIN body_contents c ON c.body_no = b.body_no
WHERE {BY_PARTS}
"""  # noqa: S608 - made of constants
_NEW = """
INSERT INTO bodies (body_no, stream_id, project_uuid, mission_slug, target_branch, mission_type,
                    manifest_version, artifact_path, content_hash, hash_algorithm, size_bytes,
                    created_at, added_at, retry_count, next_attempt_at, last_error)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_NEW_CONTENT = "INSERT INTO body_contents (body_no, content) VALUES (?, ?)"
_SET_FACTS = """
UPDATE bodies SET created_at = ?, retry_count = ?, next_attempt_at = ?, last_error = ?
WHERE body_no = ?
"""
_LISTED = f"""
SELECT b.body_no, t.stream, b.project_uuid, b.mission_slug, b.target_branch, b.mission_type,
       b.manifest_version, b.artifact_path, b.content_hash, b.hash_algorithm, b.size_bytes,
       b.created_at, b.added_at, b.retry_count, b.next_attempt_at, b.last_error,
       {_STANDING}
FROM bodies b
CROSS JOIN streams t ON t.stream_id = b.stream_id
LEFT JOIN body_standings s ON s.target_no = ?1 AND s.stream_id = b.stream_id
                         AND s.body_no = b.body_no
"""  # noqa: S608 - made of constants
_FOUND = (
    _LISTED
    + """
WHERE b.project_uuid = ?2 AND b.mission_slug = ?3 AND b.target_branch = ?4 AND b.mission_type = ?5
  AND b.manifest_version = ?6 AND b.artifact_path = ?7 AND b.content_hash = ?8
"""
)
_STREAMS = """
SELECT stream FROM streams
WHERE EXISTS (SELECT 1 FROM bodies b WHERE b.stream_id = streams.stream_id) ORDER BY stream
"""
_WAITING = """
SELECT (SELECT COUNT(*) FROM bodies WHERE stream_id = ?2 AND body_no > ?3)
     - (SELECT COUNT(*) FROM body_standings
        WHERE target_no = ?1 AND stream_id = ?2 AND body_no > ?3
          AND state IN ('uploaded', 'already_exists', 'failed'))
"""
_ONE_STANDING = f"""
SELECT {_STANDING}
FROM body_standings s
WHERE s.target_no = ?1 AND s.body_no = ?2
  AND s.stream_id = (SELECT stream_id FROM bodies WHERE body_no = ?2)
"""  # noqa: S608 - made of constants
_NEW_REOPENING = """
INSERT INTO body_reopenings (target_no, body_no, reopening_no, at, actor, act, state, last_error,
                             settled_at)
SELECT ?1, ?2, COALESCE(MAX(reopening_no), 0) + 1, ?3, ?4, ?5, ?6, ?7, ?8
FROM body_reopenings WHERE target_no = ?1 AND body_no = ?2
"""
_REOPENINGS = """
SELECT act, at, actor, state, last_error, settled_at FROM body_reopenings
WHERE target_no = ? AND body_no = ? ORDER BY reopening_no DESC LIMIT ?
"""
_PAGE = _LISTED + "WHERE b.body_no > ?2 ORDER BY b.body_no LIMIT ?3"
_PAGE_OF_STREAM = _LISTED + "WHERE b.body_no > ?2 AND b.stream_id = ?4 ORDER BY b.body_no LIMIT ?3"
_LAST_OF_STREAM = "SELECT COALESCE(MAX(body_no), 0) FROM bodies WHERE stream_id = ?"
_LAST_OWED = """
SELECT COALESCE(MAX(body_no), 0) FROM body_standings WHERE target_no = ? AND stream_id = ?
"""
_OWE = """
INSERT INTO body_standings (target_no, body_no, stream_id, state, attempts, failures, due_at,
                            last_error, asked_at, settled_at, reopened, wait)
SELECT ?1, body_no, stream_id, 'queued', 0, retry_count, next_attempt_at, last_error, NULL,
       NULL, 0, 0
FROM bodies WHERE stream_id = ?2 AND body_no > ?3
"""
_NEXT_DUE = f"""
SELECT s.body_no, {_UPLOAD}, {_STANDING}
FROM body_standings s
CROSS JOIN bodies b ON b.body_no = s.body_no
CROSS JOIN body_contents c ON c.body_no = s.body_no
WHERE s.target_no = ?1 AND s.stream_id = ?2 AND s.state = 'queued'
  AND (s.due_at <= ?3 OR s.due_at > ?4) AND (s.due_at, s.body_no) > (?5, ?6)
  AND s.body_no > ?7
ORDER BY s.due_at, s.body_no LIMIT 1
"""  # noqa: S608 - made of constants
_REMAINING = """
SELECT COUNT(*) FROM body_standings
WHERE target_no = ? AND stream_id = ? AND state = 'queued' AND body_no > ?
"""
_PENDING = _REMAINING + "AND wait > 0"
_NOTE = """
UPDATE body_standings
SET state = ?, attempts = ?, failures = ?, due_at = ?, last_error = ?, asked_at = ?, settled_at = ?,
    reopened = ?, wait = ?
WHERE target_no = ? AND stream_id = (SELECT stream_id FROM bodies WHERE body_no = ?)
  AND body_no = ?
"""
_STATES = "SELECT state, COUNT(*) FROM body_standings WHERE target_no = ? GROUP BY state"
_THERE = """
SELECT COUNT(DISTINCT body_no) FROM body_standings WHERE state IN ('uploaded', 'already_exists')
"""


class SqliteBodies:
    """`Bodies` in the tables bodies, body_contents, body_standings and body_failures."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys
        self._failures = FailureLog(database)

    def add(self, stream: str, upload: BodyUpload, *, at: int) -> Added:
        """See `Bodies.add`."""
        with self._database.write():
            row = self._database.row(_BY_KEY, attrs.astuple(upload.key))
            if row is not None:
                return self._add_again(row, upload)
            stream_id = self._keys.stream_for_writing(stream)
            number = self.head() + 1
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

    def head(self) -> int:
        """See `Bodies.head`."""
        return highest(self._database, BODIES)

    def get(self, key: BodyKey) -> BodyUpload | None:
        """See `Bodies.get`."""
        row = self._database.row(_BY_KEY, attrs.astuple(key))
        return None if row is None else _upload(row[1:])

    def find(self, key: BodyKey, target_id: str = "") -> Listed | None:
        """See `Bodies.find`."""
        values = (self._keys.target(target_id), *attrs.astuple(key))
        row = self._database.row(_FOUND, values)
        return None if row is None else self._listed(row)

    def streams(self) -> list[str]:
        """See `Bodies.streams`."""
        return [stream for (stream,) in self._database.rows(_STREAMS)]

    def waiting(self, target_id: str, stream: str, *, above: int = 0) -> int:
        """See `Bodies.waiting`."""
        values = (self._keys.target(target_id), self._keys.stream(stream), above)
        (count,) = self._database.row(_WAITING, values) or (0,)
        return int(count)

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
        )
        if row[16] is None:
            return Listed(body, first_standing(*row[13:16]))
        return Listed(body, self._standing(row[16:]))

    def _standing(self, columns: tuple[Any, ...]) -> Standing:
        state, attempts, failures, due_at, last_error, asked_at, settled_at, times, wait = columns
        return Standing(
            state=self._state(state),
            attempts=attempts,
            failures=failures,
            due_at=due_at,
            last_error=last_error,
            asked_at=asked_at,
            settled_at=settled_at,
            reopened=times,
            wait=wait,
        )

    def _state(self, word: str) -> UploadState:
        try:
            return UploadState(word)
        except ValueError as error:
            raise StoreUnreadableError(f"{self._database.path} is damaged") from error

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
        row = self._database.row(_NEXT_DUE, (*place, *times, *after, grant.from_body))
        if row is None:
            return None
        return Owed(row[0], _upload(row[1:15]), self._standing(row[15:]))

    def remaining(self, grant: Grant) -> int:
        """See `Bodies.remaining`."""
        place = (self._keys.target(grant.target_id), self._keys.stream(grant.stream))
        (count,) = self._database.row(_REMAINING, (*place, grant.from_body)) or (0,)
        return int(count)

    def pending(self, grant: Grant) -> int:
        """See `Bodies.pending`."""
        place = (self._keys.target(grant.target_id), self._keys.stream(grant.stream))
        (count,) = self._database.row(_PENDING, (*place, grant.from_body)) or (0,)
        return int(count)

    def note(self, target_id: str, number: int, standing: Standing) -> None:
        """See `Bodies.note`."""
        target_no = self._keys.target_for_writing(target_id)
        columns = (standing.state.value, *attrs.astuple(standing)[1:])
        with self._database.write():
            self._database.run(_NOTE, (*columns, target_no, number, number))

    def reopen(self, target_id: str, number: int, act: Act, *, actor: str, at: int) -> bool:
        """See `Bodies.reopen`."""
        target_no = self._keys.target_for_writing(target_id)
        with self._database.write():
            row = self._database.row(_ONE_STANDING, (target_no, number))
            before = None if row is None else self._standing(row)
            after = None if before is None else reopened(before, act, at=at)
            if before is None or after is None:
                return False
            stood = (before.state.value, before.last_error, before.settled_at)
            values = (target_no, number, at, actor, act.value, *stood)
            self._database.run(_NEW_REOPENING, values)
            self.note(target_id, number, after)
        return True

    def reopenings(self, target_id: str, number: int, *, limit: int = 1000) -> list[Reopening]:
        """See `Bodies.reopenings`."""
        values = (self._keys.target(target_id), number, limit)
        return [
            Reopening(
                act=Act(act),
                at=at,
                actor=actor,
                state=self._state(state),
                last_error=last_error,
                settled_at=settled_at,
            )
            for act, at, actor, state, last_error, settled_at in self._database.rows(
                _REOPENINGS, values
            )
        ]

    def log(self, failure: UploadFailure) -> None:
        """See `Bodies.log`."""
        self._failures.log(failure)

    def failures(self, *, after: int = 0, limit: int = 1000) -> list[UploadFailure]:
        """See `Bodies.failures`."""
        return self._failures.page(after=after, limit=limit)

    def counts(self, target_id: str = "") -> BodyCounts:
        """See `Bodies.counts`."""
        with self._database.snapshot():
            found: dict[str, int] = {}
            if target_id:
                found = dict(self._database.rows(_STATES, (self._keys.target(target_id),)))
            else:
                (there,) = self._database.row(_THERE) or (0,)
                found = {UploadState.UPLOADED.value: there}
            return BodyCounts(
                bodies=count(self._database, BODIES),
                uploaded=sum(found.get(state.value, 0) for state in UploadState if state.is_there),
                failed=found.get(UploadState.FAILED.value, 0),
                failure_log=self._failures.count(),
            )


_PARTS = tuple(field.name for field in attrs.fields(BodyKey))


@understood
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
