import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs

from eventsync_adapters.legacy_queues._copy import fingerprint_of, private_copy
from eventsync_adapters.legacy_queues._queue import require_database
from eventsync_adapters.legacy_queues._rows import bytes_of, text_of
from eventsync_core.errors import SourceError
from eventsync_core.legacy import Source, SourceRow, unwrap
from eventsync_core.migration import BodyRow, Emptying

_ENTRIES = "journal_entries"
_TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
)
_COLUMNS = f"PRAGMA table_info({_ENTRIES})"
_NUMBER, _WANTED = "capture_sequence", ("project_uuid", "payload_json", "created_at")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@attrs.frozen
class ProjectStore:
    """
    The store that an old program kept of one project, at *path*: an `OldSource`.

    Its entries are read and stay, for other tables there, which are not read, lead to them.
    """

    path: Path
    source: Source

    def fingerprint(self) -> str:
        """See `OldSource.fingerprint`."""
        return fingerprint_of(self.path)

    @contextmanager
    def reading(self) -> Iterator["ProjectReading"]:
        """See `OldSource.reading`."""
        with private_copy(self.path) as (copy, fingerprint):
            require_database(self.path, copy)
            connection = sqlite3.connect(copy.as_uri(), uri=True, isolation_level=None)
            with contextlib.closing(connection):
                connection.text_factory = bytes
                yield ProjectReading(self.path, connection, fingerprint)

    @contextmanager
    def emptying(self) -> Iterator[Emptying]:
        """See `OldSource.emptying`."""
        raise SourceError(f"{self.path} is only read", code="source_not_emptied")
        yield


class ProjectReading:
    """A private copy of the store of a project: a `Reading`."""

    def __init__(self, path: Path, connection: sqlite3.Connection, fingerprint: str) -> None:
        self.fingerprint = fingerprint
        self.damage = ""
        self.kept_because = ""
        self.other: Mapping[str, int] = {}
        self.waiting: Mapping[str, int] = {}
        self._path = path
        self._connection = connection
        try:
            self._look()
        except sqlite3.Error as error:
            self._look_anyway(error)
        if self.waiting and "payload_json" not in self._columns:
            raise SourceError(
                f"{path}: its table {_ENTRIES} has no column payload_json", code="source_foreign"
            )

    def _look_anyway(self, error: sqlite3.Error) -> None:
        """Look into a file that SQLite refuses, as it does when pages are missing at its end."""
        try:
            self._run("PRAGMA writable_schema = ON")
            self._look()
        except sqlite3.Error:
            raise SourceError(
                f"{self._path} cannot be read: {error}", code="source_damaged"
            ) from error
        self._note(error)

    def _look(self) -> None:
        tables = [text_of(name) for (name,) in self._run(_TABLES)]
        counts = {name: self._count(name) for name in tables}
        found = next((name for name in counts if name.lower() == _ENTRIES), None)
        if found is not None:
            self.waiting = {_ENTRIES: counts.pop(found)}
        self.other = {name: count for name, count in counts.items() if count}
        self._columns = {text_of(row[1]).lower() for row in self._run(_COLUMNS)}
        try:
            ((said,),) = self._run("PRAGMA quick_check(1)")
        except sqlite3.Error as error:
            self._note(error)
        else:
            if said != b"ok":
                self._note(text_of(said))

    def _note(self, why: object) -> None:
        self.damage = f"{self._path} is damaged: {why}"

    def _run(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql).fetchall()

    def _count(self, name: str) -> int:
        quoted = name.replace('"', '""')
        try:
            return int(self._run(f'SELECT COUNT(*) FROM "{quoted}"')[0][0])  # noqa: S608 - quoted
        except sqlite3.Error:
            return -1

    def events(self) -> Iterator[SourceRow]:
        """See `Reading.events`."""
        if not self.waiting:
            return
        seen: set[int] = set()
        if not self.damage:
            try:
                yield from self._in_order(_NUMBER if _NUMBER in self._columns else "", seen)
            except sqlite3.Error as error:
                self._note(error)
            else:
                return
        # What a damaged file still gives, from both of its ends.
        for order in ("", "1 DESC"):
            with contextlib.suppress(sqlite3.Error):
                yield from self._in_order(order, seen)

    def _in_order(self, order: str, seen: set[int]) -> Iterator[SourceRow]:
        columns = ", ".join(name if name in self._columns else "NULL" for name in _WANTED)
        query = f"SELECT {self._key()}, {columns} FROM {_ENTRIES} NOT INDEXED"  # noqa: S608 - ours
        found = self._connection.execute(f"{query} ORDER BY {order}" if order else query)
        for place, (row, project, payload, created_at) in enumerate(found, 1):
            number = place if row is None else row
            if number not in seen:
                seen.add(number)
                yield _row(number, project, payload, created_at)

    def _key(self) -> str:
        """Return what numbers the rows; NULL where nothing does."""
        try:
            self._run(f"SELECT rowid FROM {_ENTRIES} LIMIT 0")  # noqa: S608 - a name of ours
        except sqlite3.Error:
            return "NULL"
        return "rowid"

    def bodies(self) -> Iterator[BodyRow]:
        """See `Reading.bodies`."""
        return iter(())


def _row(number: int, project: Any, payload: Any, created_at: Any) -> SourceRow:
    found = unwrap(bytes_of(payload))
    named = text_of(project).strip()
    return SourceRow(
        part=_ENTRIES,
        row=number,
        event_id=found.event_id,
        raw=found.raw,
        queued_at=_time(created_at),
        project=named if named.isprintable() else None,
        damage=found.damage,
    )


def _time(value: Any) -> int | None:
    """Return a time in seconds, or in ISO 8601 with its offset, as microseconds; else None."""
    try:
        if isinstance(value, bytes):
            since = datetime.fromisoformat(value.decode("ascii", "replace")) - _EPOCH
        elif isinstance(value, int | float):
            since = timedelta(seconds=value)
        else:
            return None
    except (ValueError, TypeError, OverflowError):
        return None
    return since // timedelta(microseconds=1)
