from collections.abc import Mapping, Sequence
from typing import Any

from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._errors import understood
from eventsync_adapters.sqlite._keys import Keys
from eventsync_adapters.sqlite._leases import fence
from eventsync_adapters.sqlite._rows import (
    positions_in,
    raise_cursor,
    read_rows,
    store_first_success,
    store_rows,
)
from eventsync_core.ledger import (
    LEASE_LENGTH,
    Act,
    HistoryItem,
    Lease,
    LedgerEntry,
    Opening,
    Request,
    effect_of,
    fold,
    is_kept,
    let_wait,
    said_of,
    silenced,
    spans,
    write_ranges,
)
from eventsync_core.receivers import Detail, Effect, Outcome, Verdict

_OPEN = """
INSERT INTO requests (target_no, stream_id, positions, event_count, body_bytes, digest, opened_at,
                      answer, guidance)
VALUES (?, ?, ?, ?, ?, ?, ?, '', '')
RETURNING request_id
"""
_FLY = """
UPDATE leases SET open_request = ?
WHERE target_no = ? AND stream_id = ? AND token = ? AND pid = ? AND started_at = ?
"""
_LAND = """
UPDATE leases SET open_request = 0
WHERE target_no = ? AND stream_id = ? AND token = ? AND pid = ? AND started_at = ?
      AND open_request = ?
"""
HOLDS = """
SELECT 1 FROM leases
WHERE target_no = ? AND stream_id = ? AND token = ? AND pid = ? AND started_at = ?
"""
_REQUEST = "SELECT positions, closed_at, digest, opened_at FROM requests WHERE request_id = ?"
_CLOSE = """
UPDATE requests SET closed_at = ?, status = ?, answer = ?, guidance = ? WHERE request_id = ?
"""
_ANSWER = """
INSERT INTO answers (stream_id, position, target_no, request_id, answered_at, outcome, reason,
                     category)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_ERASED = """
SELECT g.position FROM purged g CROSS JOIN purges u ON u.purge_no = g.purge_no
WHERE g.stream_id = ? AND g.position BETWEEN ? AND ? AND u.act = 'purge'
"""
_DELIVERED = "UPDATE targets SET last_delivery_at = ? WHERE target_no = ?"
_LAST_DELIVERY = "SELECT last_delivery_at FROM targets WHERE target_id = ?"
_HISTORY = """
SELECT t.target_id, a.request_id, a.answered_at, a.outcome, a.reason, a.category, a.act, a.actor
FROM answers a JOIN targets t ON t.target_no = a.target_no
WHERE a.stream_id = ? AND a.position = ? ORDER BY a.answer_id
"""
TERMINAL = """
SELECT a.position, a.request_id, a.answered_at, a.outcome, a.reason, a.category
FROM answers a CROSS JOIN ledger l ON l.target_no = a.target_no AND l.stream_id = a.stream_id
                                  AND l.position = a.position
WHERE a.target_no = ? AND a.stream_id = ? AND a.outcome = 'terminal_failed'
  AND l.outcome = 'terminal_failed' AND a.act = ''
  AND NOT EXISTS (SELECT 1 FROM answers b WHERE b.stream_id = a.stream_id
                                            AND b.position = a.position
                                            AND b.answer_id > a.answer_id
                                            AND +b.target_no = a.target_no
                                            AND +b.outcome = a.outcome AND b.act = '')
ORDER BY a.answered_at DESC, a.position DESC LIMIT ?
"""
REQUEST_COLUMNS = """
SELECT request_id, positions, event_count, body_bytes, digest, opened_at, closed_at, status,
       answer, guidance
"""
_REQUESTS = (
    REQUEST_COLUMNS
    + "FROM requests WHERE target_no = ? AND stream_id = ? ORDER BY request_id DESC LIMIT ?"
)
_REQUEST_COUNT = "SELECT COUNT(*) FROM requests WHERE target_no = ? AND stream_id = ?"


class SqliteLedger:
    """A `Ledger` in the tables ledger, due, tallies, requests and answers."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys
        self._opened: tuple[int, str, int] | None = None

    def _numbers(self, lease: Lease) -> tuple[int, int]:
        return (
            self._keys.target_for_writing(lease.target_id),
            self._keys.stream_for_writing(lease.stream),
        )

    def _holds(self, numbers: tuple[int, int], lease: Lease) -> bool:
        return self._database.row(HOLDS, (*numbers, *fence(lease))) is not None

    def open_request(self, lease: Lease, opening: Opening, *, at: int) -> int | None:
        """See `Ledger.open_request`."""
        with self._database.write():
            numbers = self._numbers(lease)
            if not self._holds(numbers, lease):
                return None
            positions, count = write_ranges(opening.positions), len(opening.positions)
            row = self._database.row(
                _OPEN,
                (*numbers, positions, count, opening.body_bytes, opening.digest.hex(), at),
            )
            request_id = int(row[0]) if row else 0
            self._opened = (request_id, opening.digest.hex(), at)
            self._database.run(_FLY, (request_id, *numbers, *fence(lease)))
            return request_id

    def close_request(self, lease: Lease, request_id: int, verdict: Verdict, *, at: int) -> bool:
        """See `Ledger.close_request`."""
        with self._database.write():
            numbers = self._numbers(lease)
            holds = self._holds(numbers, lease)
            row = self._database.row(_REQUEST, (request_id,))
            if row is None or self._is_another(request_id, *row[2:]):
                # A restore came between: nobody there knows of this sender.
                return False
            if row[1] is not None:
                return holds
            positions = positions_in(row[0])
            if verdict.details or verdict.guidance:
                verdict = silenced(verdict, self._erased(numbers[1], positions))
            plain = holds and all(outcome is Outcome.SUCCESS for outcome in verdict.outcomes)
            if not plain or not store_first_success(self._database, numbers, positions, request_id):
                self._fold(numbers, positions, request_id, verdict, at, holds=holds)
            if any(outcome.is_delivered for outcome in verdict.outcomes):
                self._database.run(_DELIVERED, (at, numbers[0]))
            answer = (at, verdict.status, verdict.next.value, verdict.guidance)
            self._database.run(_CLOSE, (*answer, request_id))
            self._database.run(_LAND, (*numbers, *fence(lease), request_id))
            return holds

    def _is_another(self, request_id: int, digest: str, opened_at: int) -> bool:
        """Say whether the request that was opened here is not the one of that number now."""
        opened = self._opened
        return opened is not None and opened[0] == request_id and opened[1:] != (digest, opened_at)

    def _erased(self, stream_id: int, positions: Sequence[int]) -> set[int]:
        """Return the indices of those whose payload was purged with its project."""
        found = {
            position
            for span in spans(positions)
            for (position,) in self._database.rows(_ERASED, (stream_id, *span))
        }
        return {index for index, position in enumerate(positions) if position in found}

    def _fold(
        self,
        numbers: tuple[int, int],
        positions: Sequence[int],
        request_id: int,
        verdict: Verdict,
        at: int,
        *,
        holds: bool,
    ) -> None:
        before = read_rows(self._database, numbers, positions)
        after: dict[int, LedgerEntry] = {}
        said: list[tuple[Any, ...]] = []
        for index, position in enumerate(positions):
            outcome = verdict.outcomes[index]
            entry = before.get(position)
            if not is_kept(verdict, index, entry, request_id, holds=holds):
                continue
            after[position] = fold(
                before.get(position),
                outcome,
                effect_of(verdict, index),
                request_id=request_id,
                at=at,
            )
            detail = said_of(verdict, index)
            if detail is not None:
                said.append(_said(numbers, position, request_id, at, outcome, detail))
        store_rows(self._database, numbers, before, after)
        self._database.run_many(_ANSWER, said)

    def park(self, lease: Lease, position: int, detail: Detail, *, at: int) -> None:
        """See `Ledger.park`."""
        with self._database.write():
            numbers = self._numbers(lease)
            if not self._holds(numbers, lease):
                return
            before = read_rows(self._database, numbers, [position])
            outcome = Outcome.TERMINAL_FAILED
            parked = fold(before.get(position), outcome, Effect.NONE, request_id=0, at=at)
            store_rows(self._database, numbers, before, {position: parked})
            self._database.run(_ANSWER, _said(numbers, position, 0, at, outcome, detail))

    def let_wait(self, lease: Lease, waits: Mapping[int, int]) -> None:
        """See `Ledger.let_wait`."""
        with self._database.write():
            numbers = self._numbers(lease)
            if not self._holds(numbers, lease):
                return
            before = read_rows(self._database, numbers, sorted(waits))
            after = {
                position: let_wait(before.get(position), due_at=due_at)
                for position, due_at in waits.items()
            }
            store_rows(self._database, numbers, before, after)

    def pass_over(self, lease: Lease, position: int) -> None:
        """See `Ledger.pass_over`."""
        with self._database.write():
            numbers = self._numbers(lease)
            if self._holds(numbers, lease):
                at = lease.expires_at - LEASE_LENGTH
                raise_cursor(self._database, numbers, position, at=at)

    def entry(self, target_id: str, stream: str, position: int) -> LedgerEntry | None:
        """See `Ledger.entry`."""
        target_no, stream_id = self._keys.target(target_id), self._keys.stream(stream)
        if target_no is None or stream_id is None:
            return None
        place = (target_no, stream_id)
        return read_rows(self._database, place, [position]).get(position)

    def history(self, stream: str, position: int) -> list[HistoryItem]:
        """See `Ledger.history`."""
        stream_id = self._keys.stream(stream)
        if stream_id is None:
            return []
        rows = self._database.rows_of_words(_HISTORY, (stream_id, position))
        return [_item(*row) for row in rows]

    def terminal(
        self, target_id: str, stream: str, *, limit: int = 1000
    ) -> list[tuple[int, HistoryItem]]:
        """See `Ledger.terminal`."""
        numbers = (self._keys.target(target_id), self._keys.stream(stream))
        rows = self._database.rows(TERMINAL, (*numbers, limit))
        return [(row[0], _item(target_id, *row[1:])) for row in rows]

    def requests(self, target_id: str, stream: str, *, limit: int = 100) -> list[Request]:
        """See `Ledger.requests`."""
        numbers = (self._keys.target(target_id), self._keys.stream(stream))
        rows = self._database.rows(_REQUESTS, (*numbers, limit))
        return [as_request(target_id, stream, row) for row in rows]

    def request_count(self, target_id: str, stream: str) -> int:
        """See `Ledger.request_count`."""
        numbers = (self._keys.target(target_id), self._keys.stream(stream))
        (count,) = self._database.row(_REQUEST_COUNT, numbers) or (0,)
        return int(count)

    def last_delivery_at(self, target_id: str) -> int | None:
        """See `Ledger.last_delivery_at`."""
        row = self._database.row(_LAST_DELIVERY, (target_id,))
        return None if row is None else row[0]


@understood
def _said(
    numbers: tuple[int, int],
    position: int,
    request_id: int,
    at: int,
    outcome: Outcome,
    detail: Detail,
) -> tuple[Any, ...]:
    target_no, stream_id = numbers
    words = (outcome.value, detail.reason, detail.category)
    return (stream_id, position, target_no, request_id, at, *words)


@understood
def as_request(target_id: str, stream: str, row: tuple[Any, ...]) -> Request:
    """Return the request in a row of `REQUEST_COLUMNS`."""
    return Request(
        request_id=row[0],
        target_id=target_id,
        stream=stream,
        positions=row[1],
        event_count=row[2],
        body_bytes=row[3],
        digest=bytes.fromhex(row[4]),
        opened_at=row[5],
        closed_at=row[6],
        status=row[7],
        answer=row[8],
        guidance=row[9],
    )


@understood
def _item(
    target_id: str,
    request_id: int,
    at: int,
    outcome: str,
    reason: str,
    category: str | None,
    act: str = "",
    actor: str = "",
) -> HistoryItem:
    return HistoryItem(
        target_id=target_id,
        request_id=request_id,
        at=at,
        outcome=Outcome(outcome),
        reason=reason,
        category=category,
        act=Act(act) if act else None,
        actor=actor,
    )
