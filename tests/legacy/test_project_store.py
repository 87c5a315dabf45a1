"""The store that an old program kept of each project."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.legacy.conftest import Scene
from tests.legacy.old import envelope, queue

P1, P2 = "0b1d0f2a-3c4d-4e5f-8a9b-0c1d2e3f4a5b", "11111111-2222-4333-8444-555555555555"
_ENTRIES = """
CREATE TABLE journal_entries (
    entry_id TEXT PRIMARY KEY, project_uuid TEXT NOT NULL, epoch_id TEXT NOT NULL,
    capture_sequence INTEGER NOT NULL, payload_json TEXT NOT NULL, created_at TEXT NOT NULL)
"""
_OTHERS = """
CREATE TABLE project_store_metadata (
    singleton INTEGER PRIMARY KEY, project_uuid TEXT, schema_version INTEGER);
INSERT INTO project_store_metadata VALUES (1, 'P', 1);
CREATE TABLE outbox_tasks (task_id TEXT PRIMARY KEY, journal_entry_id TEXT NOT NULL);
INSERT INTO outbox_tasks VALUES ('t1', 'entry-1'), ('t2', 'entry-2');
CREATE TABLE delivery_attempts (attempt_id TEXT PRIMARY KEY);
"""


def store(scene: Scene, payloads: Iterable[Any], *, project: str = P1, ddl: str = _ENTRIES) -> Path:
    """Make the store of *project* with one entry for each of *payloads*, the last one first."""
    path = scene.place / "projects" / project / "sync" / "sync.db"
    path.parent.mkdir(parents=True)
    rows = [
        (f"entry-{n}", project, "epoch", n, payload, f"2026-07-01T00:00:0{n}.000001+00:00")
        for n, payload in enumerate(payloads, 1)
    ]
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(ddl)
        database.executescript(_OTHERS)
        database.executemany("INSERT INTO journal_entries VALUES (?,?,?,?,?,?)", reversed(rows))
    return path


def packed(text: str, **members: Any) -> str:
    """Return a document that holds *text* in base64."""
    return json.dumps({"payload": b64encode(text.encode()).decode(), **members})


def _parts(path: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in sorted(path.parent.iterdir())}


def test_its_entries_are_imported_and_stay(scene: Scene) -> None:
    """In their order and with their times; all else is counted by its table."""
    path = store(scene, [envelope("e1"), packed(envelope("e2"), event_id="e2"), envelope("e3")])
    before = _parts(path)

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"], ran.document["removed"]) == (0, 3, 0)
    (source,) = ran.document["sources"]
    assert (source["path"], source["kind"]) == (str(path), "project_store")
    assert source["other_tables"] == {"project_store_metadata": 1, "outbox_tasks": 2}
    assert _parts(path) == before
    entries = scene.entries()
    assert [entries[name].position for name in ("e1", "e2", "e3")] == [1, 2, 3]
    assert entries["e2"].event.text == envelope("e2")
    shown = scene.run("journal", "show", "e2").document
    assert "2026-07-01T00:00:02.000001" in json.dumps(shown)


def test_it_is_settled_once_all_is_accounted_for(scene: Scene) -> None:
    """Nothing waits in it then, until there is more."""
    path = store(scene, [envelope("e1")])
    assert scene.run("sync", "status").document["waiting_sources"][0]["rows"] == {
        "journal_entries": 1
    }
    scene.migrate()

    again = scene.migrate().document["sources"][0]
    assert (again["unchanged"], again["rows_left"]) == (True, 1)
    assert scene.run("sync", "status").document["waiting_sources"] == []
    with closing(sqlite3.connect(path)) as database, database:
        row = ("x", P1, "epoch", 9, envelope("e9"), "2026-07-02T00:00:00Z")
        database.execute("INSERT INTO journal_entries VALUES (?,?,?,?,?,?)", row)
    assert scene.run("sync", "status").document["waiting_sources"][0]["rows"]
    assert scene.migrate().document["imported"] == 1


def test_streams(scene: Scene) -> None:
    """The envelope's project, else the one on record of the entry, else the operator's."""
    store(scene, [envelope("e1", project_uuid=P2), envelope("e2")])
    with closing(sqlite3.connect(store(scene, [envelope("e3")], project=P2))) as database, database:
        database.execute("UPDATE journal_entries SET project_uuid = ''")

    scene.migrate("--project", "mine")

    streams = {name: entry.stream for name, entry in scene.entries().items()}
    assert streams == {"e1": P2, "e2": P1, "e3": "mine"}


def test_what_is_in_a_queue_too(scene: Scene) -> None:
    """Is one event of two origins, or a conflict."""
    queue(scene.queue, ["e1", "e2"])
    store(scene, [packed(envelope("e1")), packed(envelope("e2", payload={"n": 9}))])

    ran = scene.migrate()

    assert (ran.code, ran.document["deduplicated"], ran.document["conflicts_count"]) == (3, 1, 1)
    assert ran.document["conflicts"][0]["part"] == "journal_entries"
    assert scene.migrate("--resolve", "keep-journal").code == 0
    assert scene.migrate().document["sources"][1]["unchanged"]


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (packed(envelope("e1"))[:-9] + '!!"}', "not_understood"),
        (packed("no event at all"), "not_understood"),
        (packed(envelope("e1"), event_id="e2"), "other_id"),
        (json.dumps({"a": packed(envelope("e1")), "event": 1}), "no_event_id"),
        (
            packed(envelope("e1"), other=b64encode(envelope("e2").encode()).decode()),
            "not_understood",
        ),
        ("nonsense", "not_json"),
        (b"\xff\xfe{", "not_utf8"),
        ("{}", "no_event_id"),
        ("", "not_json"),
    ],
)
def test_what_is_not_understood_is_kept(scene: Scene, payload: Any, code: str) -> None:
    """With its bytes, and it waits until somebody takes it."""
    path = store(scene, [payload, envelope("good")])
    before = _parts(path)

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"]) == (3, 1)
    (row,) = ran.document["quarantined"]
    assert row["code"] == code
    assert scene.run("sync", "status").document["waiting_sources"]
    (kept,) = scene.run("journal", "quarantine").document["set_aside"]
    shown = scene.run("journal", "quarantine", str(kept["number"])).document
    content = shown.get("text") or shown.get("hex") or ""
    raw = payload if isinstance(payload, str) else payload.hex()
    assert content == (envelope("e1") if code == "other_id" else raw)
    assert scene.migrate("--take-quarantined").code == 0
    assert scene.migrate().code == 0
    assert scene.run("sync", "status").document["waiting_sources"] == []
    assert _parts(path) == before


@pytest.mark.parametrize(
    "payload",
    [
        envelope("e1").encode(),
        b64encode(envelope("e1").encode()).decode(),
        urlsafe_b64encode(envelope("e1").encode()).decode().rstrip("="),
        json.dumps({"encoding": "base64", "data": b64encode(envelope("e1").encode()).decode()}),
        json.dumps({"payload": {"base64": b64encode(envelope("e1").encode()).decode()}}),
    ],
)
def test_other_spellings(scene: Scene, payload: Any) -> None:
    """Of a document that holds one event."""
    store(scene, [payload])

    assert scene.migrate().code == 0
    assert scene.entries()["e1"].event.text == envelope("e1")


_WITHOUT = "CREATE TABLE journal_entries (a, b, c, d, payload_json, e)"
_NUMBERED = _ENTRIES.rstrip() + " WITHOUT ROWID"


@pytest.mark.parametrize("ddl", [_WITHOUT, _NUMBERED, _ENTRIES.replace("journal_e", "JOURNAL_E")])
def test_other_tables_of_that_name(scene: Scene, ddl: str) -> None:
    """Columns that are missing, and rows without numbers, harm nobody."""
    store(scene, [envelope("e1"), envelope("e2")], ddl=ddl)

    assert scene.migrate().document["imported"] == 2
    assert scene.migrate().document["sources"][0]["unchanged"]


def test_a_store_of_another_shape(scene: Scene) -> None:
    """Is reported, with what is in it, or as foreign."""
    path = store(scene, [envelope("e1")], ddl=_ENTRIES.replace("payload_json", "body"))
    assert scene.migrate().document["error"]["code"] == "source_foreign"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("ALTER TABLE journal_entries RENAME TO entries")
    ran = scene.migrate()
    assert (ran.code, ran.document["sources"][0]["other_tables"]["entries"]) == (0, 1)


_DYING = """
import os, signal, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA journal_mode = WAL")
database.execute("UPDATE journal_entries SET created_at = '2026-07-01T00:00:00+00:00'")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name != "posix", reason="it is about a process that is killed")
def test_a_store_with_a_write_ahead_log(scene: Scene) -> None:
    """As that program leaves it; the parts stay as they are."""
    path = store(scene, [envelope("e1")])
    subprocess.run([sys.executable, "-c", _DYING, str(path)], check=False)
    (path.parent / "sync.db-shm").unlink()
    before = _parts(path)
    assert len(before) == 2

    assert scene.migrate().document["imported"] == 1
    assert scene.migrate().document["sources"][0]["unchanged"]
    assert _parts(path) == before


@pytest.mark.parametrize("cut", [0.0, 0.4, 0.95])
def test_a_damaged_store(scene: Scene, cut: float) -> None:
    """What it still gives is imported, and it is named."""
    path = store(scene, [envelope(f"e{n}", fill="x" * 900) for n in range(1, 10)])
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * cut)])
    before = _parts(path)

    ran = scene.migrate()

    assert ran.code == 3
    assert ran.document["error"]["code"] == ("source_damaged" if cut else "source_empty_file")
    assert _parts(path) == before
    for name, entry in scene.entries().items():
        assert entry.event.text == envelope(name, fill="x" * 900)
    assert scene.run("sync", "status").document["waiting_sources"]
    assert scene.entries() or cut < 0.9


def test_a_store_that_is_named(scene: Scene, tmp_path: Path) -> None:
    """By its file, wherever it lies; a copy is deduplicated."""
    path = store(scene, [envelope("e1")])
    away = tmp_path / "away" / "sync.db"
    away.parent.mkdir()
    shutil.copyfile(path, away)

    ran = scene.migrate("--from", str(away))

    assert (ran.code, ran.document["imported"], ran.document["deduplicated"]) == (0, 1, 1)
