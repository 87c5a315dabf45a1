"""Reading the tables of a queue, damaged or not."""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from eventsync_adapters.legacy_queues._tables import Table
from eventsync_core.legacy import SourceRow
from eventsync_core.migration import BodyRow, Value, columns_text, folded, micros_of, whole_of

_MOST_PROBES = 100_000
_AT_ONCE = 500


class QueueTable:
    """The table `queue` as it is in this file."""

    def __init__(self, connection: sqlite3.Connection, table: Table) -> None:
        self._connection = connection
        self._table = table

    def in_order(self) -> Iterator[SourceRow]:
        """Yield all rows in the order they were queued."""
        by_time = "timestamp, " if "timestamp" in self._table.columns else ""
        yield from self._rows(f"ORDER BY {by_time}{self._table.number}")

    def numbered(self, numbers: Sequence[int]) -> Iterator[SourceRow]:
        """Yield those of these rows that are there."""
        for start in range(0, len(numbers), _AT_ONCE):
            some = numbers[start : start + _AT_ONCE]
            marks = ",".join("?" * len(some))
            yield from self._rows(f"WHERE {self._table.number} IN ({marks})", some)

    def what_can_be_read(self) -> list[SourceRow]:
        """Return, in the order they were queued, what a damaged file still gives."""
        found: dict[int, SourceRow] = {}
        number = self._table.number
        self._until_error(found, f"ORDER BY {number}")
        lowest = max(found, default=0)
        beyond = f"WHERE {number} > {lowest} " if found else ""
        self._until_error(found, f"{beyond}ORDER BY {number} DESC")
        highest = min((row for row in found if row > lowest), default=lowest)
        for each in range(lowest + 1, min(highest, lowest + _MOST_PROBES)):
            self._until_error(found, f"WHERE {number} = {each}")
        return sorted(found.values(), key=lambda row: (row.queued_at or 0, row.row))

    def _until_error(self, found: dict[int, SourceRow], rest: str) -> None:
        try:
            for row in self._rows(rest):
                found.setdefault(row.row, row)
        except sqlite3.Error:
            return

    def _rows(self, rest: str, values: Sequence[int] = ()) -> Iterator[SourceRow]:
        # The names are ours, and the numbers are whole.
        query = f"SELECT {self._table.number}, * FROM queue NOT INDEXED {rest}"  # noqa: S608
        cursor = self._connection.execute(query, values)
        spelt = [each[0] for each in cursor.description[1:]]
        places = {folded(name): place for place, name in enumerate(spelt, start=1)}
        data, event_id, at, retries = (
            places.pop(name, None) for name in ("data", "event_id", "timestamp", "retry_count")
        )
        others = [(name, place, spelt[place - 1]) for name, place in places.items()]
        for row in cursor:
            raw = bytes_of(row[data])
            beside = [
                (name, row[place])
                for folded_name, place, name in others
                if row[place] is not None and not _is_known(folded_name, row[place], row[0], raw)
            ]
            queued_at, retry_count = micros_of(_of(row, at)), whole_of(_of(row, retries))
            if queued_at is None and _of(row, at) is not None:
                beside.append(("timestamp", row[at]))
            if retry_count is None and _of(row, retries) is not None:
                beside.append(("retry_count", row[retries]))
            yield SourceRow(
                part="queue",
                row=row[0],
                event_id=None if event_id is None else text_of(row[event_id]),
                raw=raw,
                queued_at=queued_at,
                retry_count=retry_count,
                beside=columns_text(beside) if beside else "",
            )


def _of(row: Sequence[Any], place: int | None) -> Any:
    return None if place is None else row[place]


def _is_known(name: str, value: Value, number: int, raw: bytes) -> bool:
    """Say whether the event itself or the number of its row says the same."""
    if name == "id":
        return value == number
    return name == "event_type" and isinstance(value, bytes) and value in raw


def body_rows(connection: sqlite3.Connection, table: Table) -> Iterator[BodyRow]:
    """Yield the rows of the body queue or its failure log, each with all columns there are."""
    by_time = "created_at, " if "created_at" in table.columns else ""
    # The names are ours.
    yield from _bodies(connection, table, f"NOT INDEXED ORDER BY {by_time}{table.number}")


def body_row(connection: sqlite3.Connection, table: Table, number: int) -> BodyRow | None:
    """Return one of these rows as it is now, or None."""
    return next(_bodies(connection, table, f"WHERE {table.number} = ?", number), None)


def _bodies(
    connection: sqlite3.Connection, table: Table, rest: str, *values: int
) -> Iterator[BodyRow]:
    query = f"SELECT {table.number}, * FROM {table.name} {rest}"  # noqa: S608 - see above
    cursor = connection.execute(query, values)
    names = [each[0] for each in cursor.description[1:]]
    for number, *values in cursor:
        yield BodyRow(table.name, number, [*zip(names, map(_plain, values), strict=True)])


def _plain(value: Any) -> Any:
    """Return a value of a column; text and blobs as text, unless they are not UTF-8."""
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value


def bytes_of(value: Any) -> bytes:
    """Return what a column holds as bytes: text and blobs as they are, nothing as none."""
    if isinstance(value, bytes):
        return value
    return b"" if value is None else str(value).encode()


def text_of(value: Any) -> str:
    """Return what a column holds as text that can be stored."""
    return bytes_of(value).decode("utf-8", "backslashreplace")
