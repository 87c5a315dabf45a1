from collections.abc import Sequence
from typing import Any

from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._errors import understood
from eventsync_core.events import Family
from eventsync_core.policy import AuditRecord

_LAST = "SELECT COALESCE(MAX(audit_no), 0) FROM audit"
_NEW = """
INSERT INTO audit (audit_no, event_id, event_type, family, stream, reason, digest, at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_PAGE = """
SELECT audit_no, event_id, event_type, family, stream, reason, digest, at FROM audit
WHERE audit_no > ? ORDER BY audit_no LIMIT ?
"""


class SqliteAudit:
    """An `Audit` in the table of that name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, rows: Sequence[AuditRecord]) -> None:
        """See `Audit.record`."""
        with self._database.write():
            last = self.count()
            self._database.run_many(
                _NEW,
                [
                    (
                        last + index,
                        row.event_id,
                        row.event_type,
                        row.family.value,
                        row.stream,
                        row.reason,
                        row.digest.hex(),
                        row.at,
                    )
                    for index, row in enumerate(rows, 1)
                ],
            )

    def rows(self, *, after: int = 0, limit: int = 1000) -> list[AuditRecord]:
        """See `Audit.rows`."""
        return [_record(row) for row in self._database.rows(_PAGE, (after, limit))]

    def count(self) -> int:
        """See `Audit.count`; rows are numbered without gaps and never deleted."""
        (last,) = self._database.row(_LAST) or (0,)
        return int(last)


@understood
def _record(row: tuple[Any, ...]) -> AuditRecord:
    number, event_id, event_type, family, stream, reason, digest, at = row
    return AuditRecord(
        number=number,
        event_id=event_id,
        event_type=event_type,
        family=Family(family),
        stream=stream,
        reason=reason,
        digest=bytes.fromhex(digest),
        at=at,
    )
