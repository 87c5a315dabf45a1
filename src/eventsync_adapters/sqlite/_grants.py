from typing import Any

import attrs

from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._errors import understood
from eventsync_adapters.sqlite._keys import Keys
from eventsync_core.egress import (
    Grant,
    GrantAct,
    GrantVerb,
    change_grant,
    end_grant,
    rest_grant,
    unrecorded,
    verbs_between,
)

# A grant lets something go only where the acts on record say the same.
_COLUMNS = """
SELECT t.target_id, s.stream, g.from_position, g.generation, g.actor, g.reason, g.granted_at,
       g.revoked_at, g.paused, g.revoked_by, g.revoked_reason, g.from_body,
       EXISTS (SELECT 1 FROM grant_acts a
               WHERE a.target_no = t.target_no AND a.stream_id = s.stream_id
                 AND a.generation = g.generation AND a.from_position = g.from_position
                 AND a.from_body = g.from_body
                 AND (a.act <> 'paused' OR g.paused <> ''))
       AND NOT EXISTS (SELECT 1 FROM grant_acts a
                       WHERE a.target_no = t.target_no AND a.stream_id = s.stream_id
                         AND a.generation > g.generation)
       AND (SELECT a.act = 'granted' FROM grant_acts a
            WHERE a.target_no = t.target_no AND a.stream_id = s.stream_id
              AND a.act IN ('granted', 'revoked')
            ORDER BY a.generation DESC, a.act_no DESC LIMIT 1) IS (g.revoked_at IS NULL)
FROM grants g
JOIN targets t ON t.target_no = g.target_no
JOIN streams s ON s.stream_id = g.stream_id
"""
_ONE = _COLUMNS + "WHERE g.target_no = ? AND g.stream_id = ?"
_OF_TARGET = _COLUMNS + "WHERE g.target_no = ? ORDER BY s.stream"
_PUT = """
INSERT INTO grants (target_no, stream_id, from_position, passed, generation, actor, reason,
                    granted_at, revoked_at, paused, revoked_by, revoked_reason, from_body)
VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (target_no, stream_id) DO UPDATE SET
    from_position = excluded.from_position, generation = excluded.generation,
    actor = excluded.actor, reason = excluded.reason, granted_at = excluded.granted_at,
    revoked_at = excluded.revoked_at, paused = excluded.paused,
    revoked_by = excluded.revoked_by, revoked_reason = excluded.revoked_reason,
    from_body = excluded.from_body
"""
_ACTS = """
SELECT a.act_no, s.stream, a.act, a.at, a.actor, a.reason, a.from_position, a.generation,
       a.from_body
FROM grant_acts a CROSS JOIN streams s ON s.stream_id = a.stream_id
WHERE a.target_no = ? ORDER BY a.act_no DESC LIMIT ?
"""
_ACT_COUNT = "SELECT COALESCE(MAX(act_no), 0) FROM grant_acts WHERE target_no = ?"
_NEW_ACT = """
INSERT INTO grant_acts (target_no, act_no, stream_id, act, at, actor, reason, from_position,
                        generation, from_body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_LAST_GENERATION = """
SELECT COALESCE(MAX(generation), 0) FROM grant_acts WHERE target_no = ? AND stream_id = ?
"""
_PASSED = "SELECT passed FROM grants WHERE target_no = ? AND stream_id = ?"
_OWED = """
FROM entries e
WHERE e.stream_id = ?2 AND e.position > ?3 AND e.position <= ?4
  AND NOT EXISTS (SELECT 1 FROM ledger l WHERE l.target_no = ?1 AND l.stream_id = e.stream_id
                                           AND l.position = e.position)
  AND NOT EXISTS (SELECT 1 FROM superseded s WHERE s.stream_id = e.stream_id
                                               AND s.position = e.position)
  AND NOT EXISTS (SELECT 1 FROM purged g WHERE g.stream_id = e.stream_id
                                           AND g.position = e.position)
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
        self,
        target_id: str,
        stream: str,
        *,
        from_position: int,
        actor: str,
        reason: str,
        at: int,
        from_body: int = 0,
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
                from_body=from_body,
            )
            grant = change_grant(before, asked)
            self._put(before, grant, actor=actor, reason=reason, at=at)
            if before is not None and grant.from_position < before.from_position:
                self._owe(grant, before.from_position, at)
            return grant

    def _put(self, before: Grant | None, after: Grant, *, actor: str, reason: str, at: int) -> None:
        """Store the grant as it is after a change, and the change; inside a unit of work."""
        if after == before:
            return
        target_no = self._keys.target_for_writing(after.target_id)
        stream_id = self._keys.stream_for_writing(after.stream)
        self._database.run(
            _PUT,
            (
                target_no,
                stream_id,
                after.from_position,
                after.generation,
                after.actor,
                after.reason,
                after.granted_at,
                after.revoked_at,
                after.paused,
                after.revoked_by,
                after.revoked_reason,
                after.from_body,
            ),
        )
        said = (at, actor, reason, after.from_position, after.generation, after.from_body)
        for verb in verbs_between(before, after):
            number = self.act_count(after.target_id) + 1
            self._database.run(_NEW_ACT, (target_no, number, stream_id, verb.value, *said))

    def _owe(self, grant: Grant, upto: int, at: int) -> None:
        """Owe what the cursor has passed while it was not granted."""
        target_no = self._keys.target_for_writing(grant.target_id)
        stream_id = self._keys.stream_for_writing(grant.stream)
        (passed,) = self._database.row(_PASSED, (target_no, stream_id)) or (0,)
        values = (target_no, stream_id, grant.from_position, min(upto, passed), at)
        self._database.run(_OWE_DUE + _OWED, values)
        owed = self._database.run(_OWE_LEDGER + _OWED, values)
        self._database.run(_TALLY, (target_no, stream_id, owed))

    def revoke(self, target_id: str, stream: str, *, actor: str, reason: str, at: int) -> None:
        """See `Grants.revoke`."""
        with self._database.write():
            grant = self.get(target_id, stream)
            if grant is not None and not grant.is_on_record:
                grant = self._as_given(grant)
            if grant is not None:
                ended = end_grant(grant, actor=actor, reason=reason, at=at)
                self._put(grant, ended, actor=actor, reason=reason, at=at)

    def _as_given(self, grant: Grant) -> Grant:
        """Return one that is not on record as it must stand for its end to be on record."""
        place = (self._keys.target(grant.target_id), self._keys.stream(grant.stream))
        (last,) = self._database.row(_LAST_GENERATION, place) or (0,)
        return attrs.evolve(grant, generation=last, revoked_at=None, paused="", is_on_record=True)

    def pause(self, target_id: str, stream: str, reason: str, *, actor: str, at: int) -> None:
        """See `Grants.pause`."""
        self._rest(target_id, stream, reason, actor=actor, reason=reason, at=at)

    def resume(self, target_id: str, stream: str, *, actor: str, reason: str, at: int) -> None:
        """See `Grants.resume`."""
        self._rest(target_id, stream, "", actor=actor, reason=reason, at=at)

    def _rest(
        self, target_id: str, stream: str, why: str, *, actor: str, reason: str, at: int
    ) -> None:
        with self._database.write():
            grant = self.get(target_id, stream)
            if grant is not None:
                self._put(grant, rest_grant(grant, why), actor=actor, reason=reason, at=at)

    def get(self, target_id: str, stream: str) -> Grant | None:
        """See `Grants.get`."""
        numbers = (self._keys.target(target_id), self._keys.stream(stream))
        row = self._database.row(_ONE, numbers)
        if row is None:
            return None
        found = _grant(row)
        is_it = (found.target_id, found.stream) == (target_id, stream)
        return found if is_it else unrecorded(attrs.evolve(found, stream=stream))

    def grants(self, target_id: str) -> list[Grant]:
        """See `Grants.grants`."""
        target_no = self._keys.target(target_id)
        return [_grant(row) for row in self._database.rows(_OF_TARGET, (target_no,))]

    def acts(self, target_id: str, *, limit: int = 1000) -> list[GrantAct]:
        """See `Grants.acts`."""
        target_no = self._keys.target(target_id)
        return [_act(row) for row in self._database.rows(_ACTS, (target_no, limit))]

    def act_count(self, target_id: str) -> int:
        """See `Grants.act_count`; acts are numbered without gaps and never deleted."""
        (last,) = self._database.row(_ACT_COUNT, (self._keys.target(target_id),)) or (0,)
        return int(last)


@understood
def _grant(row: tuple[Any, ...]) -> Grant:
    target_id, stream, from_position, generation, actor, reason, granted_at, *ended = row
    revoked_at, paused, revoked_by, revoked_reason, from_body, is_on_record = ended
    found = Grant(
        target_id=target_id,
        stream=stream,
        from_position=from_position,
        generation=generation,
        actor=actor,
        reason=reason,
        granted_at=granted_at,
        revoked_at=revoked_at,
        paused=paused,
        revoked_by=revoked_by,
        revoked_reason=revoked_reason,
        from_body=from_body,
    )
    return found if is_on_record else unrecorded(found)


@understood
def _act(row: tuple[Any, ...]) -> GrantAct:
    number, stream, word, at, actor, reason, from_position, generation, from_body = row
    return GrantAct(
        number=number,
        stream=stream,
        act=GrantVerb(word),
        at=at,
        actor=actor,
        reason=reason,
        from_position=from_position,
        generation=generation,
        from_body=from_body,
    )
