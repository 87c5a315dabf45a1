"""Ways to damage what is stored, behind the back of everything that guards it."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any


def unguarded(path: Path, *statements: tuple[str, Sequence[Any]]) -> None:
    """Run *statements* on the database without its triggers; they are there again afterwards."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        triggers = database.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        database.execute("BEGIN IMMEDIATE")
        for name, _ in triggers:
            database.execute(f"DROP TRIGGER {name}")
        for sql, values in statements:
            database.execute(sql, values)
        for _, sql in triggers:
            database.execute(sql)
        database.execute("COMMIT")


def spoil(path: Path, event_ids: Iterable[str], text: str | bytes) -> None:
    """Let *text* stand where the texts of *event_ids* stood."""
    change = (
        "UPDATE payloads SET text = CAST(? AS TEXT) WHERE entry_id = "
        "(SELECT entry_id FROM entries WHERE event_id = ?)"
    )
    unguarded(path, *[(change, (text, event_id)) for event_id in event_ids])


def beside_its_indexes(path: Path, table: str, change: str) -> None:
    """Run *change* on the rows of *table* alone: its indexes go on saying what they said."""
    of_table = "FROM sqlite_master WHERE tbl_name = ? AND type IN ('table', 'index', 'trigger')"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        rows = database.execute(f"SELECT * {of_table}", (table,)).fetchall()
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        (root,) = (row[3] for row in rows if row[0] == "table")
        database.execute("PRAGMA writable_schema = ON")
        database.execute(f"DELETE {of_table}", (table,))
        plain = f"CREATE TABLE {table} ({', '.join(columns)})"
        put = "INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)"
        database.execute(put, ("table", table, table, root, plain))
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(change)
        database.execute("PRAGMA writable_schema = ON")
        database.execute(f"DELETE {of_table}", (table,))
        database.executemany(put, rows)


def behind_an_index(path: Path, index: str, change: str) -> None:
    """Run *change* while *index*, which then is as it was, is not there."""
    of_index = "FROM sqlite_master WHERE name = ?"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        (row,) = database.execute(f"SELECT * {of_index}", (index,)).fetchall()
        database.execute("PRAGMA writable_schema = ON")
        database.execute(f"DELETE {of_index}", (index,))
    unguarded(path, (change, ()))
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA writable_schema = ON")
        database.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", row)
