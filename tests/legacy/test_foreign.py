"""Databases of other programs, and rows whose columns say nothing."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.legacy.conftest import Scene
from tests.legacy.old import envelope


def test_a_database_of_another_program(scene: Scene, tmp_path: Path) -> None:
    """Somebody named it, and would take it for brought home."""
    path = tmp_path / "notes.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE notes (text)")

    ran = scene.migrate("--from", str(path))

    assert (ran.code, ran.document["error"]["code"]) == (3, "source_foreign")


def test_a_column_without_an_id_says_nothing(scene: Scene) -> None:
    """What the event says counts."""
    with closing(sqlite3.connect(scene.queue)) as database, database:
        database.execute("CREATE TABLE queue (id INTEGER PRIMARY KEY, event_id TEXT, data TEXT)")
    with closing(sqlite3.connect(scene.queue)) as database, database:
        database.execute("INSERT INTO queue (data) VALUES (?)", (envelope("e1"),))

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"], ran.document["removed"]) == (0, 1, 1)
