import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import attrs

from eventsync_adapters.legacy_queues._copy import fingerprint_of, private_copy, when_settled
from eventsync_adapters.legacy_queues._rows import QueueTable, body_row, body_rows, bytes_of
from eventsync_core.errors import SourceError
from eventsync_core.legacy import RowKey, Source, SourceRow
from eventsync_core.migration import BODIES, FAILURES, BodyRow, Left

_MAGIC = b"SQLite format 3\0"
_PATIENCE_SECONDS = 5.0
_TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
)
_SOME = "SELECT rowid, data FROM queue WHERE rowid IN ({})"
_ROWS_AT_ONCE = 500
_READ = ("queue", BODIES, FAILURES)
_TABLE = {name: name for name in _READ}


@attrs.frozen
class QueueSource:
    """The database of an old queue, at *path*: an `OldSource`."""

    path: Path
    source: Source

    def fingerprint(self) -> str:
        """See `OldSource.fingerprint`."""
        return fingerprint_of(self.path)

    @contextmanager
    def reading(self) -> Iterator["QueueReading"]:
        """See `OldSource.reading`."""
        with private_copy(self.path) as (copy, fingerprint):
            require_database(self.path, copy)
            connection = sqlite3.connect(copy.as_uri(), uri=True, isolation_level=None)
            with contextlib.closing(connection):
                connection.text_factory = bytes
                yield QueueReading(self.path, connection, fingerprint)

    @contextmanager
    def emptying(self) -> Iterator["QueueEmptying"]:
        """See `OldSource.emptying`."""
        try:
            connection = sqlite3.connect(
                f"{self.path.as_uri()}?mode=rw",
                uri=True,
                isolation_level=None,
                timeout=_PATIENCE_SECONDS,
            )
        except sqlite3.Error as error:
            raise _not_emptied(self.path, error) from error
        with contextlib.closing(connection):
            connection.text_factory = bytes
            yield QueueEmptying(self.path, connection)


def require_database(path: Path, copy: Path) -> None:
    """
    Let only a database pass.

    Raises:
        SourceError: The file is empty, or something else.
    """
    with copy.open("rb") as file:
        head = file.read(len(_MAGIC))
    if not head:
        raise SourceError(
            f"{path} is an empty file", code="source_empty_file", fix="look for a copy of it"
        )
    if head != _MAGIC:
        raise SourceError(f"{path} is not a database", code="source_not_a_database")


class QueueReading:
    """A private copy of an old queue: a `Reading`."""

    def __init__(self, path: Path, connection: sqlite3.Connection, fingerprint: str) -> None:
        self.fingerprint = fingerprint
        self.damage = ""
        self.other: Mapping[str, int] = {}
        self.waiting: Mapping[str, int] = {}
        self._path = path
        self._connection = connection
        self._columns: list[str] = []
        try:
            self._look()
        except sqlite3.Error as error:
            self._look_anyway(error)
        if self._columns and "data" not in (name.lower() for name in self._columns):
            raise SourceError(f"{path}: its table queue has no column data", code="source_foreign")

    def _look_anyway(self, error: sqlite3.Error) -> None:
        """Look into a file that SQLite refuses, as it does when pages are missing at its end."""
        try:
            self._run("PRAGMA writable_schema = ON")
            self._look()
        except sqlite3.Error:
            raise SourceError(
                f"{self._path} cannot be read: {error}", code="source_damaged"
            ) from error
        self.damage = f"{self._path} is damaged: {error}"

    def _look(self) -> None:
        tables = [row[0].decode("utf-8", "backslashreplace") for row in self._run(_TABLES)]
        self._columns = [row[1].decode() for row in self._run("PRAGMA table_info(queue)")]
        try:
            ((said,),) = self._run("PRAGMA quick_check(1)")
            if said != b"ok":
                self.damage = f"{self._path} is damaged: {said.decode('utf-8', 'replace')}"
        except sqlite3.Error as error:
            self.damage = f"{self._path} is damaged: {error}"
        counts = {name: self._count(name) for name in tables}
        self.waiting = {name: count for name, count in counts.items() if name.lower() in _READ}
        self.other = {
            name: count for name, count in counts.items() if count and name.lower() not in _READ
        }

    def _run(self, sql: str) -> list[tuple[bytes, ...]]:
        return self._connection.execute(sql).fetchall()

    def _count(self, name: str) -> int:
        try:
            quoted = name.replace('"', '""')
            return int(self._run(f'SELECT COUNT(*) FROM "{quoted}"')[0][0])  # noqa: S608 - quoted
        except sqlite3.Error:
            return -1

    def events(self) -> Iterator[SourceRow]:
        """See `Reading.events`."""
        if not self._columns:
            return
        table = QueueTable(self._connection, self._columns)
        if self.damage:
            yield from table.what_can_be_read()
            return
        seen: set[int] = set()
        try:
            for row in table.in_order():
                seen.add(row.row)
                yield row
        except sqlite3.Error as error:
            self.damage = f"{self._path} is damaged: {error}"
            yield from (row for row in table.what_can_be_read() if row.row not in seen)

    def bodies(self) -> Iterator[BodyRow]:
        """See `Reading.bodies`."""
        for part, order in ((BODIES, "created_at, "), (FAILURES, "")):
            if part not in self.waiting:
                continue
            columns = {row[1].decode().lower() for row in self._run(f"PRAGMA table_info({part})")}
            try:
                yield from body_rows(
                    self._connection, part, order if "created_at" in columns else ""
                )
            except sqlite3.Error as error:
                self.damage = f"{self._path} is damaged: {error}"


class QueueEmptying:
    """An old queue that is emptied of what the store holds: an `Emptying`."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    def remove(self, keys: Sequence[RowKey]) -> int:
        """See `Emptying.remove`."""
        run = self._connection.execute
        removed = 0
        try:
            run("PRAGMA synchronous = FULL")
            run("BEGIN IMMEDIATE")
            try:
                for part in {key.part for key in keys}:
                    removed += self._remove(part, [key for key in keys if key.part == part])
                run("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    run("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise _not_emptied(self._path, error) from error
        return removed

    def _remove(self, part: str, keys: Sequence[RowKey]) -> int:
        same = self._same_events(keys) if part == "queue" else self._same_bodies(keys)
        query = f"DELETE FROM {_TABLE[part]} WHERE rowid = ?"  # noqa: S608 - names of ours
        self._connection.executemany(query, [(row,) for row in same])
        return len(same)

    def _same_events(self, keys: Sequence[RowKey]) -> list[int]:
        """Return the rows that are still as they were when they were read."""
        wanted = {(key.row, key.digest) for key in keys}
        numbers = sorted({key.row for key in keys})
        same = []
        for start in range(0, len(numbers), _ROWS_AT_ONCE):
            some = numbers[start : start + _ROWS_AT_ONCE]
            query = _SOME.format(",".join("?" * len(some)))
            same += [
                number
                for number, data in self._connection.execute(query, some).fetchall()
                if (number, sha256(bytes_of(data)).digest()) in wanted
            ]
        return same

    def _same_bodies(self, keys: Sequence[RowKey]) -> list[int]:
        found = ((key, body_row(self._connection, _TABLE[key.part], key.row)) for key in keys)
        return [key.row for key, row in found if row is not None and row.key == key]

    def settle(self) -> Left:
        """See `Emptying.settle`."""
        run = self._connection.execute
        when_settled(self.path)
        try:
            ((mode,),) = run("PRAGMA journal_mode").fetchall()
            # One look at the rows sees what any other program did before it.
            rows = sum(self._rows_of(name) for name in self._there())
        except sqlite3.Error as error:
            raise _not_emptied(self._path, error) from error
        # Closing a WAL file changes its parts.
        return Left("" if mode == b"wal" else fingerprint_of(self._path), rows)

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._path

    def _there(self) -> list[str]:
        found = {row[0].decode() for row in self._connection.execute(_TABLES)}
        return [name for name in _READ if name in found]

    def _rows_of(self, name: str) -> int:
        query = f"SELECT COUNT(*) FROM {name}"  # noqa: S608 - the names are ours
        return int(self._connection.execute(query).fetchone()[0])


def _not_emptied(path: Path, error: sqlite3.Error) -> SourceError:
    return SourceError(
        f"{path} cannot be emptied of what was imported: {error}",
        code="source_not_emptied",
        fix="nothing is lost: run the command again later, or with --keep-sources",
    )
