"""What stands in an old database, whatever became of its tables."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

import attrs

from eventsync_adapters.legacy_queues._values import Row, text_of
from eventsync_core.migration import folded

_MASTER = "SELECT type, name, tbl_name, sql FROM sqlite_master"
_NUMBERS = ("rowid", "_rowid_", "oid")
_VIRTUAL = "CREATE VIRTUAL TABLE"
_AT_ONCE = 500
Made = TypeVar("Made", covariant=True)


@attrs.frozen(kw_only=True)
class Part(Generic[Made]):
    """
    A table that is read, by the name that it has here, and what `make` takes its rows for.

    It needs the column `needed`; its rows stand in the order of those columns in `order` that
    it has. Rows of a table that `is_emptied` need numbers.
    """

    name: str
    make: Callable[[Row], Made]
    order: Sequence[str]
    needed: str = ""
    is_emptied: bool = True


@attrs.frozen
class Table:
    """A table that can be read: its columns, and by what name its rows are numbered, if any."""

    name: str
    columns: Sequence[str]
    number: str

    def select(self, rest: str, columns: str = "*", *, index: bool = False) -> str:
        """
        Return a query of the numbers of rows, 0 where they have none, and of *columns*.

        No index is trusted, but where *index* says so.
        """
        how = "" if index else "NOT INDEXED"
        # The names are ours.
        return f"SELECT {self.number or 0}, {columns} FROM {self.name} {how} {rest}"  # noqa: S608

    def in_order(self, order: Sequence[str]) -> str:
        """Return how rows are put in order: by those columns of *order* that are there."""
        by = [name for name in (*order, self.number) if name in (*self.columns, self.number)]
        found = ", ".join(filter(None, by))
        return f"ORDER BY {found}" if found else ""

    def rows(
        self,
        connection: sqlite3.Connection,
        rest: str,
        values: Sequence[int | str | bytes] = (),
        *,
        index: bool = False,
    ) -> Iterator[Row]:
        """Yield the rows that the query with *rest* finds."""
        cursor = connection.execute(self.select(rest, index=index), values)
        names = [folded(each[0]) for each in cursor.description[1:]]
        spelt = dict(zip(names, (each[0] for each in cursor.description[1:]), strict=True))
        for found in cursor:
            yield Row(found[0], dict(zip(names, found[1:], strict=True)), spelt)

    def numbered(self, connection: sqlite3.Connection, numbers: Sequence[int]) -> Iterator[Row]:
        """Yield those of these rows that are there."""
        for start in range(0, len(numbers), _AT_ONCE):
            some = numbers[start : start + _AT_ONCE]
            marks = ",".join("?" * len(some))
            yield from self.rows(connection, f"WHERE {self.number} IN ({marks})", some)


@attrs.frozen(kw_only=True)
class Tables:
    """
    Those of some parts that are there and can be read, by name, and of others why they cannot.

    `others` are the names of all other tables, as they are spelt. `triggers` of these parts
    would run with a clean-up.
    """

    readable: Mapping[str, Table]
    flaws: Mapping[str, str]
    others: Sequence[str]
    triggers: Sequence[str]


def look(connection: sqlite3.Connection, parts: Sequence[Part[object]]) -> Tables:
    """
    Return what stands there; *connection* gives texts as bytes.

    Raises:
        sqlite3.Error: The file is damaged.
    """
    found = [tuple(map(text_of, row)) for row in connection.execute(_MASTER).fetchall()]
    wanted = {part.name: part for part in parts}
    readable: dict[str, Table] = {}
    flaws: dict[str, str] = {}
    for kind, name, _, sql in found:
        part = wanted.get(folded(name))
        if part is None or kind not in ("table", "view"):
            continue
        is_real = kind == "table" and not sql.lstrip().upper().startswith(_VIRTUAL)
        table = _table(connection, part.name) if is_real else None
        flaw = _flaw(part, table, kind)
        if table is None or flaw:
            flaws[part.name] = flaw
        else:
            readable[part.name] = table
    return Tables(
        readable=readable,
        flaws=flaws,
        others=[
            name
            for kind, name, *_ in found
            if kind == "table" and not name.startswith("sqlite_") and folded(name) not in wanted
        ],
        triggers=[
            name for kind, name, table, _ in found if kind == "trigger" and folded(table) in wanted
        ],
    )


def _table(connection: sqlite3.Connection, name: str) -> Table:
    rows = connection.execute(f"PRAGMA table_xinfo({name})").fetchall()
    columns = [folded(text_of(row[1])) for row in rows]
    number = next((each for each in _NUMBERS if each not in columns), "")
    table = Table(name, columns, number)
    try:
        connection.execute(table.select("LIMIT 0"))
    except sqlite3.OperationalError as error:
        if "no such column" not in str(error):
            raise
        return attrs.evolve(table, number="")
    return table


def _flaw(part: Part[object], table: Table | None, kind: str) -> str:
    """Return why the table cannot be read; empty where it can."""
    if table is None:
        return f"{part.name} is a {'view' if kind == 'view' else 'virtual table'} there"
    if part.needed and part.needed not in table.columns:
        return f"its table {part.name} has no column {part.needed}"
    if part.is_emptied and not table.number:
        return f"the rows of {part.name} have no numbers"
    return ""
