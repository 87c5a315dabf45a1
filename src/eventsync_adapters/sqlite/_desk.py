from collections import deque
from collections.abc import Collection, Sequence
from typing import Any

from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._errors import understood
from eventsync_adapters.sqlite._keys import Keys
from eventsync_adapters.sqlite._leases import SqliteLeases, fence
from eventsync_adapters.sqlite._ledger import HOLDS, REQUEST_COLUMNS, as_request
from eventsync_adapters.sqlite._rows import (
    OWED,
    as_entry,
    raise_cursor,
    read_rows,
    store_rows,
)
from eventsync_core.ledger import (
    LOST_REASON,
    Abandoned,
    Act,
    Busy,
    HistoryItem,
    Lease,
    LedgerEntry,
    Request,
    Standing,
    adopt,
    in_ranges,
    last_words,
    lost,
    reopen,
)
from eventsync_core.receivers import Outcome

_NO_ROW = "none"
_EVERYTHING = (*(outcome.value for outcome in Outcome), OWED, _NO_ROW)
_REQUESTS_AT_ONCE = 500
STANDINGS = """
SELECT e.position, l.outcome, l.request_id, l.attempts, l.rejections, l.round, l.seen, l.due_at,
       l.wait, l.round_after, e.event_id, e.event_type, e.captured_at, h.position,
       p.entry_id, a.answered_at, a.outcome, a.reason, a.category, r.guidance, s.superseded_by
FROM entries e
LEFT JOIN ledger l ON l.target_no = ? AND l.stream_id = e.stream_id AND l.position = e.position
LEFT JOIN payloads p ON p.entry_id = e.entry_id
LEFT JOIN holds h ON h.stream_id = e.stream_id AND h.position = e.position
LEFT JOIN superseded s ON s.stream_id = e.stream_id AND s.position = e.position
LEFT JOIN requests r ON r.request_id = l.request_id
LEFT JOIN answers a ON a.answer_id = (
    SELECT MAX(b.answer_id) FROM answers b
    WHERE b.stream_id = e.stream_id AND b.position = e.position
      AND +b.target_no = l.target_no AND +b.request_id = l.request_id AND b.act = '')
WHERE e.stream_id = ? AND e.position > ? AND e.position <= ?
  AND COALESCE(l.outcome, 'none') IN ({})
ORDER BY e.position
"""
_ACT = """
INSERT INTO answers (stream_id, position, target_no, request_id, answered_at, outcome, reason,
                     act, actor)
VALUES (?, ?, ?, ?, ?, ?, '', ?, ?)
"""
_THERE = "SELECT 1 FROM entries WHERE stream_id = ? AND position = ?"
_TOLD = """
INSERT INTO answers (stream_id, position, target_no, request_id, answered_at, outcome, reason,
                     category, act, actor)
VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?)
"""
_REQUESTS_AFTER = (
    REQUEST_COLUMNS
    + "FROM requests WHERE target_no = ? AND stream_id = ? AND request_id > ?"
    + " ORDER BY request_id LIMIT ?"
)


class SqliteDesk:
    """A `Desk` in the tables ledger, due, tallies, requests and answers."""

    def __init__(self, database: Database, keys: Keys, leases: SqliteLeases) -> None:
        self._database = database
        self._keys = keys
        self._leases = leases

    def standings(
        self,
        target_id: str,
        stream: str,
        outcomes: Collection[Outcome],
        *,
        after: int,
        upto: int,
        at: int,
    ) -> list[Standing]:
        """See `Desk.standings`."""
        place = (self._keys.target(target_id), self._keys.stream(stream))
        request_id, carried = self._leases.given_up(target_id, stream, at=at)
        is_touched = any(after < position <= upto for position in carried)
        words = _EVERYTHING if is_touched else tuple(outcome.value for outcome in outcomes)
        found = []
        query = STANDINGS.format(",".join("?" * len(words)))
        for values in self._database.rows(query, (*place, after, upto, *words)):
            row = as_entry(values[:10]) if values[1] is not None else None
            guidance = values[19] or ""
            if values[0] in carried:
                row, guidance = lost(row, request_id=request_id, at=at), LOST_REASON
            if row is not None and row.outcome in outcomes:
                found.append(_standing(target_id, row, guidance, values))
        return found

    def busy(self, target_id: str, stream: str, *, at: int) -> Busy | None:
        """See `Desk.busy`."""
        lease = self._leases.held(target_id, stream)
        if lease is None or self._leases.is_free(lease, at=at):
            return None
        return Busy(lease.holder, lease.expires_at)

    def abandoned(self, target_id: str, stream: str, *, at: int) -> Abandoned | None:
        """See `Desk.abandoned`."""
        lease = self._leases.held(target_id, stream)
        if lease is None or not lease.expires_at or not self._leases.is_free(lease, at=at):
            return None
        return Abandoned(lease.holder, len(self._leases.open_positions(target_id, stream)))

    def reopen(
        self, lease: Lease, positions: Collection[int], act: Act, *, actor: str, at: int
    ) -> set[int]:
        """See `Desk.reopen`."""
        with self._database.write():
            target_no = self._keys.target_for_writing(lease.target_id)
            stream_id = self._keys.stream_for_writing(lease.stream)
            place = (target_no, stream_id)
            if self._database.row(HOLDS, (*place, *fence(lease))) is None:
                return set()
            before = read_rows(self._database, place, sorted(positions))
            after: dict[int, LedgerEntry] = {}
            done: list[tuple[Any, ...]] = []
            for position, row in before.items():
                changed = reopen(row, act, at=at)
                if changed is None or row.outcome is None:
                    continue
                after[position] = changed
                stood = (row.request_id, at, row.outcome.value)
                done.append((stream_id, position, target_no, *stood, act.value, actor))
            store_rows(self._database, place, before, after)
            # What is owed stands behind what was never offered, and not above the cursor.
            raise_cursor(self._database, place, max(after, default=0), at=at)
            self._database.run_many(_ACT, done)
            return set(after)

    def adopt(
        self,
        target_id: str,
        stream: str,
        position: int,
        row: LedgerEntry,
        said: Sequence[HistoryItem],
        *,
        at: int,
    ) -> bool:
        """See `Desk.adopt`."""
        with self._database.write():
            target_no = self._keys.target_for_writing(target_id)
            stream_id = self._keys.stream(stream)
            adopted = adopt(target_id, row, said, at=at)
            if stream_id is None or adopted is None:
                return False
            place = (target_no, stream_id)
            is_there = self._database.row(_THERE, (stream_id, position))
            if is_there is None or read_rows(self._database, place, [position]):
                return False
            own, items = adopted
            store_rows(self._database, place, {}, {position: own})
            self._database.run_many(
                _TOLD,
                [
                    (
                        stream_id,
                        position,
                        target_no,
                        item.at,
                        item.outcome.value,
                        item.reason,
                        item.category,
                        "" if item.act is None else item.act.value,
                        item.actor,
                    )
                    for item in items
                ],
            )
            return True

    def requests_with(
        self, target_id: str, stream: str, position: int, *, limit: int = 1000
    ) -> tuple[list[Request], int]:
        """See `Desk.requests_with`."""
        place = (self._keys.target(target_id), self._keys.stream(stream))
        found: deque[Request] = deque(maxlen=limit)
        count = last = 0
        while rows := self._database.rows(_REQUESTS_AFTER, (*place, last, _REQUESTS_AT_ONCE)):
            for row in rows:
                if in_ranges(row[1], position):
                    found.append(as_request(target_id, stream, row))
                    count += 1
            last = rows[-1][0]
        return list(found), count


@understood
def _standing(target_id: str, row: LedgerEntry, guidance: str, values: tuple[Any, ...]) -> Standing:
    _, _, request_id, *_ = values
    event_id, event_type, captured_at, held, text, *answer, _, superseded_by = values[10:]
    answered_at, outcome, reason, category = answer
    said = None
    if outcome is not None:
        said = HistoryItem(
            target_id=target_id,
            request_id=request_id,
            at=answered_at,
            outcome=Outcome(outcome),
            reason=reason,
            category=category,
        )
    return Standing(
        position=values[0],
        event_id=event_id,
        event_type=event_type,
        captured_at=captured_at,
        row=row,
        said=last_words(row, said, guidance),
        is_held=held is not None,
        is_superseded=superseded_by is not None,
        has_text=text is not None,
    )
