"""The log that has one line for each row."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.legacy.conftest import Scene
from tests.legacy.journal_era import audit, stored
from tests.legacy.old import bodies, body, envelope, failure, failures, queue, rows

_FULL = Path("/dev/full")


def _log(scene: Scene) -> Path:
    return scene.place / "eventsync" / "migrated.log"


@pytest.mark.skipif(not _FULL.exists(), reason="no device that is always full")
@pytest.mark.parametrize("count", [1, 300])
def test_a_log_that_cannot_be_written_stops_nothing(scene: Scene, count: int) -> None:
    """All is imported and emptied, and it is said once that lines are missing."""
    queue(scene.queue, [f"e{number}" for number in range(count)])
    _log(scene).parent.mkdir()
    _log(scene).symlink_to(_FULL)

    ran = scene.run("sync", "migrate")

    assert (ran.code, ran.document["imported"], ran.document["removed"]) == (0, count, count)
    assert (
        ran.document["row_log_error"] == f"{_log(scene)} cannot be written: No space left on device"
    )
    assert ran.err.count("migrated.log") == 1
    assert rows(scene.queue) == []


def test_a_log_that_cannot_be_opened_stops_nothing(scene: Scene) -> None:
    """Here something else has its name."""
    queue(scene.queue, ["e1"])
    _log(scene).mkdir(parents=True)

    ran = scene.run("sync", "migrate")

    assert (ran.code, ran.document["removed"]) == (0, 1)
    assert "migrated.log cannot be written" in ran.document["row_log_error"]


def test_a_log_that_can_be_written(scene: Scene) -> None:
    """Says nothing of itself."""
    queue(scene.queue, ["e1"])

    assert scene.migrate().document["row_log_error"] is None
    assert json.loads(_log(scene).read_text())["key"] == "e1"


def test_a_row_has_no_line_for_what_was_on_record(scene: Scene) -> None:
    """However often its file is read; what becomes of it later has one."""
    queue(scene.queue, ["e1", ("e2", "NaN")])
    bodies(scene.queue, [body()])
    failures(scene.queue, [failure()])
    scoped = queue(scene.scoped("aaaaaaaaaaaaaaaa"), [("e1", envelope("e1", payload={"n": 2}))])
    settled = audit(scene.place, [("e1", stored("e1", secret="hush"))])
    scene.migrate("--keep-sources")
    first = _log(scene).read_text()
    assert first.count("\n") == 6

    scene.migrate("--keep-sources")
    scene.migrate()
    with closing(sqlite3.connect(settled)) as database:
        database.execute("PRAGMA user_version = 7")
    scene.migrate()
    assert _log(scene).read_text() == first

    queue(scoped, ["e3"])
    scene.migrate("--resolve", "keep-journal", "--take-quarantined")
    more = [json.loads(line) for line in _log(scene).read_text().splitlines()[6:]]
    assert [(each["key"], each["became"]) for each in more] == [
        ("e1", "resolved"),
        ("e3", "imported"),
    ]
