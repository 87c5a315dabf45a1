"""Files with several names, and files whose names are odd."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.legacy.conftest import Scene
from tests.legacy.old import envelope, queue, rows

A, B = "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"
pytestmark = pytest.mark.skipif(os.name != "posix", reason="links need no rights on POSIX only")


def _with_log(path: Path) -> Path:
    """Make a queue whose only rows stand in the write-ahead log beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    live = path.with_name("live.db")
    with closing(sqlite3.connect(live)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA wal_autocheckpoint = 0")
        database.execute("SELECT * FROM sqlite_master").fetchall()
        queue(live, ["e1", "e2"])
        for part in ("", "-wal"):
            shutil.copyfile(f"{live}{part}", f"{path}{part}")
    live.unlink()
    return path


def test_the_journal_of_a_linked_queue(scene: Scene, tmp_path: Path) -> None:
    """Lies beside the file that the link leads to; the name of the link says whose it is."""
    real = _with_log(tmp_path / "disk" / "real.db")
    link = scene.scoped(A)
    link.parent.mkdir()
    link.symlink_to(real)

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"]) == (0, 2)
    (source,) = ran.document["sources"]
    assert (source["path"], source["target"]) == (str(real), f"unknown:{A}")
    assert rows(real) == []
    assert link.is_symlink()
    assert scene.migrate("--from", str(link)).document["imported"] == 0


def test_status_knows_a_linked_queue(scene: Scene, tmp_path: Path) -> None:
    """As the queue of nobody, with what waits in it."""
    scene.queue.symlink_to(_with_log(tmp_path / "disk" / "real.db"))

    status = scene.run("sync", "status").document

    assert status["legacy_queue"]["event_count"] == 2
    assert status["legacy_queue"]["path"] == status["waiting_sources"][0]["path"]


def test_a_linked_folder(scene: Scene, tmp_path: Path) -> None:
    """Is looked into."""
    _with_log(tmp_path / "disk" / f"queue-{A}.db")
    (scene.place / "queues").symlink_to(tmp_path / "disk")

    assert scene.migrate().document["imported"] == 2


def test_a_link_to_itself(scene: Scene) -> None:
    """Is named."""
    scene.queue.symlink_to(scene.queue)

    ran = scene.migrate()

    assert (ran.code, ran.document["error"]["code"]) == (3, "source_unreadable")


@pytest.mark.parametrize("first", [True, False])
def test_the_name_with_the_journal_counts(scene: Scene, *, first: bool) -> None:
    """Of one file with two names, whichever comes first."""
    names = [scene.queue, scene.scoped(A)]
    with_log, other = names if first else reversed(names)
    _with_log(with_log)
    other.parent.mkdir(exist_ok=True)
    other.hardlink_to(with_log)

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"], ran.document["sources_count"]) == (0, 2, 1)
    assert ran.document["sources"][0]["path"] == str(with_log)
    (skipped,) = ran.document["skipped"]
    assert (skipped["path"], str(with_log) in skipped["reason"]) == (str(other), True)


def test_a_name_that_nobody_sees(scene: Scene, tmp_path: Path) -> None:
    """Beside it a journal may be: nothing is read until it is named too, or gone."""
    away = tmp_path / "away.db"
    _with_log(away)
    scene.queue.hardlink_to(away)

    ran = scene.migrate()
    assert (ran.code, ran.document["error"]["code"]) == (3, "source_linked")
    assert (ran.document["imported"], rows(away)) == (0, ["e1", "e2"])

    both = scene.migrate("--from", str(away))
    assert (both.code, both.document["imported"]) == (0, 2)
    away.unlink()
    assert scene.migrate().code == 0


def test_a_name_that_nobody_sees_of_a_file_that_is_settled(scene: Scene, tmp_path: Path) -> None:
    """Nothing can be hidden beside it as long as nothing changes."""
    away = tmp_path / "away.db"
    scene.queue.hardlink_to(queue(away, ["e1"]))
    scene.migrate("--from", str(away))

    assert (scene.migrate().code, scene.migrate().document["sources_count"]) == (0, 1)
    queue(away, ["e2"])
    assert scene.migrate().code == 3


def test_two_journals_of_one_file(scene: Scene) -> None:
    """Nobody can tell which counts."""
    _with_log(scene.queue)
    scene.scoped(A).parent.mkdir()
    scene.scoped(A).hardlink_to(scene.queue)
    shutil.copyfile(f"{scene.queue}-wal", f"{scene.scoped(A)}-wal")

    assert scene.migrate().document["error"]["code"] == "source_linked"


def test_names_in_the_folder_of_projects(scene: Scene) -> None:
    """What is not named as a project is left out, and named."""
    for name in ("not-a-project", ".layout-generation.json"):
        (scene.place / "projects" / name / "sync").mkdir(parents=True)
    odd = scene.place / "projects" / "not-a-project" / "sync" / "sync.db"
    odd.write_bytes(b"")

    ran = scene.migrate()

    assert (ran.code, ran.document["sources"]) == (0, [])
    assert [each["path"] for each in ran.document["skipped"]] == [str(odd)]


def test_two_names_of_a_file_of_lines(scene: Scene) -> None:
    """It has no journal: the first name counts."""
    first, second = (scene.place / f"overflow-{n}.jsonl" for n in (1, 2))
    first.write_text(envelope("e1"))
    second.hardlink_to(first)

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"], ran.document["skipped_count"]) == (0, 1, 1)
