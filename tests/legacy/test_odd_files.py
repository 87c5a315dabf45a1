"""Files that no version made: altered tables, foreign schemas, and what a killed run left."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from eventsync_adapters.legacy_queues import _emptying, _folders, _sources
from eventsync_adapters.legacy_queues._sources import DatabaseReading
from tests.legacy.conftest import Scene
from tests.legacy.old import (
    bodies,
    body,
    envelope,
    failure,
    failures,
    insert,
    queue,
    rows,
)

A = "aaaaaaaaaaaaaaaa"


def _altered(path: Path, *statements: str, **values: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as database, database:
        for each in statements:
            database.execute(each, values) if ":" in each else database.execute(each)


def _row(row: int = 1, name: str = "e1", **columns: Any) -> dict[str, Any]:
    facts = {"event_type": "T", "data": envelope(name), "timestamp": 5}
    return {"id": row, "event_id": name, **facts, **columns}


_TABLE = "CREATE TABLE {} (event_id TEXT, data TEXT, timestamp INTEGER, retry_count INTEGER{}){}"
_ADD = "INSERT INTO {} (event_id, data, timestamp) VALUES ('e1', :data, 5)"
_FOREIGN: dict[str, tuple[str, ...]] = {
    "view": (
        _TABLE.format("kept", "", ""),
        _ADD.format("kept"),
        "CREATE VIEW queue AS SELECT * FROM kept",
    ),
    "without row numbers": (
        _TABLE.format("queue", ", PRIMARY KEY (event_id)", " WITHOUT ROWID"),
        _ADD.format("queue"),
    ),
    "virtual": ("CREATE VIRTUAL TABLE queue USING fts5(event_id, data, timestamp)",),
    "hidden row numbers": (_TABLE.format("queue", ", rowid, _rowid_, oid", ""),),
    "no data": ("CREATE TABLE queue (event_id)",),
}


@pytest.mark.parametrize("statements", _FOREIGN.values(), ids=_FOREIGN)
def test_a_queue_that_is_none(scene: Scene, statements: tuple[str, ...]) -> None:
    """Is named and left as it is; every other file is imported and emptied."""
    _altered(scene.queue, *statements, data=envelope("e1"))
    queue(scene.scoped(A), ["e2"])
    before = scene.queue.read_bytes()

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"], ran.document["removed"]) == (3, 1, 1)
    assert ran.document["sources"][0]["error"]["code"] == "source_foreign"
    assert scene.queue.read_bytes() == before
    assert scene.migrate("--keep-sources").code == 3


def test_bodies_beside_a_queue_that_is_none(scene: Scene) -> None:
    """Come home; nothing of the file is deleted."""
    bodies(scene.queue, [body()])
    _altered(scene.queue, "CREATE VIEW queue AS SELECT 1 AS data")

    ran = scene.migrate()

    assert (ran.code, ran.document["bodies"]["imported"]) == (3, 1)
    assert ran.document["sources"][0]["error"]["code"] == "source_damaged"
    assert len(rows(scene.queue, "SELECT id FROM body_upload_queue")) == 1


@pytest.mark.parametrize("row", [-(2**63), -1, 0, 2**63 - 1])
def test_every_row_number_counts(scene: Scene, row: int) -> None:
    """The lowest and the highest too, of events and of bodies."""
    queue(scene.queue, [_row(row)])
    bodies(scene.queue, [body(id=row)])
    failures(scene.queue, [failure(id=row)])

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"], ran.document["removed"]) == (0, 1, 3)
    assert ran.document["sources"][0]["rows_left"] == 0
    assert rows(scene.queue) == []


def test_columns_that_are_computed(scene: Scene) -> None:
    """Are columns like any other."""
    _altered(
        scene.queue,
        "CREATE TABLE queue (event_id TEXT AS (json_extract(data, '$.event_id')) STORED,"
        " raw TEXT, data TEXT AS (raw), timestamp INTEGER AS (7) VIRTUAL)",
        "INSERT INTO queue (raw) VALUES (:data)",
        data=envelope("e1"),
    )

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"], ran.document["removed"]) == (0, 1, 1)
    shown = scene.run("journal", "show", "e1").document
    assert (shown["text"], shown["came_from"][0]["beside"]) == (
        envelope("e1"),
        {"raw": envelope("e1")},
    )
    assert shown["came_from"][0]["queued_at"] == "1970-01-01T00:00:07.000000+00:00"


def test_a_column_named_like_row_numbers(scene: Scene) -> None:
    """Does not stand for them."""
    _altered(scene.queue, _TABLE.format("queue", ", rowid TEXT", ""))
    with closing(sqlite3.connect(scene.queue)) as database, database:
        for name in ("e1", "e2"):
            base = {"event_id": name, "data": envelope(name), "rowid": "same"}
            insert(database, "queue", base)

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"], ran.document["removed"]) == (0, 2, 2)


def test_names_in_another_case(scene: Scene) -> None:
    """Are the same names, as SQLite has it: of tables and of columns."""
    queue(scene.queue, ["e1"])
    bodies(scene.queue, [body()])
    failures(scene.queue, [failure()])
    _altered(
        scene.queue,
        *(
            f"ALTER TABLE {name} RENAME TO {step}{name.title()}"
            for name in ("queue", "body_upload_queue", "body_upload_failure_log")
            for step in ("x",)
        ),
        "ALTER TABLE xQueue RENAME TO QUEUE",
        "ALTER TABLE xBody_Upload_Queue RENAME TO Body_Upload_QUEUE",
        "ALTER TABLE xBody_Upload_Failure_Log RENAME TO BODY_UPLOAD_failure_log",
        "ALTER TABLE QUEUE RENAME COLUMN data TO DATA",
        "ALTER TABLE Body_Upload_QUEUE RENAME COLUMN content_body TO Content_Body",
    )

    status = scene.run("sync", "status").document
    ran = scene.migrate()

    assert status["waiting_sources"][0]["rows"] == {
        "queue": 1,
        "body_upload_queue": 1,
        "body_upload_failure_log": 1,
    }
    assert (ran.code, ran.document["imported"], ran.document["removed"]) == (0, 1, 3)
    assert ran.document["sources"][0]["other_tables"] == {}
    assert scene.run("sync", "status").document["waiting_sources"] == []


@pytest.mark.parametrize(
    "text",
    ["BEFORE DELETE ON queue", "AFTER DELETE ON QUEUE", "AFTER DELETE ON body_upload_queue"],
)
def test_triggers_never_run(scene: Scene, text: str) -> None:
    """All is imported, nothing is deleted, and --keep-sources ends it."""
    queue(scene.queue, ["e1", "e2"])
    bodies(scene.queue, [body()])
    _altered(
        scene.queue,
        "CREATE TABLE other (x)",
        "INSERT INTO other VALUES (1)",
        f"CREATE TRIGGER odd {text} BEGIN DELETE FROM other; DELETE FROM queue; END",  # noqa: S608
    )
    before = scene.queue.read_bytes()

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"], ran.document["removed"]) == (3, 2, 0)
    error = ran.document["sources"][0]["error"]
    assert (error["code"], "odd" in error["message"]) == ("source_not_emptied", True)
    assert scene.queue.read_bytes() == before
    assert scene.migrate("--keep-sources").code == 0
    assert rows(scene.queue, "SELECT x FROM other") == [1]


def test_a_trigger_that_comes_later(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between reading and clean-up: it does not run either."""
    queue(scene.queue, ["e1", "e2"])
    looked = DatabaseReading.bodies

    def meanwhile(self: DatabaseReading) -> Any:
        _altered(
            scene.queue,
            "CREATE TRIGGER odd AFTER DELETE ON queue BEGIN DELETE FROM queue; END",
        )
        return looked(self)

    monkeypatch.setattr(DatabaseReading, "bodies", meanwhile)
    ran = scene.run("sync", "migrate")

    assert (ran.code, ran.document["removed"]) == (3, 0)
    assert ran.document["error"]["code"] == "source_not_emptied"
    assert rows(scene.queue) == ["e1", "e2"]


def test_rows_that_refer_to_others_go_alone(scene: Scene) -> None:
    """What would go with them by a foreign key stays."""
    queue(scene.queue, ["e1"])
    _altered(
        scene.queue,
        "CREATE TABLE notes (x REFERENCES queue (id) ON DELETE CASCADE)",
        "INSERT INTO notes VALUES (1)",
    )

    ran = scene.migrate()

    assert (ran.code, ran.document["removed"]) == (0, 1)
    assert rows(scene.queue, "SELECT x FROM notes") == [1]


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x"),
        sqlite3.InterfaceError("x"),
        pytest.param(OverflowError("x"), marks=pytest.mark.long),
        pytest.param(UnicodeError("x"), marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize("place", ["open", "row", "end"])
def test_what_nobody_foresaw(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, error: Exception, place: str
) -> None:
    """In one file is an error of that file, of which then nothing is counted or deleted."""
    queue(scene.queue, ["e1", ("bad", "x"), "e2"])
    queue(scene.scoped(A), ["e1", "e3"])
    original = {name: vars(DatabaseReading)[name] for name in ("__init__", "events", "bodies")}

    def is_odd(reading: Any) -> bool:
        return bool(reading._path == scene.queue)

    def opened(self: DatabaseReading, path: Path, *rest: Any) -> None:
        original["__init__"](self, path, *rest)
        if is_odd(self) and place == "open":
            raise error

    def events(self: DatabaseReading) -> Any:
        for each in original["events"](self):
            yield each
            if is_odd(self) and place == "row" and each.event_id == "bad":
                raise error

    def ended(self: DatabaseReading) -> Any:
        yield from original["bodies"](self)
        if is_odd(self) and place == "end":
            raise error

    for name, new in (("__init__", opened), ("events", events), ("bodies", ended)):
        monkeypatch.setattr(DatabaseReading, name, new)
    ran = scene.migrate()
    monkeypatch.undo()

    assert (ran.code, ran.document["imported"], ran.document["removed"]) == (3, 2, 2)
    odd = ran.document["sources"][0]
    assert (odd["error"]["code"], odd["rows"], odd["imported"]) == ("source_unreadable", 0, 0)
    assert ran.document["quarantined"] == []
    assert len(rows(scene.queue)) == 3
    assert scene.migrate("--take-quarantined").document["deduplicated"] == 1
    assert set(scene.entries()) == {"e1", "e2", "e3"}


def test_what_nobody_foresaw_in_a_clean_up(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """All is imported; the others are emptied."""
    queue(scene.queue, ["e1"])
    queue(scene.scoped(A), ["e2"])
    remove = _emptying.DatabaseEmptying.remove

    def odd(self: Any, *given: Any) -> Any:
        if self._path == scene.queue:
            raise ValueError("odd")
        return remove(self, *given)

    monkeypatch.setattr(_emptying.DatabaseEmptying, "remove", odd)
    ran = scene.run("sync", "migrate")

    assert (ran.code, ran.document["imported"], ran.document["removed"]) == (3, 2, 1)
    assert rows(scene.queue) == ["e1"]


def test_columns_that_mean_nothing_here_are_kept(scene: Scene) -> None:
    """With the event, with a body, and with what is set aside; also when they change later."""
    queue(
        scene.queue,
        [
            _row(1, "e1", timestamp="2026-01-02T03:04:05Z", retry_count="often"),
            _row(2, "e2", coalesce_key="T|x", event_type="Another"),
            _row(3, "bad", data="nonsense", timestamp=9e15),
            _row(4, "e4", event_type="WPStatusChanged"),
        ],
    )
    bodies(scene.queue, [body(created_at="yesterday", retry_count=-1)])
    _altered(
        scene.queue,
        "ALTER TABLE queue ADD COLUMN more",
        "UPDATE queue SET more = x'ff00' WHERE id = 1",
        "ALTER TABLE body_upload_queue ADD COLUMN owner TEXT",
        "UPDATE body_upload_queue SET owner = 'me'",
    )

    ran = scene.migrate("--take-quarantined")

    assert (ran.code, ran.document["removed"]) == (0, 5)
    origins = [
        scene.run("journal", "show", name).document["came_from"][0] for name in ("e1", "e2", "e4")
    ]
    assert [each["beside"] for each in origins] == [
        {"more": {"hex": "ff00"}, "timestamp": "2026-01-02T03:04:05Z", "retry_count": "often"},
        {"event_type": "Another", "coalesce_key": "T|x"},
        None,
    ]
    assert (origins[0]["queued_at"], origins[0]["retry_count"]) == (None, None)
    aside = scene.run("journal", "quarantine").document["set_aside"]
    assert [each["beside"] for each in aside] == [{"event_type": "T", "timestamp": 9e15}]
    with closing(sqlite3.connect(scene.place / "eventsync" / "eventsync.db")) as database:
        query = "SELECT beside FROM provenance WHERE part = 'body_upload_queue'"
        ((beside,),) = database.execute(query)
    assert json.loads(beside) == {"created_at": "yesterday", "retry_count": -1, "owner": "me"}


def test_a_column_that_changes_after_the_import_keeps_its_row(scene: Scene) -> None:
    """What it says now is taken by the next run."""
    queue(scene.queue, ["e1"])
    _altered(scene.queue, "ALTER TABLE queue ADD COLUMN more", "UPDATE queue SET more = 'one'")
    scene.migrate("--keep-sources")
    _altered(scene.queue, "UPDATE queue SET more = 'two'")

    assert scene.migrate().document["removed"] == 1
    origins = scene.run("journal", "show", "e1").document["came_from"]
    assert sorted(each["beside"]["more"] for each in origins) == ["one", "two"]


def test_a_failure_without_a_time_or_a_count(scene: Scene) -> None:
    """Cannot be told from another, and is quarantined whole."""
    failures(
        scene.queue,
        [failure("a", first_failed_at="once"), failure("b", failure_count="x"), failure("c")],
    )

    ran = scene.migrate()

    assert (ran.code, ran.document["body_failures"]["quarantined"]) == (3, 2)
    assert ran.document["body_failures"]["imported"] == 1


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder for temporary files that nobody else uses."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


_DYING = """
import os, signal, sys
from pathlib import Path
from eventsync_adapters.legacy_queues._copy import private_copy
with private_copy(Path(sys.argv[1])) as (copy, _):
    print(copy.parent, oct(copy.parent.stat().st_mode), oct(copy.stat().st_mode), flush=True)
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL and no modes")
def test_copies_of_a_killed_run_go_with_the_next(scene: Scene, temporary: Path) -> None:
    """Not while its process lives; and they are for one user only."""
    queue(scene.queue, ["e1"])
    words = [sys.executable, "-c", _DYING, str(scene.queue)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as dying:
        assert dying.stdout is not None
        folder, *modes = dying.stdout.readline().split()
        assert modes == ["0o40700", "0o100600"]
        scene.migrate("--keep-sources")
        assert Path(folder, "copy.db").exists()
        dying.communicate()
    assert Path(folder, "copy.db").exists()

    queue(scene.queue, ["e2"])
    assert scene.migrate().document["removed"] == 2
    assert list(temporary.iterdir()) == []


def test_only_what_is_abandoned_goes(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that nobody has marked yet stays for a day; what is no folder, for ever."""
    made = temporary / "eventsync-legacy-new"
    made.mkdir()
    (temporary / "eventsync-legacy-file").write_text("")
    (temporary / "another").mkdir()

    with _folders.private_folder() as folder, _folders.private_folder():
        assert folder.is_dir()
        assert made.is_dir()
    day = 24 * 3600 + 60
    os.utime(made, (made.stat().st_atime - day, made.stat().st_mtime - day))
    with _folders.private_folder():
        pass

    assert sorted(path.name for path in temporary.iterdir()) == ["another", "eventsync-legacy-file"]


def _settled_when(scene: Scene, act: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run `sync migrate`, and *act* when the source was counted for the last time."""
    count = _emptying.DatabaseEmptying._rows_of
    done: list[int] = []

    def counted(self: Any, table: Any) -> int:
        found = count(self, table)
        if table.name == "queue" and not done:
            done.append(1)
            act()
        return found

    monkeypatch.setattr(_emptying.DatabaseEmptying, "_rows_of", counted)
    scene.run("sync", "migrate")
    monkeypatch.undo()


def test_a_row_queued_while_the_source_is_settled(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is seen by status and by the next run, kept sources or not."""
    queue(scene.queue, ["e1"])

    def late() -> None:
        # As on a file system without locks, where a reader keeps no writer away.
        copy = scene.place / "late.db"
        shutil.copyfile(scene.queue, copy)
        queue(copy, ["e2"])
        scene.queue.write_bytes(copy.read_bytes())
        copy.unlink()

    _settled_when(scene, late, monkeypatch)

    assert scene.run("sync", "status").document["waiting_sources"][0]["rows"] == {"queue": 1}
    assert scene.run("sync", "migrate", "--keep-sources").document["imported"] == 1


def test_rows_that_came_after_the_clean_up_are_not_taken_for_known(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --keep-sources the next run reads them."""
    queue(scene.queue, ["e1"])
    remove = _emptying.DatabaseEmptying.remove

    def then_one_more(self: Any, *given: Any) -> int:
        removed = remove(self, *given)
        queue(scene.queue, ["e2"])
        return removed

    monkeypatch.setattr(_emptying.DatabaseEmptying, "remove", then_one_more)
    first = scene.run("sync", "migrate").document
    monkeypatch.undo()

    assert (first["removed"], first["sources"][0]["rows_left"]) == (1, 1)
    again = scene.migrate("--keep-sources").document
    assert (again["imported"], again["sources"][0]["unchanged"]) == (1, False)
    assert scene.migrate("--keep-sources").document["deduplicated"] == 1


def test_kept_sources_are_counted_by_what_is_in_them(scene: Scene) -> None:
    """Bodies and failures are no events, also when nothing is read again."""
    queue(scene.queue, ["e1", "e2"])
    bodies(scene.queue, [body()])
    failures(scene.queue, [failure("a"), failure("b"), failure("c")])
    scene.migrate("--keep-sources")

    for _ in range(2):
        again = scene.migrate("--keep-sources").document
        assert (again["imported"], again["deduplicated"]) == (0, 2)
        assert again["bodies"]["deduplicated"] == 1
        assert again["body_failures"]["deduplicated"] == 3
        assert (again["sources"][0]["rows"], again["sources"][0]["rows_left"]) == (6, 6)
        assert again["sources"][0]["unchanged"]


def test_a_dry_run_answers_while_others_write(scene: Scene) -> None:
    """To the store, or to the old file."""
    queue(scene.queue, ["e1"])
    scene.migrate("--keep-sources")
    queue(scene.queue, ["e2"])
    store = scene.place / "eventsync" / "eventsync.db"
    with (
        closing(sqlite3.connect(store, isolation_level=None)) as writer,
        closing(sqlite3.connect(scene.queue, isolation_level=None)) as old,
    ):
        writer.execute("BEGIN IMMEDIATE")
        old.execute("BEGIN IMMEDIATE")
        old.execute("DELETE FROM queue")
        ran = scene.run("sync", "migrate", "--dry-run")

    assert (ran.code, ran.document["imported"], ran.document["deduplicated"]) == (0, 1, 1)


def test_a_file_that_is_not_to_be_emptied_twice(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clean-up that deletes more or fewer rows than it was asked to is undone."""
    queue(scene.queue, ["e1", "e2"])
    monkeypatch.setattr(_sources, "_PATIENCE_SECONDS", 0)
    monkeypatch.setattr(_emptying.DatabaseEmptying, "_same", lambda *_: [1, 2, 99])
    ran = scene.run("sync", "migrate")

    assert (ran.code, ran.document["removed"]) == (3, 0)
    assert ran.document["error"]["code"] == "source_not_emptied"
    assert rows(scene.queue) == ["e1", "e2"]


@pytest.mark.parametrize("is_live_first", [True, False])
def test_half_a_surrogate_pair(scene: Scene, tmp_path: Path, *, is_live_first: bool) -> None:
    """Captured live it is an event; from an old file it is held; whoever comes first decides."""
    text = envelope("e1", text="\ud800")
    lines = tmp_path / "events.jsonl"
    lines.write_text(text + "\n")
    queue(scene.queue, [("e1", text)])
    steps = [("capture", str(lines)), ("sync", "migrate")]

    ran = [scene.run(*words) for words in (steps if is_live_first else steps[::-1])]

    assert [each.code for each in ran] == [0, 0]
    assert (scene.entries()["e1"].event.hold is None) == is_live_first
    assert rows(scene.queue) == []
