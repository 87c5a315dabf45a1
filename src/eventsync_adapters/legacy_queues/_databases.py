"""Private copies of old databases, and the rows of their tables, damaged or not."""

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eventsync_adapters.legacy_queues._copy import private_copy
from eventsync_adapters.legacy_queues._rows import text_of
from eventsync_core.errors import SourceError
from eventsync_core.migration import folded

_MAGIC = b"SQLite format 3\0"
_TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
)
TRIGGERS = """
SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE
"""
_INDEXED = """
SELECT 1 FROM pragma_index_list('{}') l JOIN pragma_index_info(l.name) i
WHERE l.partial = 0 AND i.seqno = 0 AND i.name = '{}' COLLATE NOCASE
"""
_MOST_PROBES = 100_000
_VALUES_AT_ONCE = 200

Columns = Mapping[str, Any]
"""What stands in a row, by the names of its columns in lower case; texts are bytes."""


class CopiedDatabase:
    """
    A private copy of an old database, with how many rows each of its tables has; -1: untold.

    Its `damage` is a line, empty while none was found.

    Raises:
        SourceError: Nothing in it can be read.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, fingerprint: str) -> None:
        self.path = path
        self.fingerprint = fingerprint
        self.damage = ""
        self.counts: Mapping[str, int] = {}
        self._connection = connection
        try:
            self._look()
        except sqlite3.Error as error:
            self._look_anyway(error)

    def _look_anyway(self, error: sqlite3.Error) -> None:
        """Look into a file that SQLite refuses, as it does when pages are missing at its end."""
        try:
            self._run("PRAGMA writable_schema = ON")
            self._look()
        except sqlite3.Error:
            raise SourceError(
                f"{self.path} cannot be read: {error}", code="source_damaged"
            ) from error
        self._note(error)

    def _look(self) -> None:
        names = [text_of(name) for (name,) in self._run(_TABLES)]
        try:
            ((said,),) = self._run("PRAGMA quick_check(1)")
            if said != b"ok":
                self._note(text_of(said))
        except sqlite3.Error as error:
            self._note(error)
        self.counts = {folded(name): self._count(name) for name in names}

    def _note(self, why: object) -> None:
        self.damage = f"{self.path} is damaged: {why}"

    def _run(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql).fetchall()

    def _count(self, name: str) -> int:
        quoted = name.replace('"', '""')
        try:
            return int(self._run(f'SELECT COUNT(*) FROM "{quoted}"')[0][0])  # noqa: S608 - quoted
        except sqlite3.Error:
            return -1

    def columns(self, table: str) -> set[str]:
        """Return the names of the columns of *table*, which is a name of ours, in lower case."""
        return {folded(text_of(row[1])) for row in self._run(f"PRAGMA table_info({table})")}

    def kept_because(self, table: str) -> str:
        """Return why no row may leave *table*, which is a name of ours; empty where any may."""
        found = self._connection.execute(TRIGGERS, (table,)).fetchall()
        names = ", ".join(text_of(name) for (name,) in found)
        return f"{self.path} runs triggers when rows are deleted: {names}" if names else ""

    def is_numbered(self, table: str) -> bool:
        """Say whether the rows of *table*, which is a name of ours, have numbers."""
        try:
            self._run(f"SELECT rowid FROM {table} LIMIT 0")  # noqa: S608 - a name of ours
        except sqlite3.Error:
            return False
        return True

    def rows(self, table: str, order: Sequence[str]) -> Iterator[tuple[int, Columns]]:
        """
        Yield the rows of *table* with their numbers, in the order of those columns that it has.

        The names are ours. A table without numbers has 0 for each. Of a damaged one what can be
        read is yielded, each row once.
        """
        by = ", ".join(name for name in order if name in self.columns(table))
        if not self.is_numbered(table):
            yield from self._until_error(f"0, * FROM {table} {f'ORDER BY {by}' if by else ''}")
            return
        found: dict[int, Columns] = {}
        numbered = f"rowid, * FROM {table} NOT INDEXED"
        before = self.damage
        for number, columns in self._until_error(f"{numbered} ORDER BY {by or 'rowid'}, rowid"):
            found[number] = {}
            yield number, columns
        if self.damage == before:
            return
        for number, columns in self._what_can_be_read(numbered):
            if number not in found:
                found[number] = {}
                yield number, columns

    def rows_with(
        self, table: str, column: str, values: Sequence[str]
    ) -> Iterator[tuple[int, Columns]]:
        """
        Yield the rows of *table* with one of the texts *values* in *column*, as `rows` does.

        The names are ours. The copy, which is private, gets an index if there is none.
        """
        if column not in self.columns(table):
            return
        if not self._run(_INDEXED.format(table, column)):
            self._run(f"CREATE INDEX eventsync_lookup ON {table} ({column})")
        number = "rowid" if self.is_numbered(table) else "0"
        for start in range(0, len(values), _VALUES_AT_ONCE):
            some = values[start : start + _VALUES_AT_ONCE]
            given: list[str | bytes] = [*some, *(value.encode() for value in some)]
            marks = ",".join("?" * len(given))
            yield from self._until_error(
                f"{number}, * FROM {table} WHERE {column} IN ({marks})", given
            )

    def _what_can_be_read(self, numbered: str) -> Iterator[tuple[int, Columns]]:
        """Yield what a damaged table still gives from its ends, and singly in between."""
        lowest: int | None = None
        highest: int | None = None
        for lowest, columns in self._until_error(f"{numbered} ORDER BY rowid"):
            yield lowest, columns
        for highest, columns in self._until_error(f"{numbered} ORDER BY rowid DESC"):
            yield highest, columns
        if lowest is None or highest is None:
            return
        for number in range(lowest + 1, min(highest, lowest + _MOST_PROBES)):
            yield from self._until_error(f"{numbered} WHERE rowid = {number}")

    def _until_error(
        self, rest: str, given: Sequence[str | bytes] = ()
    ) -> Iterator[tuple[int, Columns]]:
        try:
            cursor = self._connection.execute(f"SELECT {rest}", given)
            names = [folded(each[0]) for each in cursor.description[1:]]
            for number, *values in cursor:
                yield number, dict(zip(names, values, strict=True))
        except sqlite3.Error as error:
            self._note(error)


@contextmanager
def copied(path: Path) -> Iterator[CopiedDatabase]:
    """
    Return a private copy of the database at *path* for the length of the block.

    Raises:
        SourceError: No whole copy can be made, it is no database, or nothing in it can be read.
    """
    with private_copy(path) as (copy, fingerprint):
        _check(path, copy)
        connection = sqlite3.connect(copy.as_uri(), uri=True, isolation_level=None)
        with contextlib.closing(connection):
            connection.text_factory = bytes
            yield CopiedDatabase(path, connection, fingerprint)


def _check(path: Path, copy: Path) -> None:
    with copy.open("rb") as file:
        head = file.read(len(_MAGIC))
    if not head:
        raise SourceError(
            f"{path} is an empty file", code="source_empty_file", fix="look for a copy of it"
        )
    if head != _MAGIC:
        raise SourceError(f"{path} is not a database", code="source_not_a_database")
