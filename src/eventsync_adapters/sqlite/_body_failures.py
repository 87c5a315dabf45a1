from typing import Any

import attrs

from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._errors import understood
from eventsync_core.bodies import BodyKey, UploadFailure, merge_failures

BY_PARTS = """
project_uuid = ? AND mission_slug = ? AND target_branch = ? AND mission_type = ?
AND manifest_version = ? AND artifact_path = ? AND content_hash = ?
"""
_FAILURE = """
SELECT project_uuid, mission_slug, target_branch, mission_type, manifest_version, artifact_path,
       content_hash, reason, hash_algorithm, size_bytes, failures, first_failed_at, last_failed_at
FROM body_failures
"""
_ONE_FAILURE = _FAILURE + f"WHERE {BY_PARTS} AND reason = ?"
_FAILURES = _FAILURE + "WHERE failure_no > ? ORDER BY failure_no LIMIT ?"
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
WHERE {BY_PARTS} AND reason = ?
"""  # noqa: S608 - made of constants
DROP_FAILURES = "DELETE FROM body_failures WHERE lower(project_uuid) = ?"
_NUMBERS = "SELECT failure_no FROM body_failures WHERE failure_no > ? ORDER BY failure_no LIMIT ?"
_RENUMBER = "UPDATE body_failures SET failure_no = ? WHERE failure_no = ?"
_AT_ONCE = 1_000

_PARTS = tuple(field.name for field in attrs.fields(BodyKey))


class FailureLog:
    """The failure log in the table body_failures: numbered without gaps."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
            if row is None:
                self._database.run(_NEW_FAILURE, (self.count() + 1, *place, *facts))
            else:
                self._database.run(_SET_FAILURE, (*facts, *place))

    def page(self, *, after: int, limit: int) -> list[UploadFailure]:
        """See `Bodies.failures`."""
        return [_failure(row) for row in self._database.rows(_FAILURES, (after, limit))]

    def erase(self, project: str) -> None:
        """Erase those of *project*; inside a unit of work. The others close up."""
        self._database.run(DROP_FAILURES, (project,))
        number = after = 0
        while rows := self._database.rows(_NUMBERS, (after, _AT_ONCE)):
            for (stored,) in rows:
                number, after = number + 1, stored
                if stored != number:
                    self._database.run(_RENUMBER, (number, stored))

    def count(self) -> int:
        """Return how many there are."""
        (last,) = self._database.row(_LAST_FAILURE) or (0,)
        return int(last)


@understood
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
