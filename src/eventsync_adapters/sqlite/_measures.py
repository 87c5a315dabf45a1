from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._facts import StorageFacts
from eventsync_adapters.sqlite._keys import Keys
from eventsync_core.ledger import spans
from eventsync_core.measures import Retained, Storage

_RETAINED = "SELECT stream, kept, kept_bytes FROM streams WHERE head > 0 ORDER BY stream"
_OLDEST = """
SELECT captured_at FROM entries WHERE entry_id = (SELECT MIN(entry_id) FROM payloads)
"""
_GRANT = """
SELECT from_position, passed FROM grants
WHERE target_no = ? AND stream_id = ? AND revoked_at IS NULL
"""
_FIRST_DUE = """
SELECT e.position, e.captured_at
FROM due d INDEXED BY due_by_owed
     CROSS JOIN entries e ON e.stream_id = d.stream_id AND e.position = d.position
WHERE d.target_no = ? AND d.stream_id = ? AND d.is_owed = 1 AND d.position > ?
  AND EXISTS (SELECT 1 FROM payloads p WHERE p.entry_id = e.entry_id)
  AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.stream_id = d.stream_id
                                          AND h.position = d.position)
  AND NOT EXISTS (SELECT 1 FROM superseded s WHERE s.stream_id = d.stream_id
                                               AND s.position = d.position)
ORDER BY d.position LIMIT 1
"""
_FIRST_ABOVE = """
SELECT e.position, e.captured_at FROM entries e
WHERE e.stream_id = ?2 AND e.position > ?3 AND e.position <= ?4
  AND EXISTS (SELECT 1 FROM payloads p WHERE p.entry_id = e.entry_id)
  AND NOT EXISTS (SELECT 1 FROM ledger l WHERE l.target_no = ?1 AND l.stream_id = e.stream_id
                                           AND l.position = e.position)
  AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.stream_id = e.stream_id
                                          AND h.position = e.position)
  AND NOT EXISTS (SELECT 1 FROM superseded s WHERE s.stream_id = e.stream_id
                                               AND s.position = e.position)
ORDER BY e.position LIMIT 1
"""
_NEXT = """
SELECT position FROM entries WHERE stream_id = ? AND position > ? ORDER BY position LIMIT 1
"""
_HELD_IN = """
SELECT COUNT(*) FROM holds WHERE stream_id = ? AND position > ? AND position <= ?
"""
_SUPERSEDED_IN = """
SELECT COUNT(*) FROM superseded WHERE stream_id = ? AND position > ? AND position <= ?
"""
_PURGED_IN = "SELECT COUNT(*) FROM purged WHERE stream_id = ? AND position > ? AND position <= ?"
_AT_ONCE = 64
_IDS = "SELECT position, event_id FROM entries WHERE stream_id = ? AND position BETWEEN ? AND ?"


class SqliteMeasures:
    """`Measures` from counters that every append keeps, and the first rows of indexes."""

    def __init__(self, database: Database, keys: Keys, facts: Callable[[], StorageFacts]) -> None:
        self._database = database
        self._keys = keys
        self._facts = facts

    def retained(self) -> list[Retained]:
        """See `Measures.retained`."""
        return [Retained(*row) for row in self._database.rows(_RETAINED)]

    def oldest_kept_at(self) -> int | None:
        """See `Measures.oldest_kept_at`."""
        row = self._database.row(_OLDEST)
        return None if row is None else int(row[0])

    def oldest_owed_at(self, target_id: str, stream: str) -> int | None:
        """See `Measures.oldest_owed_at`."""
        place = (self._keys.target(target_id), self._keys.stream(stream))
        with self._database.snapshot():
            grant = self._database.row(_GRANT, place)
            if grant is None:
                return None
            above, passed = grant
            found = (
                self._database.row(_FIRST_DUE, (*place, above)),
                self._first_above(place, max(above, passed)),
            )
        # The position comes first: the first one that is owed, whatever the clock said then.
        owed = min((row for row in found if row), default=None)
        return None if owed is None else int(owed[1])

    def _first_above(
        self, place: tuple[int | None, int | None], above: int
    ) -> tuple[Any, ...] | None:
        """Return the first that is owed without a row, passing over long runs of what is not."""
        while following := self._database.row(_NEXT, (place[1], above)):
            above = following[0] - 1
            found = self._database.row(_FIRST_ABOVE, (*place, above, above + _AT_ONCE))
            if found is not None:
                return found
            above += _AT_ONCE
            for marked in (_HELD_IN, _SUPERSEDED_IN, _PURGED_IN):
                above = self._behind_run(marked, place[1], above)
        return None

    def _behind_run(self, marked: str, stream_id: int | None, above: int) -> int:
        """Return the last of the positions behind *above* without one that is not marked."""
        step = _AT_ONCE
        while self._is_full(marked, stream_id, above, step):
            above += step
            step *= 2
        while step := step // 2:
            if self._is_full(marked, stream_id, above, step):
                above += step
        return above

    def _is_full(self, marked: str, stream_id: int | None, above: int, step: int) -> bool:
        return self._database.row(marked, (stream_id, above, above + step)) == (step,)

    def event_ids(self, stream: str, positions: Iterable[int]) -> dict[int, str]:
        """See `Measures.event_ids`."""
        stream_id = self._keys.stream(stream)
        found: dict[int, str] = {}
        for span in spans(positions):
            found.update(self._database.rows(_IDS, (stream_id, *span)))
        return found

    def storage(self) -> Storage | None:
        """See `Measures.storage`."""
        facts = self._facts()
        (free,) = self._database.row("PRAGMA freelist_count") or (0,)
        (page,) = self._database.row("PRAGMA page_size") or (0,)
        return Storage(
            # Only WAL is written into the file; a reader sees SQLite's default for anything else.
            journal_mode=facts.journal_mode,
            file_bytes=facts.file_bytes,
            free_pages=free,
            page_bytes=page,
            wal_bytes=_size(Path(f"{facts.path}-wal")),
        )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
