"""What a damaged table still gives."""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from eventsync_adapters.legacy_queues._tables import Table
from eventsync_adapters.legacy_queues._values import Row

_LOWEST, _HIGHEST = -(1 << 63), (1 << 63) - 1
# Beyond so many in vain, steps grow: a row is sought on both sides of where one is found then.
_MOST_PROBES = 10_000


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
    number = table.number
    upwards = f"WHERE {number} >= ? ORDER BY {number}"
    downwards = f"WHERE {number} > ? AND {number} < ? ORDER BY {number} DESC"
    found: set[int] = set()
    end, at, probes, step = _LOWEST, _LOWEST, 0, 1
    while at <= _HIGHEST:
        above, is_end = _reached(connection, table, upwards, (at,))
        if above:
            found |= {*above, *_reached(connection, table, downwards, (end, min(above)))[0]}
            end, step = max(at, *above), 1
        if is_end:
            break
        if above:
            at = end + 1
        elif at == _LOWEST:
            at = 0
        else:
            probes, at = probes + 1, at + step
            step *= 1 if probes < _MOST_PROBES else 2
    return found


def _reached(
    connection: sqlite3.Connection, table: Table, rest: str, values: Sequence[int]
) -> tuple[list[int], bool]:
    """Return the numbers that a query gives, and whether it came to its end."""
    found: list[int] = []
    try:
        for number, _ in connection.execute(table.select(rest, "NULL"), values):
            found.append(number)
    except sqlite3.Error:
        return found, False
    return found, True
