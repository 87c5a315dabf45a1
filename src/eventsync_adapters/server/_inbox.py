import sqlite3
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from sqlite_utils import Database

from eventsync_adapters.machine import create_private_file
from eventsync_core.clock import Clock
from eventsync_core.ingest import Kept

_TABLE = """
CREATE TABLE IF NOT EXISTS {table} (
    seq INTEGER PRIMARY KEY,
    event_id TEXT NOT NULL UNIQUE,
    text TEXT NOT NULL,
    received_at INTEGER NOT NULL
)
"""
_PRAGMAS = (
    "PRAGMA busy_timeout = 10000",
    "PRAGMA journal_mode = TRUNCATE",
    "PRAGMA synchronous = FULL",
)
_INSERT = "INSERT INTO {table} (event_id, text, received_at) VALUES (?, ?, ?)"
_KNOWN = "SELECT event_id FROM {table} WHERE event_id IN ({marks})"
_PAGE = "SELECT seq, event_id, text FROM {table} WHERE seq > ? ORDER BY seq LIMIT ?"
_TEXT = "SELECT text FROM {table} WHERE event_id = ?"
_COUNT = "SELECT count(*) FROM {table}"

# SQLite's own limit is 999 parameters before 3.32.
_AT_ONCE = 500


class SqliteInbox:
    """
    An `Inbox` in one SQLite file, private to this user, for any number of threads.

    What is no event, as bodies, is kept in a *table* of its own. What `take` returned
    survives kill and power loss. Times are in microseconds since 1970 UTC.
    """

    def __init__(self, path: Path, *, clock: Clock, table: str = "received") -> None:
        create_private_file(path)
        self._table = table
        self._clock = clock
        self._lock = Lock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._database = Database(self._connection, execute_plugins=False)
            for pragma in _PRAGMAS:
                self._database.execute(pragma).fetchall()
            self._database.execute(self._sql(_TABLE))
        except BaseException:
            self._connection.close()
            raise

    def take(self, events: Sequence[tuple[str, str]]) -> list[bool]:
        """See `Inbox.take`."""
        at = self._clock()
        with self._lock:
            # IMMEDIATE: another process may have taken an id between the look and the insert.
            self._database.execute("BEGIN IMMEDIATE")
            try:
                known = self._known([event_id for event_id, _ in events])
                rows, are_new = [], []
                for event_id, text in events:
                    is_new = event_id not in known
                    if is_new:
                        known.add(event_id)
                        rows.append((event_id, text, at))
                    are_new.append(is_new)
                self._connection.executemany(self._sql(_INSERT), rows)
            except BaseException:
                self._database.rollback()
                raise
            self._commit()
        return are_new

    def received(self, *, after: int = 0, limit: int = 1_000) -> list[Kept]:
        """See `Inbox.received`."""
        with self._lock:
            rows = self._database.execute(self._sql(_PAGE), (after, limit)).fetchall()
        return [Kept(*row) for row in rows]

    def get(self, event_id: str) -> str | None:
        """See `Inbox.get`."""
        with self._lock:
            row = self._database.execute(self._sql(_TEXT), (event_id,)).fetchone()
        return None if row is None else str(row[0])

    def count(self) -> int:
        """See `Inbox.count`."""
        with self._lock:
            return int(self._database.execute(self._sql(_COUNT)).fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _sql(self, text: str, **parts: str) -> str:
        return text.format(table=self._table, **parts)

    def _known(self, event_ids: Sequence[str]) -> set[str]:
        found: set[str] = set()
        for start in range(0, len(event_ids), _AT_ONCE):
            part = event_ids[start : start + _AT_ONCE]
            sql = self._sql(_KNOWN, marks=",".join("?" * len(part)))
            found.update(row[0] for row in self._database.execute(sql, part))
        return found

    def _commit(self) -> None:
        try:
            self._database.commit()
        except BaseException:
            self._database.rollback()
            raise
