"""Files in every state that a disk can leave them in."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from eventsync_adapters.legacy_queues import _sources
from eventsync_core.migration import _migrate
from tests.legacy.conftest import Scene
from tests.legacy.old import envelope, insert, queue, rows

A = "aaaaaaaaaaaaaaaa"
_POSIX = pytest.mark.skipif(os.name != "posix", reason="it is about POSIX locks and modes")
_DYING = """
import os, signal, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA cache_size = 2")
database.execute("BEGIN IMMEDIATE")
database.execute("UPDATE queue SET data = 'uncommitted'")
database.executemany(
    "INSERT INTO queue (event_id, event_type, data, timestamp) VALUES (?, 'T', ?, 1)",
    [(f"x{n}", "x" * 9000) for n in range(100)],
)
os.kill(os.getpid(), signal.SIGKILL)
"""


def _parts(path: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in sorted(path.parent.glob(f"{path.name}*"))}


@_POSIX
def test_a_hot_journal_is_undone_in_the_copy(scene: Scene) -> None:
    """What was committed is imported, and nothing else; a dry run changes no file."""
    queue(scene.queue, ["e1", "e2"])
    subprocess.run([sys.executable, "-c", _DYING, str(scene.queue)], check=False)
    assert (scene.place / "queue.db-journal").stat().st_size > 0
    before = _parts(scene.queue)

    scene.run("sync", "migrate", "--dry-run")
    kept = scene.run("sync", "migrate", "--keep-sources")

    assert _parts(scene.queue) == before
    assert (kept.code, kept.document["imported"]) == (0, 2)
    assert {entry.event.text for entry in scene.entries().values()} == {
        envelope("e1"),
        envelope("e2"),
    }
    assert scene.migrate().document["removed"] == 2
    assert rows(scene.queue) == []


def test_a_write_ahead_log_is_read(scene: Scene, tmp_path: Path) -> None:
    """Rows that stand only there are rows; the parts stay as they are until the clean-up."""
    live = tmp_path / "live.db"
    with closing(sqlite3.connect(live)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA wal_autocheckpoint = 0")
        database.execute("SELECT * FROM sqlite_master").fetchall()
        queue(live, ["e1", "e2", "e3"])
        for part in ("", "-wal"):
            shutil.copyfile(f"{live}{part}", f"{scene.queue}{part}")
    before = _parts(scene.queue)
    assert len(before) == 2

    kept = scene.run("sync", "migrate", "--keep-sources")

    assert _parts(scene.queue) == before
    assert (kept.code, kept.document["imported"]) == (0, 3)
    assert scene.migrate().document["removed"] == 3
    assert rows(scene.queue) == []
    again = [scene.migrate().document["sources"][0]["unchanged"] for _ in range(2)]
    assert again[-1]


@_POSIX
@pytest.mark.requirement("G23")
def test_a_locked_file_is_reported_and_imported_later(scene: Scene) -> None:
    """Whoever holds it keeps it; all other files are imported."""
    queue(scene.queue, ["e1"])
    queue(scene.scoped(A), ["e2"])
    with closing(sqlite3.connect(scene.queue, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        ran = scene.run("sync", "migrate")
        # Looking at the file has not cost its holder the lock.
        held = subprocess.run(
            [sys.executable, "-c", _TRY, str(scene.queue)], capture_output=True, check=True
        )
        holder.execute("ROLLBACK")

    assert (ran.code, ran.document["imported"]) == (3, 1)
    assert ran.document["sources"][0]["error"]["code"] == "source_locked"
    assert ran.document["error"]["code"] == "source_locked"
    assert held.stdout.strip() == b"locked"
    assert rows(scene.queue) == ["e1"]
    assert scene.migrate().document["imported"] == 1


_TRY = """
import sqlite3, sys
try:
    sqlite3.connect(sys.argv[1], timeout=0).execute("SELECT COUNT(*) FROM queue")
except sqlite3.OperationalError as error:
    print("locked" if "locked" in str(error) else error)
"""


@pytest.mark.requirement("G11")
@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "source_empty_file"),
        (b"not a database at all", "source_not_a_database"),
        (b"SQLite format 3\0" + b"\xff" * 4_096, "source_damaged"),
    ],
)
def test_a_file_that_is_no_queue(scene: Scene, content: bytes, code: str) -> None:
    """It is named and left alone; all others are imported and emptied."""
    queue(scene.queue, ["e1"])
    scene.scoped(A).parent.mkdir()
    scene.scoped(A).write_bytes(content)

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"], ran.document["removed"]) == (3, 1, 1)
    assert ran.document["sources"][1]["error"]["code"] == code
    assert ran.document["sources"][1]["cleanup_blocked"]
    assert scene.scoped(A).read_bytes() == content
    assert scene.run("sync", "status").document["waiting_sources"][0]["error"]


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.95])
def test_what_a_truncated_file_still_gives(scene: Scene, cut: float) -> None:
    """Is imported; nothing of the file is deleted, and it is named."""
    fill = "x" * 500
    queue(scene.queue, [(f"e{n}", envelope(f"e{n}", fill=fill)) for n in range(200)])
    whole = scene.queue.read_bytes()
    scene.queue.write_bytes(whole[: int(len(whole) * cut)])
    before = scene.queue.read_bytes()

    ran = scene.migrate()

    assert ran.code == 3
    assert ran.document["sources"][0]["error"]["code"] == "source_damaged"
    assert scene.queue.read_bytes() == before
    found = scene.entries()
    assert len(found) == ran.document["imported"]
    for name, entry in found.items():
        assert entry.event.text == envelope(name, fill=fill)
    assert len(found) > 50 or cut < 0.5


def test_a_page_that_was_overwritten(scene: Scene) -> None:
    """Costs the rows on it; those on both sides of it are imported."""
    fill = "x" * 800
    queue(scene.queue, [(f"e{n}", envelope(f"e{n}", fill=fill)) for n in range(300)])
    content = bytearray(scene.queue.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xa5" * 4096
    scene.queue.write_bytes(content)

    ran = scene.migrate()

    assert ran.code == 3
    assert 280 <= ran.document["imported"] < 300
    assert {"e0", "e299"} <= set(scene.entries())


@_POSIX
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may read all")
def test_a_file_that_may_not_be_read(scene: Scene) -> None:
    """It is named."""
    queue(scene.queue, ["e1"]).chmod(0)

    ran = scene.migrate()

    assert (ran.code, ran.document["error"]["code"]) == (3, "source_unreadable")


@pytest.mark.requirement("G17")
def test_rows_that_change_meanwhile_survive(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new row, one with new content, and one that took the place of another."""
    queue(scene.queue, ["e1", "e2", "e3"])
    resolve = vars(_migrate)["resolve"]

    def meanwhile(*arguments: object, **more: object) -> int:
        with closing(sqlite3.connect(scene.queue)) as database, database:
            base = {"event_type": "T", "timestamp": 9, "data": envelope("e4")}
            insert(database, "queue", {**base, "event_id": "e4"})
            database.execute(
                "UPDATE queue SET data = ? WHERE event_id = 'e2'", (envelope("e2", new=1),)
            )
            database.execute("DELETE FROM queue WHERE event_id = 'e3'")
            insert(database, "queue", {**base, "event_id": "e5", "data": envelope("e5"), "id": 3})
        changed: int = resolve(*arguments, **more)
        return changed

    monkeypatch.setattr(_migrate, "resolve", meanwhile)
    ran = scene.run("sync", "migrate")
    monkeypatch.undo()

    assert (ran.document["imported"], ran.document["removed"]) == (3, 1)
    assert sorted(rows(scene.queue)) == ["e2", "e4", "e5"]
    assert scene.run("sync", "migrate").document["imported"] == 2


def test_a_file_that_cannot_be_emptied(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """All is imported; the file stays as it is and is named, unless it was to be kept."""
    queue(scene.queue, ["e1"])
    with closing(sqlite3.connect(scene.queue)) as holder:
        monkeypatch.setattr(_sources, "_PATIENCE_SECONDS", 0)
        holder.execute("SELECT * FROM queue").fetchone()
        holder.execute("BEGIN IMMEDIATE")
        ran = scene.run("sync", "migrate")

    assert (ran.code, ran.document["imported"], ran.document["removed"]) == (3, 1, 0)
    assert ran.document["error"]["code"] == "source_not_emptied"
    assert rows(scene.queue) == ["e1"]
    assert scene.migrate("--keep-sources").code == 0


def test_what_left_a_write_ahead_log_is_not_in_it(scene: Scene) -> None:
    """Though an old program still has the file open."""
    queue(scene.queue, [])
    with closing(sqlite3.connect(scene.queue)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("SELECT * FROM sqlite_master").fetchall()
        queue(scene.queue, ["e1", "e2"])

        assert scene.migrate().document["removed"] == 2

        assert not any(b"WPStatusChanged" in held for held in _parts(scene.queue).values())
        assert rows(scene.queue) == []
