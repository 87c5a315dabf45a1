"""What stands in the database of an old queue, whatever became of its tables."""

import sqlite3
from collections.abc import Mapping, Sequence

import attrs

from eventsync_core.migration import BODIES, FAILURES, folded

READ = ("queue", BODIES, FAILURES)
"""The tables that are read, and emptied, by the names that they have here."""

_MASTER = "SELECT type, name, tbl_name, sql FROM sqlite_master"
_NUMBERS = ("rowid", "_rowid_", "oid")
_VIRTUAL = "CREATE VIRTUAL TABLE"


@attrs.frozen
class Table:
    """A table that is read: its columns, and by what name its rows are numbered."""

    name: str
    columns: Sequence[str]
    number: str


@attrs.frozen(kw_only=True)
class Tables:
    """
    Those of `READ` that are there and can be read, by name, and of the others why they cannot.

    `names` are of all tables, as they are spelt. `triggers` would run with a clean-up.
    """

    readable: Mapping[str, Table]
    flaws: Mapping[str, str]
    names: Sequence[str]
    triggers: Sequence[str]


def look(connection: sqlite3.Connection) -> Tables:
    """
    Return what stands there; *connection* gives texts as bytes.

    Raises:
        sqlite3.Error: The file is damaged.
    """
    found = [tuple(map(_shown, row)) for row in connection.execute(_MASTER).fetchall()]
    readable, flaws = {}, {}
    for kind, name, _, sql in found:
        part = folded(name)
        if part not in READ or kind not in ("table", "view"):
            continue
        if kind == "view":
            flaws[part] = f"{part} is a view there"
        elif sql.lstrip().upper().startswith(_VIRTUAL):
            flaws[part] = f"{part} is a virtual table there"
        else:
            table = _table(connection, part)
            if isinstance(table, Table):
                readable[part] = table
            else:
                flaws[part] = table
    return Tables(
        readable=readable,
        flaws=flaws,
        names=[
            name for kind, name, *_ in found if kind == "table" and not name.startswith("sqlite_")
        ],
        triggers=[
            name for kind, name, table, _ in found if kind == "trigger" and folded(table) in READ
        ],
    )


def _table(connection: sqlite3.Connection, part: str) -> Table | str:
    """Return what the table is like, or why it cannot be read."""
    rows = connection.execute(f"PRAGMA table_xinfo({part})").fetchall()
    columns = [folded(_shown(row[1])) for row in rows]
    if part == "queue" and "data" not in columns:
        return "its table queue has no column data"
    number = next((name for name in _NUMBERS if name not in columns), None)
    try:
        connection.execute(f"SELECT {number or 'NULL'} FROM {part} LIMIT 0")  # noqa: S608 - of ours
    except sqlite3.OperationalError as error:
        if "no such column" not in str(error):
            raise
        number = None
    return f"the rows of {part} have no numbers" if number is None else Table(part, columns, number)


def _shown(value: bytes | None) -> str:
    return "" if value is None else value.decode("utf-8", "backslashreplace")
