from typing import Any

import attrs

from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._keys import Keys
from eventsync_core.egress import Grant, change_grant

_COLUMNS = """
SELECT t.target_id, s.stream, g.from_position, g.generation, g.actor, g.reason, g.granted_at,
       g.revoked_at, g.paused
FROM grants g
JOIN targets t ON t.target_no = g.target_no
JOIN streams s ON s.stream_id = g.stream_id
"""
_ONE = _COLUMNS + "WHERE g.target_no = ? AND g.stream_id = ?"
_OF_TARGET = _COLUMNS + "WHERE g.target_no = ? ORDER BY s.stream"
_PUT = """
INSERT INTO grants (target_no, stream_id, from_position, passed, generation, actor, reason,
                    granted_at, revoked_at, paused)
VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?)
ON CONFLICT (target_no, stream_id) DO UPDATE SET
    from_position = excluded.from_position, generation = excluded.generation,
    actor = excluded.actor, reason = excluded.reason, granted_at = excluded.granted_at,
    revoked_at = excluded.revoked_at, paused = excluded.paused
"""
_PASSED = "SELECT passed FROM grants WHERE target_no = ? AND stream_id = ?"
_OWED = """
FROM entries e
WHERE e.stream_id = ?2 AND e.position > ?3 AND e.position <= ?4
  AND NOT EXISTS (SELECT 1 FROM ledger l WHERE l.target_no = ?1 AND l.stream_id = e.stream_id
                                           AND l.position = e.position)
  AND NOT EXISTS (SELECT 1 FROM superseded s WHERE s.stream_id = e.stream_id
                                               AND s.position = e.position)
"""
_OWE_DUE = """
INSERT INTO due (target_no, stream_id, lane, due_at, position, aggregate)
SELECT ?1, ?2, 'first', ?5, e.position, e.aggregate
"""
_OWE_LEDGER = """
INSERT INTO ledger (target_no, stream_id, position, outcome, request_id, attempts, rejections,
                    round, seen, due_at, wait)
SELECT ?1, ?2, e.position, 'owed', 0, 0, 0, 1, 0, ?5, 0
"""
_TALLY = """
INSERT INTO tallies (target_no, stream_id, outcome, entries) VALUES (?, ?, 'owed', ?)
ON CONFLICT (target_no, stream_id, outcome) DO UPDATE SET entries = entries + excluded.entries
"""


class SqliteGrants:
    """`Grants` in the table grants."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    def grant(
        self, target_id: str, stream: str, *, from_position: int, actor: str, reason: str, at: int
    ) -> Grant:
        """See `Grants.grant`."""
        with self._database.write():
            self._keys.target_for_writing(target_id)
            before = self.get(target_id, stream)
            asked = Grant(
                target_id=target_id,
                stream=stream,
                from_position=from_position,
                generation=1,
                actor=actor,
                reason=reason,
                granted_at=at,
            )
            grant = change_grant(before, asked)
            self._put(grant)
            if before is not None and grant.from_position < before.from_position:
                self._owe(grant, before.from_position, at)
            return grant

    def _put(self, grant: Grant) -> None:
        self._database.run(
            _PUT,
            (
                self._keys.target_for_writing(grant.target_id),
                self._keys.stream_for_writing(grant.stream),
                grant.from_position,
                grant.generation,
                grant.actor,
                grant.reason,
                grant.granted_at,
                grant.revoked_at,
                grant.paused,
            ),
        )

    def _owe(self, grant: Grant, upto: int, at: int) -> None:
        """Owe what the cursor has passed while it was not granted."""
        target_no = self._keys.target_for_writing(grant.target_id)
        stream_id = self._keys.stream_for_writing(grant.stream)
        (passed,) = self._database.row(_PASSED, (target_no, stream_id)) or (0,)
        values = (target_no, stream_id, grant.from_position, min(upto, passed), at)
        self._database.run(_OWE_DUE + _OWED, values)
        owed = self._database.run(_OWE_LEDGER + _OWED, values)
        self._database.run(_TALLY, (target_no, stream_id, owed))

    def revoke(self, target_id: str, stream: str, *, at: int) -> None:
        """See `Grants.revoke`."""
        self._change(target_id, stream, "revoked_at", at)

    def pause(self, target_id: str, stream: str, reason: str) -> None:
        """See `Grants.pause`."""
        self._change(target_id, stream, "paused", reason)

    def resume(self, target_id: str, stream: str) -> None:
        """See `Grants.resume`."""
        with self._database.write():
            grant = self.get(target_id, stream)
            if grant is not None and grant.paused:
                self._change(target_id, stream, "paused", "")

    def _change(self, target_id: str, stream: str, field: str, value: Any) -> None:
        with self._database.write():
            grant = self.get(target_id, stream)
            if grant is not None and (field != "revoked_at" or grant.is_live):
                self._put(attrs.evolve(grant, **{field: value, "generation": grant.generation + 1}))

    def get(self, target_id: str, stream: str) -> Grant | None:
        """See `Grants.get`."""
        numbers = (self._keys.target(target_id), self._keys.stream(stream))
        row = self._database.row(_ONE, numbers)
        return None if row is None else _grant(row)

    def grants(self, target_id: str) -> list[Grant]:
        """See `Grants.grants`."""
        target_no = self._keys.target(target_id)
        return [_grant(row) for row in self._database.rows(_OF_TARGET, (target_no,))]


def _grant(row: tuple[Any, ...]) -> Grant:
    target_id, stream, from_position, generation, actor, reason, granted_at, revoked_at, paused = (
        row
    )
    return Grant(
        target_id=target_id,
        stream=stream,
        from_position=from_position,
        generation=generation,
        actor=actor,
        reason=reason,
        granted_at=granted_at,
        revoked_at=revoked_at,
        paused=paused,
    )
