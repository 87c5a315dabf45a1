from collections.abc import Sequence

import attrs

from eventsync_core.policy._port import AuditRecord


@attrs.define
class MemoryAudit:
    """An `Audit` that lives as long as the object."""

    _rows: dict[int, AuditRecord] = attrs.field(factory=dict)

    def record(self, rows: Sequence[AuditRecord]) -> None:
        """See `Audit.record`."""
        for row in rows:
            number = len(self._rows) + 1
            self._rows[number] = attrs.evolve(row, number=number)

    def rows(self, *, after: int = 0, limit: int = 1000) -> list[AuditRecord]:
        """See `Audit.rows`."""
        last = min(len(self._rows), after + limit)
        return [self._rows[number] for number in range(after + 1, last + 1)]

    def count(self) -> int:
        """See `Audit.count`."""
        return len(self._rows)
