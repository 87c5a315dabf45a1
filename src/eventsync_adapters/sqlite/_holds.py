from collections.abc import Sequence
from typing import Any

from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._errors import understood
from eventsync_adapters.sqlite._keys import Keys
from eventsync_adapters.sqlite._rows import owe
from eventsync_core.events import Hold
from eventsync_core.ledger import Holding, spans

_HOLD = """
INSERT INTO holds (stream_id, position, hold, reason, held_at, actor)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (stream_id, position) DO NOTHING
"""
_PRESENT = """
SELECT position, hold, reason, actor, held_at FROM holds
WHERE stream_id = ? AND position BETWEEN ? AND ? ORDER BY position
"""
_END = """
INSERT INTO released_holds (stream_id, position, number, hold, reason, actor, held_at,
                            released_by, released_at)
SELECT ?1, ?2, COALESCE(MAX(number), 0) + 1, ?3, ?4, ?5, ?6, ?7, ?8 FROM released_holds
WHERE stream_id = ?1 AND position = ?2
"""
_DROP = "DELETE FROM holds WHERE stream_id = ? AND position = ?"
_PASSED = "SELECT target_no, passed FROM grants WHERE stream_id = ?"
_HELD = """
SELECT position FROM holds WHERE stream_id = ? AND position > ? AND hold = ?
ORDER BY position LIMIT ?
"""
_ENDED = """
SELECT hold, reason, actor, held_at, released_by, released_at FROM released_holds
WHERE stream_id = ? AND position = ? ORDER BY number
"""


class SqliteHolds:
    """`Holds` in the tables holds and released_holds."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    def hold(
        self,
        stream: str,
        positions: Sequence[int],
        *,
        reason: str,
        actor: str,
        at: int,
        why: Hold = Hold.OPERATOR,
    ) -> int:
        """See `Holds.hold`."""
        with self._database.write():
            stream_id = self._keys.stream_for_writing(stream)
            return sum(
                self._database.run(_HOLD, (stream_id, position, why.value, reason, at, actor))
                for position in positions
            )

    def release(self, stream: str, positions: Sequence[int], *, actor: str, at: int) -> int:
        """See `Holds.release`."""
        with self._database.write():
            stream_id = self._keys.stream_for_writing(stream)
            present = [
                row
                for span in spans(sorted(set(positions)))
                for row in self._database.rows_of_words(_PRESENT, (stream_id, *span))
            ]
            for row in present:
                # What goes on record never changes, so it is understood before.
                _holding(*row[1:])
            ended = [(stream_id, *row, actor, at) for row in present]
            self._database.run_many(_END, ended)
            self._database.run_many(_DROP, [(stream_id, row[0]) for row in present])
            for target_no, passed in self._database.rows(_PASSED, (stream_id,)):
                below = [row[0] for row in present if row[0] <= passed]
                owe(self._database, (target_no, stream_id), below, at=at)
            return len(present)

    def held(self, stream: str, hold: Hold, *, after: int = 0, limit: int = 500) -> list[int]:
        """See `Holds.held`."""
        values = (self._keys.stream(stream), after, hold.value, limit)
        return [position for (position,) in self._database.rows(_HELD, values)]

    def holdings(self, stream: str, position: int) -> list[Holding]:
        """See `Holds.holdings`."""
        stream_id = self._keys.stream(stream)
        over = self._database.rows_of_words(_ENDED, (stream_id, position))
        present = self._database.rows_of_words(_PRESENT, (stream_id, position, position))
        return [_holding(*row) for row in over] + [_holding(*row[1:]) for row in present]


@understood
def _holding(
    hold: str,
    reason: str,
    actor: str,
    held_at: int,
    *end: Any,
) -> Holding:
    released_by, released_at = end or ("", None)
    return Holding(
        hold=Hold(hold),
        reason=reason,
        actor=actor,
        held_at=held_at,
        released_by=released_by,
        released_at=released_at,
    )
