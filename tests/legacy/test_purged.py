"""What was erased with its project stays away, and files that still hold it are named."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.legacy.conftest import Scene
from tests.legacy.journal_era import audit, delivery, ledger, stored, target, targets
from tests.legacy.old import bodies, body, envelope, failure, failures, queue, rows

_LATER = 4_000_000_000
_BODIES = "SELECT id FROM body_upload_queue"


def _row(name: str, project: str | None = "P1", **more: Any) -> tuple[str, str]:
    return name, envelope(name, project_uuid=project, **more)


def _purge(scene: Scene, *words: str, project: str = "p1") -> tuple[int, list[str]]:
    """Erase the project, and return the exit code and the names of the old files that hold it."""
    ran = scene.run("--project", project, "journal", "purge", *words)
    assert ran.document["sources_count"] == len(ran.document["sources"])
    return ran.code, [Path(each).name for each in ran.document["sources"]]


@pytest.fixture
def kept(scene: Scene) -> Scene:
    """A home with two projects, of which the old queue keeps all."""
    queue(scene.queue, [_row("e1"), _row("e2", "P2")])
    bodies(scene.queue, [body(), body("other", project_uuid="P2")])
    failures(scene.queue, [failure(), failure("other", project_uuid="P2")])
    assert scene.run("sync", "migrate", "--keep-sources").code == 0
    return scene


def test_an_old_queue_that_holds_the_project_is_named(kept: Scene) -> None:
    """Also by a preview, and until migrate has emptied it; one of other projects is not."""
    queue(kept.scoped("b" * 16), [_row("e3", "P2")])
    assert _purge(kept, "--dry-run") == (0, ["queue.db"])
    assert _purge(kept) == (3, ["queue.db"])
    assert _purge(kept) == (3, ["queue.db"])

    kept.migrate()

    assert _purge(kept) == (0, [])


def test_bodies_of_an_erased_project_stay_away(kept: Scene) -> None:
    """They leave the old queue, and nothing tells what they were; others are imported."""
    _purge(kept)
    assert kept.run("body", "list").document["bodies_count"] == 1

    ran = kept.migrate("--keep-sources")
    assert ran.document["bodies"]["imported"] == 0
    ran = kept.migrate()

    assert (ran.code, ran.document["removed"]) == (0, 6)
    assert (ran.document["bodies"], ran.document["body_failures"]) == (
        {"imported": 0, "deduplicated": 2, "conflict": 0, "quarantined": 0, "resolved": 0},
        {"imported": 0, "deduplicated": 2, "conflict": 0, "quarantined": 0, "resolved": 0},
    )
    (left,) = kept.run("body", "list").document["bodies"]
    assert left["project_uuid"] == "p2"
    database = kept.place / "eventsync" / "eventsync.db"
    assert rows(database, "SELECT reason FROM body_failures") == ["other"]
    named = rows(database, "SELECT event_id FROM provenance WHERE part <> 'queue'")
    assert not any("p1" in each for each in named)
    kept.check_sound()


def test_what_is_newer_than_the_purge_comes_home(kept: Scene) -> None:
    """A project may go on: its new bodies and refusals are its own."""
    _purge(kept)
    bodies(kept.queue, [body("new", artifact_path="new", created_at=_LATER)])
    with closing(sqlite3.connect(kept.queue)) as database, database:
        database.execute("UPDATE body_upload_failure_log SET last_failed_at = ?", (_LATER,))

    ran = kept.migrate()

    assert (ran.document["bodies"]["imported"], ran.document["body_failures"]["imported"]) == (1, 1)
    assert rows(kept.queue, _BODIES) == []
    kept.check_sound()


def test_a_body_that_is_added_again_is_kept(kept: Scene) -> None:
    """The row of the old queue is of a body that is there, as before any purge."""
    _purge(kept)
    bodies(kept.scoped("c" * 16), [body(created_at=_LATER)])

    ran = kept.migrate()

    assert ran.document["bodies"]["imported"] == 1
    assert kept.run("body", "list").document["bodies_count"] == 2
    assert rows(kept.scoped("c" * 16), _BODIES) == []


def test_every_kind_of_row_that_names_the_project_counts(scene: Scene) -> None:
    """A conflict, a row that is no event, a body that is none, contents put away, errors."""
    queue(scene.queue, [_row("e1")])
    scene.run("sync", "migrate")
    assert _purge(scene) == (0, [])
    places = {
        "1" * 16: [("e1", envelope("e1", payload={"n": 5}))],
        "2" * 16: [("x", '{"project_uuid": "P1", ')],
        "3" * 16: [_row("e9", None)],
        "4" * 16: [_row("e8", "P10")],
    }
    for digest, added in places.items():
        queue(scene.scoped(digest), added)
    bodies(scene.scoped("5" * 16), [body(content_body=b"\xff")])
    bodies(scene.scoped("6" * 16), [body(project_uuid="P10")])
    old = target()
    targets(scene.place, [old])
    ledger(scene.place, [delivery("e1", old["target_id"], last_error="HTTP 400: e1")])
    audit(scene.place, [("e1", stored("e1", project_uuid="P1"))])
    scene.scoped("7" * 16).write_bytes(b"no database")

    code, found = _purge(scene)

    names = {f"queue-{digit * 16}.db" for digit in "1257"}
    assert (code, {each for each in found if each.startswith("queue")}) == (3, names)
    assert len(found) == len(names) + 2


def test_a_body_that_names_no_project(scene: Scene) -> None:
    """It is of the project that it was imported under: named, and away, until migrate ends it."""
    bodies(scene.queue, [body("secret", project_uuid="", artifact_path="secret.md")])
    scene.run("--project", "p1", "sync", "migrate", "--keep-sources")
    database = scene.place / "eventsync" / "eventsync.db"

    assert _purge(scene, "--dry-run") == (0, ["queue.db"])
    assert _purge(scene) == (3, ["queue.db"])

    assert b"secret" not in database.read_bytes()
    assert _purge(scene) == (3, ["queue.db"])
    scene.check_sound()
    kept = scene.migrate("--keep-sources")
    assert (kept.document["bodies"]["imported"], kept.document["bodies"]["deduplicated"]) == (0, 1)
    assert scene.migrate().document["removed"] == 1
    assert _purge(scene) == (0, [])
    assert b"secret" not in database.read_bytes()
