import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import attrs

from eventsync_adapters.legacy_queues._copy import fingerprint_of, when_settled
from eventsync_adapters.legacy_queues._databases import CopiedDatabase, copied
from eventsync_adapters.legacy_queues._rows import bytes_of, text_of
from eventsync_core.errors import SourceError
from eventsync_core.legacy import RowKey, Source, SourceRow, read_time
from eventsync_core.migration import BodyRow, Left

_TABLE = "event_journal"
_ORDER = ("created_at", "event_id")
_PATIENCE_SECONDS = 5.0
_ONE = f"SELECT payload FROM {_TABLE} WHERE rowid = ?"  # noqa: S608 - a name of ours
_DELETE = f"DELETE FROM {_TABLE} WHERE rowid = ?"  # noqa: S608 - a name of ours
_COUNT = f"SELECT COUNT(*) FROM {_TABLE}"  # noqa: S608 - a name of ours
_TRIGGERS = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'trigger'"


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
            created_at = columns.get("created_at")
            yield SourceRow(
                part=_TABLE,
                row=number,
                event_id=text_of(columns["event_id"]) if "event_id" in columns else None,
                raw=bytes_of(columns["payload"]),
                queued_at=read_time(
                    text_of(created_at) if isinstance(created_at, bytes) else created_at
                ),
            )

    def bodies(self) -> Iterator[BodyRow]:
        """See `Reading.bodies`."""
        return iter(())


class JournalEmptying:
    """An old journal that is emptied of what the store holds: an `Emptying`."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    def remove(self, keys: Sequence[RowKey]) -> int:
        """See `Emptying.remove`."""
        run = self._connection.execute
        try:
            run("PRAGMA synchronous = FULL")
            run("BEGIN IMMEDIATE")
            try:
                removed = self._remove(keys)
                run("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    run("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise _not_emptied(self._path, error) from error
        return removed

    def _remove(self, keys: Sequence[RowKey]) -> int:
        run = self._connection.execute
        if run(_TRIGGERS).fetchone() != (0,):
            raise _not_emptied(self._path, "it has triggers, and more than its rows would change")
        same = [
            key.row
            for key in keys
            for (payload,) in run(_ONE, (key.row,)).fetchall()
            if sha256(bytes_of(payload)).digest() == key.digest
        ]
        if sum(run(_DELETE, (row,)).rowcount for row in same) != len(same):
            raise _not_emptied(self._path, "other rows would go than those that were meant")
        return len(same)

    def settle(self) -> Left:
        """See `Emptying.settle`."""
        run = self._connection.execute
        when_settled(self._path)
        try:
            ((mode,),) = run("PRAGMA journal_mode").fetchall()
            # One look at the rows sees what any other program did before it.
            ((rows,),) = run(_COUNT).fetchall()
        except sqlite3.Error as error:
            raise _not_emptied(self._path, error) from error
        # Closing a WAL file changes its parts.
        return Left("" if mode == b"wal" else fingerprint_of(self._path), int(rows))


def _not_emptied(path: Path, why: object) -> SourceError:
    return SourceError(
        f"{path} cannot be emptied of what was imported: {why}",
        code="source_not_emptied",
        fix="nothing is lost: run the command again later, or with --keep-sources",
    )
