import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import attrs

from eventsync_adapters.legacy_queues._copy import fingerprint_of, private_copy
from eventsync_adapters.legacy_queues._emptying import QueueEmptying, not_emptied
from eventsync_adapters.legacy_queues._rows import QueueTable, body_rows
from eventsync_adapters.legacy_queues._tables import READ, Tables, look
from eventsync_core.errors import SourceError
from eventsync_core.legacy import Source, SourceRow
from eventsync_core.migration import BODIES, FAILURES, BodyRow, folded

_MAGIC = b"SQLite format 3\0"
_PATIENCE_SECONDS = 5.0


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
            raise not_emptied(self.path, error) from error
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
        self.kept_because = ""
        self.other: Mapping[str, int] = {}
        self.waiting: Mapping[str, int] = {}
        self._path = path
        self._connection = connection
        try:
            self._tables = self._look()
        except sqlite3.Error as error:
            self._tables = self._look_anyway(error)
        if self._tables.flaws:
            self._note_flaws(", ".join(self._tables.flaws.values()))

    def _note_flaws(self, flaws: str) -> None:
        if not self._tables.readable:
            raise SourceError(f"{self._path}: {flaws}", code="source_foreign")
        self.damage = self.damage or f"{self._path} cannot be read whole: {flaws}"

    def _look_anyway(self, error: sqlite3.Error) -> Tables:
        """Look into a file that SQLite refuses, as it does when pages are missing at its end."""
        try:
            self._run("PRAGMA writable_schema = ON")
            tables = self._look()
        except sqlite3.Error:
            raise SourceError(
                f"{self._path} cannot be read: {error}", code="source_damaged"
            ) from error
        self.damage = f"{self._path} is damaged: {error}"
        return tables

    def _look(self) -> Tables:
        tables = look(self._connection)
        if tables.triggers:
            names = ", ".join(tables.triggers)
            self.kept_because = f"{self._path} runs triggers when rows are deleted: {names}"
        self.waiting = {
            **{part: self._count(part) for part in READ if part in tables.readable},
            **dict.fromkeys(tables.flaws, -1),
        }
        others = {name: self._count(name) for name in tables.names if folded(name) not in READ}
        self.other = {name: count for name, count in others.items() if count}
        return tables

    def _run(self, sql: str) -> list[tuple[bytes, ...]]:
        return self._connection.execute(sql).fetchall()

    def _count(self, name: str) -> int:
        try:
            quoted = name.replace('"', '""')
            query = f'SELECT COUNT(*) FROM "{quoted}" NOT INDEXED'  # noqa: S608 - quoted
            return int(self._run(query)[0][0])
        except sqlite3.Error:
            return -1

    def _examine(self) -> None:
        """Look at every page; who only counts does without, it is most of the time it takes."""
        if self.damage:
            return
        try:
            ((said,),) = self._run("PRAGMA quick_check(1)")
            if said != b"ok":
                self.damage = f"{self._path} is damaged: {said.decode('utf-8', 'replace')}"
        except sqlite3.Error as error:
            self.damage = f"{self._path} is damaged: {error}"

    def events(self) -> Iterator[SourceRow]:
        """See `Reading.events`."""
        self._examine()
        found = self._tables.readable.get("queue")
        if found is None:
            return
        table = QueueTable(self._connection, found)
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
        for part in (BODIES, FAILURES):
            table = self._tables.readable.get(part)
            if table is None:
                continue
            try:
                yield from body_rows(self._connection, table)
            except sqlite3.Error as error:
                self.damage = f"{self._path} is damaged: {error}"
