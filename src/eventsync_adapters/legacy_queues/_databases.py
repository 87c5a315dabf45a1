"""Private copies of old databases, and the rows of their tables, damaged or not."""

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from eventsync_adapters.legacy_queues._copy import private_copy
from eventsync_adapters.legacy_queues._salvage import salvaged
from eventsync_adapters.legacy_queues._tables import Part, Table, Tables, look
from eventsync_adapters.legacy_queues._values import Row, text_of
from eventsync_adapters.legacy_queues._writable import why_not_emptied
from eventsync_core.errors import SourceError

_MAGIC = b"SQLite format 3\0"
_Made = TypeVar("_Made")


class Copy(NamedTuple):
    """An open private copy of the database at `path`, and the fingerprint of all its parts."""

    path: Path
    connection: sqlite3.Connection
    fingerprint: str


class CopiedDatabase:
    """
    A private copy of an old database: what is the same of each `Reading`, and of its *parts*.

    Raises:
        SourceError: Nothing in it can be read.
    """

    def __init__(self, copy: Copy, parts: Sequence[Part[object]]) -> None:
        self.fingerprint = copy.fingerprint
        self.damage = ""
        self.kept_because = why_not_emptied(copy.path, has_journal=True)
        self._path = copy.path
        self._connection = copy.connection
        self._parts = parts
        self._is_examined = self._is_broken = False
        try:
            self._tables = look(self._connection, parts)
        except sqlite3.Error as error:
            self._tables = self._look_anyway(error)
        self.waiting = self._counted(self._tables.readable) | dict.fromkeys(self._tables.flaws, -1)
        others = self._counted(self._tables.others)
        self.other: Mapping[str, int] = {name: count for name, count in others.items() if count}
        self._note_flaws()

    def _look_anyway(self, error: sqlite3.Error) -> Tables:
        """Look into a file that SQLite refuses, as it does when pages are missing at its end."""
        try:
            self._run("PRAGMA writable_schema = ON")
            tables = look(self._connection, self._parts)
        except sqlite3.Error:
            raise SourceError(
                f"{self._path} cannot be read: {error}", code="source_damaged"
            ) from error
        self._note(error)
        return tables

    def _note_flaws(self) -> None:
        if self._tables.triggers:
            names = ", ".join(self._tables.triggers)
            self.kept_because = f"{self._path} runs triggers when rows are deleted: {names}"
        flaws = ", ".join(self._tables.flaws.values())
        if flaws and not self._tables.readable:
            raise SourceError(f"{self._path}: {flaws}", code="source_foreign")
        if flaws and not self.damage:
            self.damage = f"{self._path} cannot be read whole: {flaws}"

    def _note(self, why: object) -> None:
        self._is_broken = True
        self.damage = f"{self._path} is damaged: {why}"

    def _run(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql).fetchall()

    def _counted(self, names: Sequence[str] | Mapping[str, Table]) -> dict[str, int]:
        return {name: self._count(name) for name in names}

    def _count(self, name: str) -> int:
        quoted = name.replace('"', '""')
        try:
            query = f'SELECT COUNT(*) FROM "{quoted}" NOT INDEXED'  # noqa: S608 - quoted
            return int(self._run(query)[0][0])
        except sqlite3.Error:
            return -1

    def _examine(self) -> None:
        """Look at every page; who only counts does without, it is most of the time it takes."""
        if self._is_broken or self._is_examined:
            return
        self._is_examined = True
        try:
            ((said,),) = self._run("PRAGMA quick_check(1)")
            if said != b"ok":
                self._note(text_of(said))
        except sqlite3.Error as error:
            self._note(error)

    def made(self, part: Part[_Made]) -> Iterator[_Made]:
        """
        Yield what the rows of *part* are taken for, in their order.

        Of a damaged table what can be read is yielded, each row once.
        """
        self._examine()
        table = self._tables.readable.get(part.name)
        if table is not None:
            yield from map(part.make, self._rows(table, part.order))

    def _rows(self, table: Table, order: Sequence[str]) -> Iterator[Row]:
        if self._is_broken:
            yield from salvaged(self._connection, table, order)
            return
        seen: set[int] = set()
        try:
            for row in table.rows(self._connection, table.in_order(order)):
                seen.add(row.number)
                yield row
        except sqlite3.Error as error:
            self._note(error)
            for row in salvaged(self._connection, table, order):
                if row.number not in seen:
                    yield row


@contextmanager
def copied(path: Path) -> Iterator[Copy]:
    """
    Open a private copy of the database at *path* for the length of the block.

    Raises:
        SourceError: No whole copy can be made, or it is no database.
    """
    with private_copy(path) as (copy, fingerprint):
        _check(path, copy)
        connection = sqlite3.connect(copy.as_uri(), uri=True, isolation_level=None)
        with contextlib.closing(connection):
            connection.text_factory = bytes
            yield Copy(path, connection, fingerprint)


def _check(path: Path, copy: Path) -> None:
    with copy.open("rb") as file:
        head = file.read(len(_MAGIC))
    if not head:
        raise SourceError(
            f"{path} is an empty file", code="source_empty_file", fix="look for a copy of it"
        )
    if head != _MAGIC:
        raise SourceError(f"{path} is not a database", code="source_not_a_database")
