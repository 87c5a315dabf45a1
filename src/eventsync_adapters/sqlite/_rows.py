"""Ledger rows with what hangs on them: due rows and tallies, changed together."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._errors import understood
from eventsync_core.ledger import LedgerEntry, fold, let_wait, read_ranges, spans
from eventsync_core.receivers import Effect, Outcome

OWED = "owed"
OUTCOMES = ", ".join(f"'{each}'" for each in (OWED, *Outcome))
"""The words of outcomes that are known, as SQL."""
SETTLED = ", ".join(f"'{each}'" for each in Outcome if each.is_settled)
"""The words of those after which nothing is offered any more, as SQL."""
_COLUMNS = """
SELECT position, outcome, request_id, attempts, rejections, round, seen, due_at, wait, round_after
FROM ledger
"""
_RANGE = _COLUMNS + "WHERE target_no = ? AND stream_id = ? AND position BETWEEN ? AND ?"
_PUT = """
INSERT INTO ledger (target_no, stream_id, position, outcome, request_id, attempts, rejections,
                    round, seen, due_at, wait, round_after)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (target_no, stream_id, position) DO UPDATE SET
    outcome = excluded.outcome, request_id = excluded.request_id,
    attempts = excluded.attempts, rejections = excluded.rejections, round = excluded.round,
    seen = excluded.seen, due_at = excluded.due_at, wait = excluded.wait,
    round_after = excluded.round_after
"""
_PUT_DUE = """
INSERT INTO due (target_no, stream_id, lane, due_at, position, aggregate, is_owed)
SELECT ?1, ?2, ?3, ?4, ?5, CASE WHEN ?6 THEN e.aggregate END, ?7
FROM entries e WHERE e.stream_id = ?2 AND e.position = ?5
"""
_DROP_DUE = """
DELETE FROM due
WHERE target_no = ? AND stream_id = ? AND lane = ? AND due_at = ? AND position = ?
"""
_ANY_IN_RANGE = """
SELECT 1 FROM ledger WHERE target_no = ? AND stream_id = ? AND position BETWEEN ? AND ? LIMIT 1
"""
_FIRST_SUCCESS = """
INSERT INTO ledger (target_no, stream_id, position, outcome, request_id, attempts, rejections,
                    round, seen, due_at, wait, round_after)
SELECT ?1, stream_id, position, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13 FROM entries
WHERE stream_id = ?2 AND position BETWEEN ?3 AND ?4
"""
_COUNT_IN_RANGE = """
SELECT COUNT(*) FROM ledger WHERE target_no = ? AND stream_id = ? AND position BETWEEN ? AND ?
"""
MISSING = """
SELECT e.position FROM entries e CROSS JOIN payloads p ON p.entry_id = e.entry_id
WHERE e.stream_id = ?2 AND e.position BETWEEN ?3 AND ?4
  AND NOT EXISTS (SELECT 1 FROM ledger l WHERE l.target_no = ?1 AND l.stream_id = e.stream_id
                                           AND l.position = e.position)
  AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.stream_id = e.stream_id
                                          AND h.position = e.position)
"""
_SUPERSEDED = """
SELECT position FROM superseded WHERE stream_id = ? AND position BETWEEN ? AND ?
"""
_PURGED = "SELECT position FROM purged WHERE stream_id = ? AND position BETWEEN ? AND ?"
_CURSOR = """
SELECT from_position, passed FROM grants
WHERE target_no = ? AND stream_id = ? AND revoked_at IS NULL
"""
_RAISE_CURSOR = "UPDATE grants SET passed = ? WHERE target_no = ? AND stream_id = ?"
_TALLY = """
INSERT INTO tallies (target_no, stream_id, outcome, entries) VALUES (?, ?, ?, ?)
ON CONFLICT (target_no, stream_id, outcome) DO UPDATE SET entries = entries + excluded.entries
"""


def read_rows(
    database: Database, place: tuple[int, int], positions: Iterable[int]
) -> dict[int, LedgerEntry]:
    """Return the ledger rows that exist at *positions*; *place* is target and stream."""
    found = {}
    for span in spans(positions):
        for row in database.rows(_RANGE, (*place, *span)):
            found[row[0]] = as_entry(row)
    return found


def store_rows(
    database: Database,
    place: tuple[int, int],
    before: Mapping[int, LedgerEntry],
    after: Mapping[int, LedgerEntry],
) -> None:
    """Store the rows *after* a change, with *before* as they stood; inside a unit of work."""
    tally: Counter[str] = Counter()
    dropped, due = [], []
    for position, row in after.items():
        old = before.get(position)
        if old is not None:
            tally[_word(old)] -= 1
            if old.due_at is not None:
                dropped.append((*place, old.lane.value, old.due_at, position))
        tally[_word(row)] += 1
        if row.due_at is not None:
            lane, waits = row.lane.value, row.makes_wait
            is_owed = row.outcome is not Outcome.PENDING
            due.append((*place, lane, row.due_at, position, waits, is_owed))
    database.run_many(_DROP_DUE, dropped)
    database.run_many(_PUT, [_values(place, *item) for item in after.items()])
    database.run_many(_PUT_DUE, due)
    _add(database, place, tally)


def store_first_success(
    database: Database, place: tuple[int, int], positions: Sequence[int], request_id: int
) -> bool:
    """
    Store plain success for entries that have no row yet, by whole ranges; inside a unit.

    Return false, with nothing stored, when one of them has a row: `fold` must decide then.
    """
    ranges = list(spans(positions))
    if any(database.row(_ANY_IN_RANGE, (*place, *span)) for span in ranges):
        return False
    row = fold(None, Outcome.SUCCESS, Effect.ANSWERED, request_id=request_id, at=0)
    _, _, _, *values = _values(place, 0, row)
    for span in ranges:
        database.run(_FIRST_SUCCESS, (*place, *span, *values))
    _add(database, place, {Outcome.SUCCESS.value: len(positions)})
    return True


def raise_cursor(database: Database, place: tuple[int, int], position: int, *, at: int) -> None:
    """
    Raise the cursor of the live grant to *position*; it never falls; inside a unit of work.

    What it passes and has no row, but may be offered, is owed, due at *at*.
    """
    row = database.row(_CURSOR, place)
    if row is None or position <= row[1]:
        return
    database.run(_RAISE_CURSOR, (position, *place))
    above = max(row)
    if above < position:
        _owe_missing(database, place, (above + 1, position), at=at)


def _owe_missing(
    database: Database, place: tuple[int, int], span: tuple[int, int], *, at: int
) -> None:
    """Owe what may be offered in *span*, first to last, and has no row; inside a unit of work."""
    (rows,) = database.row(_COUNT_IN_RANGE, (*place, *span)) or (0,)
    if rows <= span[1] - span[0]:
        owe(database, place, [row[0] for row in database.rows(MISSING, (*place, *span))], at=at)


def owe(database: Database, place: tuple[int, int], positions: Iterable[int], *, at: int) -> None:
    """
    Owe those of *positions* that have no row, due at *at*; inside a unit of work.

    What is superseded or purged is owed to nobody.
    """
    wanted = sorted(positions)
    left_out = set(read_rows(database, place, wanted))
    for span in spans(wanted):
        for query in (_SUPERSEDED, _PURGED):
            rows = database.rows(query, (place[1], *span))
            left_out.update(position for (position,) in rows)
    owed = let_wait(None, due_at=at)
    store_rows(database, place, {}, {each: owed for each in wanted if each not in left_out})


def _add(database: Database, place: tuple[int, int], tally: Mapping[str, int]) -> None:
    changes: Iterable[Any] = ((*place, word, count) for word, count in tally.items() if count)
    database.run_many(_TALLY, changes)


def _word(row: LedgerEntry) -> str:
    return OWED if row.outcome is None else row.outcome.value


def _values(place: tuple[int, int], position: int, row: LedgerEntry) -> tuple[Any, ...]:
    return (
        *place,
        position,
        _word(row),
        row.request_id,
        row.attempts,
        row.rejections,
        row.round,
        row.seen,
        row.due_at,
        row.wait,
        row.round_after,
    )


@understood
def positions_in(ranges: str) -> list[int]:
    """Return the positions that *ranges* name."""
    return read_ranges(ranges)


@understood
def as_entry(row: tuple[Any, ...]) -> LedgerEntry:
    """Return the ledger entry in the ten columns that every query of rows begins with."""
    _, word, request_id, attempts, rejections, round_, seen, due_at, wait, round_after = row
    return LedgerEntry(
        outcome=None if word == OWED else Outcome(word),
        request_id=request_id,
        attempts=attempts,
        rejections=rejections,
        round=round_,
        seen=bool(seen),
        due_at=due_at,
        wait=wait,
        round_after=round_after,
    )
