"""What is taken in of folders and files that are named, and files of records with more names."""

import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.legacy.conftest import Scene
from tests.legacy.journal_era import delivery, journal, ledger, target, targets
from tests.legacy.old import queue, rows

A = "aaaaaaaaaaaaaaaa"
_POSIX = pytest.mark.skipif(os.name != "posix", reason="links need no rights on POSIX only")


def _said(document: Any, key: str = "deliveries") -> dict[str, int]:
    return {word: count for word, count in document[key].items() if count}


def test_the_folder_of_queues_itself(scene: Scene, tmp_path: Path) -> None:
    """Its queues are taken in, other databases are named."""
    folder = tmp_path / "elsewhere" / "queues"
    queue(folder / f"queue-{A}.db", ["e1"])
    queue(folder / "backup.db", ["e2"])

    ran = scene.migrate("--from", str(folder))

    assert (ran.code, ran.document["imported"]) == (0, 1)
    assert ran.document["sources"][0]["target"] == f"unknown:{A}"
    (skipped,) = ran.document["skipped"]
    assert (Path(skipped["path"]).name, "not that of a queue" in skipped["reason"]) == (
        "backup.db",
        True,
    )


def test_the_folders_of_the_journal_era_themselves(scene: Scene, tmp_path: Path) -> None:
    """Each with what it has; a ledger with the targets beside it."""
    old = target()
    journal(tmp_path / "old", ["e1"])
    targets(tmp_path / "old", [old])
    ledger(tmp_path / "old", [delivery("e1", old["target_id"])])
    words = [("--from", str(tmp_path / "old" / name)) for name in ("event_journal", "delivery")]

    ran = scene.migrate(*(word for each in words for word in each))

    assert (ran.code, ran.document["imported"], ran.document["skipped"]) == (0, 1, [])
    assert _said(ran.document) == {"imported": 1}
    assert len(ran.document["sources"]) == 3


def test_a_place_with_nothing(scene: Scene, tmp_path: Path) -> None:
    """It is said, for somebody expected something there."""
    (tmp_path / "empty").mkdir()

    ran = scene.migrate("--from", str(tmp_path / "empty"))

    assert ran.code == 0
    (skipped,) = ran.document["skipped"]
    assert skipped == {"path": str(tmp_path / "empty"), "reason": "nothing was found there"}
    assert f"{tmp_path / 'empty'} is left out: nothing was found there" in ran.err


def test_a_ledger_that_is_named_too(scene: Scene) -> None:
    """It is read once."""
    old = target()
    journal(scene.place, ["e1"])
    targets(scene.place, [old])
    path = ledger(scene.place, [delivery("e1", old["target_id"])])

    ran = scene.migrate("--from", str(path), "--from", str(path.with_name("targets.db")))

    assert _said(ran.document) == {"imported": 1}
    assert _said(ran.document, "targets") == {"imported": 1}
    assert sorted(each["kind"] for each in ran.document["sources"]) == [
        "journal",
        "ledger",
        "targets",
    ]


@_POSIX
def test_a_ledger_and_its_targets_under_two_names(scene: Scene, tmp_path: Path) -> None:
    """Links of another home to them are the same files."""
    old = target()
    journal(scene.place, ["e1"])
    targets(scene.place, [old])
    ledger(scene.place, [delivery("e1", old["target_id"])])
    other = tmp_path / "other" / "delivery"
    other.mkdir(parents=True)
    for name in ("ledger.db", "targets.db"):
        os.link(scene.place / "delivery" / name, other / name)

    ran = scene.migrate("--from", str(other.parent))

    assert _said(ran.document) == {"imported": 1}
    assert len(ran.document["sources"]) == 3
    assert {each["path"] for each in ran.document["skipped"]} == {
        str(other / "ledger.db"),
        str(other / "targets.db"),
    }


@_POSIX
def test_a_ledger_whose_log_is_beside_another_name(scene: Scene, tmp_path: Path) -> None:
    """It is not read without it: what it says would not be known to be delivered."""
    old = target()
    journal(scene.place, ["e1", "e2"])
    targets(scene.place, [old])
    path = ledger(tmp_path / "live", [delivery("e1", old["target_id"])])
    other = scene.place / "delivery" / "ledger.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        ledger(tmp_path / "live", [delivery("e2", old["target_id"])])
        os.link(path, other)

        ran = scene.migrate()
        named = scene.migrate("--from", str(path))

    assert (ran.code, ran.document["error"]["code"]) == (3, "source_linked")
    assert (named.code, _said(named.document)) == (0, {"imported": 2})


@_POSIX
def test_records_by_links_of_other_names(scene: Scene, tmp_path: Path) -> None:
    """What a name says counts, wherever it leads."""
    old = target()
    path = journal(tmp_path / "old", ["e1"])
    real = {
        "targets.db": targets(tmp_path / "old", [old]),
        "ledger.db": ledger(tmp_path / "old", [delivery("e1", old["target_id"])]),
        "journal-x.db": path,
    }
    (tmp_path / "named").mkdir()
    for name, leads_to in real.items():
        kept = shutil.move(leads_to, leads_to.with_name(f"1-{leads_to.name}"))
        (tmp_path / "named" / name).symlink_to(kept)

    ran = scene.migrate(
        *("--from", str(tmp_path / "named" / "ledger.db")),
        *("--from", str(tmp_path / "named" / "journal-x.db")),
    )

    assert (ran.code, ran.document["imported"], _said(ran.document)) == (0, 1, {"imported": 1})
    assert {each["target"] for each in ran.document["sources"]} == {"unknown:x", ""}
    assert rows(path.with_name(f"1-{path.name}"), "SELECT event_id FROM event_journal") == []


@_POSIX
def test_a_fix_for_a_name_that_is_no_text(scene: Scene, tmp_path: Path) -> None:
    """No JSON can hold the command, so it is spelt as a shell takes it; and it helps."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/it's \xff.db"))
    try:
        queue(path, [("e1", "{not json"), "e2"])
    except (OSError, sqlite3.Error, UnicodeError):
        pytest.skip("the file system takes no such name")

    ran = scene.run("sync", "migrate", "--from", str(path))

    fix = ran.document["error"]["fix"]["text"]
    program = f'eventsync() {{ {shlex.quote(sys.executable)} -m eventsync_cli "$@"; }}\n'
    script = program + fix.replace("--from", f"--home {shlex.quote(str(scene.place))} --from")
    shell = shutil.which("bash")
    if shell is None:
        pytest.skip("there is no bash")
    done = subprocess.run([shell, "-c", script], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b"emptied of 1") == 1
