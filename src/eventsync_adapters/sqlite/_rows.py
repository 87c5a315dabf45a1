"""Ledger rows with what hangs on them: due rows and tallies, changed together."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from eventsync_adapters.sqlite._connection import Database
from eventsync_core.ledger import LedgerEntry, spans
from eventsync_core.receivers import Outcome

OWED = "owed"
_COLUMNS = """
SELECT entry_id, outcome, request_id, attempts, rejections, round, seen, due_at, wait FROM ledger
"""
_RANGE = _COLUMNS + "WHERE target_no = ? AND entry_id BETWEEN ? AND ?"
_PUT = """
INSERT INTO ledger (target_no, entry_id, outcome, request_id, attempts, rejections, round, seen,
                    due_at, wait)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (target_no, entry_id) DO UPDATE SET
    outcome = excluded.outcome, request_id = excluded.request_id,
    attempts = excluded.attempts, rejections = excluded.rejections, round = excluded.round,
    seen = excluded.seen, due_at = excluded.due_at, wait = excluded.wait
"""
_PUT_DUE = """
INSERT INTO due (target_no, stream_id, lane, due_at, entry_id, aggregate)
VALUES (?, ?, ?, ?, ?, CASE WHEN ? THEN (SELECT aggregate FROM entries WHERE entry_id = ?) END)
"""
_DROP_DUE = """
DELETE FROM due
WHERE target_no = ? AND stream_id = ? AND lane = ? AND due_at = ? AND entry_id = ?
"""
_ANY_IN_RANGE = "SELECT 1 FROM ledger WHERE target_no = ? AND entry_id BETWEEN ? AND ? LIMIT 1"
_FIRST_SUCCESS = """
INSERT INTO ledger (target_no, entry_id, outcome, request_id, attempts, rejections, round, seen,
                    due_at, wait)
SELECT ?, entry_id, 'success', ?, 1, 0, 1, 1, NULL, 0 FROM entries WHERE entry_id BETWEEN ? AND ?
"""
_TALLY = """
INSERT INTO tallies (target_no, stream_id, outcome, entries) VALUES (?, ?, ?, ?)
ON CONFLICT (target_no, stream_id, outcome) DO UPDATE SET entries = entries + excluded.entries
"""


def read_rows(
    database: Database, target_no: int, entry_ids: Sequence[int]
) -> dict[int, LedgerEntry]:
    """Return the ledger rows of *entry_ids* that exist."""
    found = {}
    for first, last in spans(entry_ids):
        for row in database.rows(_RANGE, (target_no, first, last)):
            found[row[0]] = _entry(row)
    return found


def store_rows(
    database: Database,
    target_no: int,
    stream_id: int,
    before: Mapping[int, LedgerEntry],
    after: Mapping[int, LedgerEntry],
) -> None:
    """Store the rows *after* a change, with *before* as they stood; inside a unit of work."""
    place = (target_no, stream_id)
    tally: Counter[str] = Counter()
    dropped, due = [], []
    for entry_id, row in after.items():
        old = before.get(entry_id)
        if old is not None:
            tally[_word(old)] -= 1
            if old.due_at is not None:
                dropped.append((*place, old.lane.value, old.due_at, entry_id))
        tally[_word(row)] += 1
        if row.due_at is not None:
            lane, waits = row.lane.value, row.makes_wait
            due.append((*place, lane, row.due_at, entry_id, waits, entry_id))
    database.run_many(_DROP_DUE, dropped)
    database.run_many(_PUT, [_values(target_no, *item) for item in after.items()])
    database.run_many(_PUT_DUE, due)
    _add(database, place, tally)


def store_first_success(
    database: Database, target_no: int, stream_id: int, entry_ids: Sequence[int], request_id: int
) -> bool:
    """
    Store plain success for entries that have no row yet, by whole ranges; inside a unit.

    Return false, with nothing stored, when one of them has a row: `fold` must decide then.
    """
    ranges = list(spans(entry_ids))
    if any(database.row(_ANY_IN_RANGE, (target_no, *span)) for span in ranges):
        return False
    for span in ranges:
        database.run(_FIRST_SUCCESS, (target_no, request_id, *span))
    _add(database, (target_no, stream_id), {Outcome.SUCCESS.value: len(entry_ids)})
    return True


def _add(database: Database, place: tuple[int, int], tally: Mapping[str, int]) -> None:
    changes: Iterable[Any] = ((*place, word, count) for word, count in tally.items() if count)
    database.run_many(_TALLY, changes)


def _word(row: LedgerEntry) -> str:
    return OWED if row.outcome is None else row.outcome.value


def _values(target_no: int, entry_id: int, row: LedgerEntry) -> tuple[Any, ...]:
    return (
        target_no,
        entry_id,
        _word(row),
        row.request_id,
        row.attempts,
        row.rejections,
        row.round,
        row.seen,
        row.due_at,
        row.wait,
    )


def _entry(row: tuple[Any, ...]) -> LedgerEntry:
    _, word, request_id, attempts, rejections, round_, seen, due_at, wait = row
    return LedgerEntry(
        outcome=None if word == OWED else Outcome(word),
        request_id=request_id,
        attempts=attempts,
        rejections=rejections,
        round=round_,
        seen=bool(seen),
        due_at=due_at,
        wait=wait,
    )
