"""`journal import` of a good copy mends a damaged text, and never touches a whole one."""

import shlex
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from eventsync_adapters.server import Serving
from tests.cli.conftest import Run
from tests.damage.damaging import spoil
from tests.damage.test_quarantine import classes, deliver


@pytest.fixture
def copy(run: Run, home: Path, events: Path, tmp_path: Path) -> Path:
    """An export of twenty events; afterwards the texts of four of them are damaged or missing."""
    run("capture", str(events))
    place = tmp_path / "copy.jsonl"
    assert run("journal", "export", str(place)).code == 0
    database = home / "eventsync" / "eventsync.db"
    spoil(database, ["e3"], '{"event_id": "e3", "n": 4}')
    spoil(database, ["e5"], b"\xff")
    spoil(database, ["e7"], "")
    with closing(sqlite3.connect(database)) as guarded, guarded:
        of_guard = "SELECT sql FROM sqlite_master WHERE name = 'payloads_go_on_record'"
        (guard,) = guarded.execute(of_guard).fetchone()
        guarded.execute("DROP TRIGGER payloads_go_on_record")
        guarded.execute("DELETE FROM payloads WHERE entry_id = 10")
        guarded.execute(guard)
    return place


def test_a_good_copy_mends(run: Run, copy: Path, receiver: Serving) -> None:
    """Counted as restored, verified, held until it is released, and delivered then."""
    assert run("journal", "quarantine", "--damaged", "--json").document["quarantined"] == 4
    assert deliver(run, receiver)["delivered"] == 16
    fix = run("journal", "verify", "--json").document["error"]["fix"]
    assert "journal import" in fix["text"]

    preview = run("journal", "import", str(copy), "--dry-run", "--json").document
    said = run("journal", "import", str(copy), "--dry-run").err
    ran = run("journal", "import", str(copy), "--json")
    done = ran.document

    release = "4 of the events brought back are quarantined and go nowhere; to let them go: "
    release += "eventsync journal release "
    assert done["still_quarantined"] == 4
    assert release in said
    assert release in ran.err
    assert {**preview, "dry_run": False} == done
    assert (done["brought_back"], done["duplicates"], done["conflicts_count"]) == (4, 16, 0)
    assert run("journal", "export", "-").out == copy.read_text()
    assert run("journal", "verify").code == 0
    assert run("sync", "doctor").code == 0
    assert classes(run) == {"delivered": 16, "quarantined": 4}
    assert run("sync", "now", "--json").document["counts"]["selected"] == 0
    names = ran.err.partition(release)[2].splitlines()[0].split()
    released = run("journal", "release", *names, "--json").document
    assert released["released"] == 4
    assert run("sync", "now", "--json").document["counts"]["delivered"] == 4
    again = run("journal", "import", str(copy), "--json").document
    assert (again["brought_back"], again["duplicates"]) == (0, 20)
    assert again["still_quarantined"] == 0


def test_another_text_mends_nothing(run: Run, copy: Path, tmp_path: Path) -> None:
    """Canonically equal is not enough, and what differs is a conflict."""
    other = tmp_path / "other.jsonl"
    other.write_text('{"event_id":"e3","n":3}\n{"event_id": "e5", "n": 6}\n')

    done = run("journal", "import", str(other), "--json")

    assert done.code == 3
    assert (done.document["brought_back"], done.document["duplicates"]) == (0, 1)
    assert done.document["conflicts_count"] == 1
    assert run("journal", "verify", "--json").document["streams"][0]["bad"] == 4


def test_the_damaged_text_is_taken_from_nowhere(run: Run, copy: Path, tmp_path: Path) -> None:
    """An export of what is damaged brings none of it into another home."""
    place = tmp_path / "left.jsonl"
    assert run("journal", "export", str(place)).code == 3

    done = run("--home", str(tmp_path / "b"), "journal", "import", str(place), "--json").document

    assert (done["stored"], done["refused_count"]) == (16, 0)


def test_an_id_that_looks_like_an_option_is_let_go(run: Run, home: Path, tmp_path: Path) -> None:
    """By the command as it is printed."""
    lines = tmp_path / "odd.jsonl"
    lines.write_text('{"event_id": "--all"}\n')
    assert run("capture", str(lines)).code == 0
    spoil(home / "eventsync" / "eventsync.db", ["--all"], "")
    assert run("journal", "quarantine", "--damaged").code == 0

    said = run("journal", "import", str(lines)).err

    command = said.partition("let them go: eventsync ")[2].splitlines()[0]
    assert run(*shlex.split(command)).code == 0, command
