"""What a damaged table still gives."""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from eventsync_adapters.legacy_queues._tables import Table
from eventsync_adapters.legacy_queues._values import Row

_LOWEST, _HIGHEST = -(1 << 63), (1 << 63) - 1
# After so many in vain steps grow, and what they went over is sought from the next row down.
_MOST_IN_A_GAP, _MOST_PROBES = 2_000, 100_000


def salvaged(connection: sqlite3.Connection, table: Table, order: Sequence[str]) -> Iterator[Row]:
    """Yield in their order the rows of *table* that can be read, each once."""
    if not table.number:
        with contextlib.suppress(sqlite3.Error):
            yield from table.rows(connection, "")
        return
    by = ", ".join(name for name in order if name in table.columns) or "NULL"
    one = f"WHERE {table.number} = ?"
    found: list[tuple[Any, ...]] = []
    for each in _numbers(connection, table):
        with contextlib.suppress(sqlite3.Error):
            for number, *values in connection.execute(table.select(one, by), (each,)):
                found.append((*map(_rank, values), number))
    for *_, number in sorted(found):
        with contextlib.suppress(sqlite3.Error):
            yield from table.rows(connection, one, (number,))


def _rank(value: Any) -> tuple[int, Any]:
    """Return what puts values of any type in order as SQLite does."""
    if value is None:
        return 0, 0
    return (2 if isinstance(value, bytes) else 1), value


def _numbers(connection: sqlite3.Connection, table: Table) -> set[int]:
    """Return the numbers of the rows that can be reached, going round those that cannot."""
    found: set[int] = set()
    end, at, tried, probes, step = _LOWEST - 1, _LOWEST, 0, 0, 1
    while at <= _HIGHEST:
        above, is_end = _reached(connection, table, at, _HIGHEST)
        if above:
            # What a step went over.
            passed, _ = _reached(connection, table, end + 1, min(above) - 1, is_down=True)
            found |= {*above, *passed}
            end = max(at, *above)
            at, tried, step = end + 1, 0, 1
        elif at == _LOWEST:
            at = 0
        else:
            at, tried, probes = at + step, tried + 1, probes + 1
            step *= 1 if tried < _MOST_IN_A_GAP and probes < _MOST_PROBES else 2
        if is_end:
            break
    return found


def _reached(
    connection: sqlite3.Connection, table: Table, low: int, high: int, *, is_down: bool = False
) -> tuple[list[int], bool]:
    """Return which numbers from *low* to *high* come one after another, and if these are all."""
    way = "DESC" if is_down else "ASC"
    rest = f"WHERE {table.number} BETWEEN ? AND ? ORDER BY {table.number} {way}"
    query = table.select(rest, "NULL")
    found: list[int] = []
    while low <= high:
        count = len(found)
        # A cursor reads ahead, and keeps the row before a bad page to itself; alone it comes.
        for limit in (" LIMIT 1", ""):
            try:
                found.extend(row[0] for row in connection.execute(query + limit, (low, high)))
            except sqlite3.Error:
                break
        else:
            return found, True
        if len(found) == count:
            return found, False
        if is_down:
            high = min(high, found[-1]) - 1
        else:
            low = max(low, found[-1]) + 1
    return found, True
