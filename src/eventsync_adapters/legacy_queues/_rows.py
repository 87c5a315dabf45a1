"""Reading the tables of a queue from a private copy, damaged or not."""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from eventsync_core.legacy import SourceRow
from eventsync_core.migration import BodyRow

_SECOND = 1_000_000
_WANTED = ("event_id", "data", "timestamp", "retry_count")
_MOST_PROBES = 100_000
_LARGEST = (1 << 63) - 1


class QueueTable:
    """The table `queue` as it is in this file."""

    def __init__(self, connection: sqlite3.Connection, columns: Sequence[str]) -> None:
        self._connection = connection
        there = {name.lower() for name in columns}
        self._names = [name if name in there else "NULL" for name in _WANTED]
        self.has_ids = "event_id" in there

    def in_order(self) -> Iterator[SourceRow]:
        """Yield all rows in the order they were queued."""
        yield from self._rows("ORDER BY timestamp, rowid" if self._names[2] != "NULL" else "")

    def what_can_be_read(self) -> list[SourceRow]:
        """Return, in the order they were queued, what a damaged file still gives."""
        found: dict[int, SourceRow] = {}
        self._until_error(found, "ORDER BY rowid")
        lowest = max(found, default=0)
        self._until_error(found, f"WHERE rowid > {lowest} ORDER BY rowid DESC")
        highest = min((row for row in found if row > lowest), default=lowest)
        for number in range(lowest + 1, min(highest, lowest + _MOST_PROBES)):
            self._until_error(found, f"WHERE rowid = {number}")
        return sorted(found.values(), key=lambda row: (row.queued_at or 0, row.row))

    def _until_error(self, found: dict[int, SourceRow], rest: str) -> None:
        try:
            for row in self._rows(rest):
                found.setdefault(row.row, row)
        except sqlite3.Error:
            return

    def _rows(self, rest: str) -> Iterator[SourceRow]:
        names = ", ".join(self._names)
        # The names are ours, and the numbers are whole.
        query = f"SELECT rowid, {names} FROM queue NOT INDEXED {rest}"  # noqa: S608
        for number, event_id, data, queued_at, retry_count in self._connection.execute(query):
            yield SourceRow(
                part="queue",
                row=number,
                event_id=text_of(event_id) if self.has_ids else None,
                raw=bytes_of(data),
                queued_at=micros(queued_at),
                retry_count=whole(retry_count),
            )


def body_rows(connection: sqlite3.Connection, part: str, order: str) -> Iterator[BodyRow]:
    """Yield the rows of the body queue or its failure log, each with all columns there are."""
    # Both are names of ours.
    yield from _bodies(connection, part, f"NOT INDEXED ORDER BY {order}rowid")


def body_row(connection: sqlite3.Connection, part: str, number: int) -> BodyRow | None:
    """Return one of these rows as it is now, or None."""
    return next(_bodies(connection, part, f"WHERE rowid = {number}"), None)


def _bodies(connection: sqlite3.Connection, part: str, rest: str) -> Iterator[BodyRow]:
    cursor = connection.execute(f"SELECT rowid, * FROM {part} {rest}")  # noqa: S608 - see above
    names = [each[0] for each in cursor.description[1:]]
    for number, *values in cursor:
        yield BodyRow(part, number, [*zip(names, map(_plain, values), strict=True)])


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


def micros(value: Any) -> int | None:
    """Return a time in seconds as microseconds; None where it is no time."""
    if not isinstance(value, int | float):
        return None
    try:
        found = int(value * _SECOND)
    except (ValueError, OverflowError):
        return None
    return found if abs(found) <= _LARGEST else None


def whole(value: Any) -> int | None:
    """Return a whole number, or None."""
    return value if isinstance(value, int) else None
