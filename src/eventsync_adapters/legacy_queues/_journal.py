import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs

from eventsync_adapters.legacy_queues._child import is_fresh
from eventsync_adapters.legacy_queues._copy import fingerprint_of, when_settled
from eventsync_adapters.legacy_queues._databases import (
    TRIGGERS,
    Columns,
    CopiedDatabase,
    copied,
)
from eventsync_adapters.legacy_queues._rows import bytes_of, text_of
from eventsync_core.errors import SourceError
from eventsync_core.legacy import RowKey, Source, SourceRow, read_time
from eventsync_core.migration import BodyRow, Left, columns_text, folded

_TABLE = "event_journal"
_ORDER = ("created_at", "event_id")
_SAID_AGAIN = ("event_type", "occurred_at", "project_uuid", "project_slug", "repo_slug")
_PATIENCE_SECONDS = 5.0
_ONE = f"SELECT * FROM {_TABLE} WHERE rowid = ?"  # noqa: S608 - a name of ours
_DELETE = f"DELETE FROM {_TABLE} WHERE rowid = ?"  # noqa: S608 - a name of ours
_COUNT = f"SELECT COUNT(*) FROM {_TABLE}"  # noqa: S608 - a name of ours


@attrs.frozen
class JournalSource:
    """The database of an old journal, at *path*: an `OldSource`."""

    path: Path
    source: Source

    def fingerprint(self) -> str:
        """See `OldSource.fingerprint`."""
        return fingerprint_of(self.path)

    @contextmanager
    def reading(self) -> Iterator["JournalReading"]:
        """See `OldSource.reading`."""
        with copied(self.path) as database:
            yield JournalReading(database)

    @contextmanager
    def emptying(self) -> Iterator["JournalEmptying"]:
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
            yield JournalEmptying(self.path, connection)


class JournalReading:
    """A private copy of an old journal: a `Reading`."""

    def __init__(self, database: CopiedDatabase) -> None:
        self.fingerprint = database.fingerprint
        self._database = database
        self.other = {
            name: count for name, count in database.counts.items() if count and name != _TABLE
        }
        self.waiting: Mapping[str, int] = {}
        self.kept_because = database.kept_because(_TABLE)
        if _TABLE not in database.counts:
            return
        self.waiting = {_TABLE: database.counts[_TABLE]}
        self._columns = database.columns(_TABLE)
        if "payload" not in self._columns or not database.is_numbered(_TABLE):
            raise SourceError(
                f"{database.path}: its table {_TABLE} has no column payload, or no row numbers",
                code="source_foreign",
            )

    @property
    def damage(self) -> str:
        """See `Reading.damage`."""
        return self._database.damage

    def events(self) -> Iterator[SourceRow]:
        """See `Reading.events`."""
        if not self.waiting:
            return
        for number, columns in self._database.rows(_TABLE, _ORDER):
            yield _row(number, columns)

    def bodies(self) -> Iterator[BodyRow]:
        """See `Reading.bodies`."""
        return iter(())


def _row(number: int, columns: Columns) -> SourceRow:
    raw, created_at = bytes_of(columns["payload"]), columns.get("created_at")
    queued_at = read_time(text_of(created_at) if isinstance(created_at, bytes) else created_at)
    read = {"payload", "event_id", *(["created_at"] if queued_at is not None else [])}
    beside = [
        (name, value)
        for name, value in columns.items()
        if value is not None
        and name not in read
        and not (name in _SAID_AGAIN and bytes_of(value) in raw)
    ]
    return SourceRow(
        part=_TABLE,
        row=number,
        event_id=text_of(columns["event_id"]) if "event_id" in columns else None,
        raw=raw,
        queued_at=queued_at,
        beside=columns_text(beside) if beside else "",
    )


class JournalEmptying:
    """An old journal that is emptied of what the store holds: an `Emptying`."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    def remove(self, keys: Sequence[RowKey]) -> int:
        """See `Emptying.remove`."""
        with self._translated():
            self._connection.execute("PRAGMA synchronous = FULL")
            # So that nothing goes along with the rows.
            self._connection.execute("PRAGMA foreign_keys = OFF")
        with self._unit("BEGIN IMMEDIATE"):
            return self._remove(keys)

    def _remove(self, keys: Sequence[RowKey]) -> int:
        run = self._connection.execute
        if run(TRIGGERS, (_TABLE,)).fetchall():
            raise _not_emptied(self._path, "triggers would run")
        same = [key.row for key in keys if self._is_same(key)]
        before = self._connection.total_changes
        self._connection.executemany(_DELETE, [(row,) for row in same])
        if self._connection.total_changes - before != len(same):
            raise _not_emptied(self._path, "other rows would go than those that were meant")
        return len(same)

    def _is_same(self, key: RowKey) -> bool:
        """Say whether the row is still as it was when it was read."""
        cursor = self._connection.execute(_ONE, (key.row,))
        names = [folded(each[0]) for each in cursor.description]
        return any(
            _row(key.row, dict(zip(names, values, strict=True))).key == key for values in cursor
        )

    def settle(self) -> Left:
        """See `Emptying.settle`."""
        when_settled(self._path)
        before = fingerprint_of(self._path)
        with self._translated():
            ((mode,),) = self._connection.execute("PRAGMA journal_mode").fetchall()
        # What is committed while this looks changes the parts.
        with self._unit("BEGIN"):
            ((rows,),) = self._connection.execute(_COUNT).fetchall()
            is_still = before == fingerprint_of(self._path) and not is_fresh(str(self._path))
        # Closing a WAL file changes its parts.
        return Left(before if is_still and mode != b"wal" else "", int(rows))

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
            raise _not_emptied(self._path, error) from error


def _not_emptied(path: Path, why: object) -> SourceError:
    return SourceError(
        f"{path} cannot be emptied of what was imported: {why}",
        code="source_not_emptied",
        fix="nothing is lost: run the command again later, or with --keep-sources",
    )
