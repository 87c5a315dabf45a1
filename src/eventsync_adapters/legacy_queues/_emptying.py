import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from eventsync_adapters.legacy_queues._copy import fingerprint_of, is_fresh, when_settled
from eventsync_adapters.legacy_queues._rows import QueueTable, body_row
from eventsync_adapters.legacy_queues._tables import Table, Tables, look
from eventsync_core.errors import SourceError
from eventsync_core.legacy import RowKey
from eventsync_core.migration import Left


class QueueEmptying:
    """An old queue that is emptied of what the store holds: an `Emptying`."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    def remove(self, keys: Sequence[RowKey]) -> int:
        """See `Emptying.remove`."""
        with self._translated():
            self._connection.execute("PRAGMA synchronous = FULL")
            # So that nothing goes along with the rows.
            self._connection.execute("PRAGMA foreign_keys = OFF")
        removed = 0
        with self._unit("BEGIN IMMEDIATE"):
            tables = self._looked()
            for part in sorted({key.part for key in keys}):
                table = tables.readable.get(part)
                if table is not None:
                    removed += self._remove(table, [key for key in keys if key.part == part])
        return removed

    def _looked(self) -> Tables:
        tables = look(self._connection)
        if tables.triggers:
            names = ", ".join(tables.triggers)
            raise _refused(self._path, f"triggers would run: {names}")
        return tables

    def _remove(self, table: Table, keys: Sequence[RowKey]) -> int:
        same = self._same(table, keys)
        before = self._connection.total_changes
        query = f"DELETE FROM {table.name} WHERE {table.number} = ?"  # noqa: S608 - names of ours
        self._connection.executemany(query, [(row,) for row in same])
        changed = self._connection.total_changes - before
        if changed != len(same):
            raise _refused(self._path, f"{changed} rows would go instead of {len(same)}")
        return changed

    def _same(self, table: Table, keys: Sequence[RowKey]) -> list[int]:
        """Return the rows that are still as they were when they were read."""
        if table.name == "queue":
            numbers = sorted({key.row for key in keys})
            wanted = set(keys)
            rows = QueueTable(self._connection, table).numbered(numbers)
            return [row.row for row in rows if row.key in wanted]
        found = ((key, body_row(self._connection, table, key.row)) for key in keys)
        return sorted({key.row for key, row in found if row is not None and row.key == key})

    def settle(self) -> Left:
        """See `Emptying.settle`."""
        when_settled(self._path)
        before = fingerprint_of(self._path)
        with self._translated():
            ((mode,),) = self._connection.execute("PRAGMA journal_mode").fetchall()
        # While this looks nobody else can commit.
        with self._unit("BEGIN"):
            rows = sum(self._rows_of(table) for table in look(self._connection).readable.values())
            is_still = before == fingerprint_of(self._path) and not is_fresh(self._path)
        # Closing a WAL file changes its parts.
        return Left(before if is_still and mode != b"wal" else "", rows)

    def _rows_of(self, table: Table) -> int:
        query = f"SELECT COUNT(*) FROM {table.name} NOT INDEXED"  # noqa: S608 - names of ours
        return int(self._connection.execute(query).fetchone()[0])

    @contextmanager
    def _unit(self, begin: str) -> Iterator[None]:
        with self._translated():
            self._connection.execute(begin)
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise not_emptied(self._path, error) from error


def not_emptied(path: Path, error: sqlite3.Error) -> SourceError:
    """Return *error* as one of the source at *path*, of which nothing was deleted."""
    return _refused(path, str(error))


def _refused(path: Path, why: str) -> SourceError:
    return SourceError(
        f"{path} cannot be emptied of what was imported: {why}",
        code="source_not_emptied",
        fix="nothing is lost: run the command again later, or with --keep-sources",
    )
