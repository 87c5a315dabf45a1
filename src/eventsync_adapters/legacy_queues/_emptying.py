import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from eventsync_adapters.legacy_queues._copy import fingerprint_of, is_fresh, when_settled
from eventsync_adapters.legacy_queues._tables import Part, Table, Tables, look
from eventsync_core.errors import SourceError
from eventsync_core.legacy import RowKey, SourceRow
from eventsync_core.migration import Left, TableRow


class DatabaseEmptying:
    """An old database that is emptied of what the store holds of *parts*: an `Emptying`."""

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        parts: Sequence[Part[SourceRow | TableRow]],
    ) -> None:
        self._path = path
        self._connection = connection
        self._parts = parts

    def remove(self, keys: Sequence[RowKey]) -> int:
        """See `Emptying.remove`."""
        with self._translated():
            self._connection.execute("PRAGMA synchronous = FULL")
            # So that nothing goes along with the rows.
            self._connection.execute("PRAGMA foreign_keys = OFF")
            # Else what left stays in the file, where no purge of the store can reach it.
            self._connection.execute("PRAGMA secure_delete = ON")
        removed = 0
        with self._unit("BEGIN IMMEDIATE"):
            tables = self._looked()
            for part in self._parts:
                table = tables.readable.get(part.name)
                wanted = [key for key in keys if key.part == part.name]
                if table is not None and wanted:
                    removed += self._remove(table, self._same(table, part, wanted))
        return removed

    def _looked(self) -> Tables:
        tables = look(self._connection, self._parts)
        if tables.triggers:
            raise not_emptied(self._path, f"triggers would run: {', '.join(tables.triggers)}")
        return tables

    def _same(
        self, table: Table, part: Part[SourceRow | TableRow], keys: Sequence[RowKey]
    ) -> list[int]:
        """Return the rows that are still as they were when they were read."""
        wanted = set(keys)
        numbers = sorted({key.row for key in keys})
        rows = table.numbered(self._connection, numbers)
        return [row.number for row in rows if part.make(row).key in wanted]

    def _remove(self, table: Table, numbers: Sequence[int]) -> int:
        before = self._connection.total_changes
        query = f"DELETE FROM {table.name} WHERE {table.number} = ?"  # noqa: S608 - names of ours
        self._connection.executemany(query, [(number,) for number in numbers])
        changed = self._connection.total_changes - before
        if changed != len(numbers):
            raise not_emptied(self._path, f"{changed} rows would go instead of {len(numbers)}")
        return changed

    def settle(self) -> Left:
        """See `Emptying.settle`."""
        with self._translated():
            # Else what left stays in the log of a WAL file for as long as an old program has it
            # open; where one is reading, it does.
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        when_settled(self._path)
        before = fingerprint_of(self._path)
        with self._translated():
            ((mode,),) = self._connection.execute("PRAGMA journal_mode").fetchall()
        # While this looks nobody else can commit; to a WAL file they can, and change its parts.
        with self._unit("BEGIN"):
            tables = look(self._connection, self._parts).readable.values()
            rows = sum(self._rows_of(table) for table in tables)
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


def not_emptied(path: Path, why: object) -> SourceError:
    """Return why the source at *path* cannot be emptied; nothing was deleted."""
    return SourceError(
        f"{path} cannot be emptied of what was imported: {why}",
        code="source_not_emptied",
        fix="nothing is lost: run the command again later, or with --keep-sources",
    )
