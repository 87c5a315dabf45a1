"""What came home refers to what is there."""

import sqlite3
from typing import Any

import pytest

from tests.damage.damaging import unguarded
from tests.legacy.conftest import Scene
from tests.legacy.journal_era import audit, delivery, journal, ledger, stored, target, targets
from tests.legacy.old import bodies, body, envelope, failure, failures, queue

_ODD = 'x"] \\"] ü\n'


@pytest.fixture
def brought(scene: Scene) -> Scene:
    """A home with every kind of row, migrated."""
    queue(scene.queue, ["e1", "e2", ("e3", envelope("e3", project_uuid="P1")), ("bad", "{")])
    other = queue(scene.scoped("a" * 16), [("e1", envelope("e1", payload={"n": 2})), "e2"])
    blank = body("c", project_uuid=" ", artifact_path="b")
    bodies(scene.queue, [body(), body("b", mission_slug=_ODD), blank])
    bodies(other, [body(slug="feature_slug")], slug="feature_slug")
    failures(scene.queue, [failure(), failure(_ODD, mission_slug=_ODD), failure("")])
    failures(other, [failure()])
    journal(scene.place, ["e2", "e4"])
    old = target()
    targets(scene.place, [old])
    ledger(scene.place, [delivery("e2", old["target_id"]), delivery("e4", old["target_id"])])
    audit(scene.place, [("e4", stored("e4", payload={"n": 3})), ("e5", stored("e5"))])
    ran = scene.run("sync", "migrate")
    assert ran.document["bodies"]["imported"] == 3
    assert ran.document["body_failures"]["imported"] == 3
    assert ran.document["deliveries"]["imported"] == 2
    assert (ran.document["conflicts_count"], ran.document["quarantined_count"]) == (1, 1)
    return scene


def test_a_home_that_was_brought_is_sound(brought: Scene) -> None:
    """Events, bodies, refusals, deliveries, conflicts; also when projects are erased."""
    brought.check_sound()
    for project in ("p1", "unassigned"):
        assert brought.run("journal", "purge", "--project", project).code in (0, 3)
        brought.check_sound()


@pytest.mark.parametrize(("table", "missing"), [("bodies", "body"), ("body_failures", "failure")])
def test_what_came_home_and_is_gone_is_missed(brought: Scene, table: str, missing: str) -> None:
    """A body or a refusal that somebody deleted by hand is named by the row it came from."""
    unguarded(
        brought.place / "eventsync" / "eventsync.db",
        (f"DELETE FROM {table} WHERE artifact_path = 'spec.md'", ()),  # noqa: S608 - of ours
    )

    ran = brought.run("journal", "verify")

    broken = ran.document["references"]["broken"]
    assert ran.code == 5
    assert {each["missing"] for each in broken if each["kind"] == "provenance"} == {
        missing if missing == "body" else "body failure"
    }


def test_what_left_an_old_database_is_overwritten(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also by an SQLite that only forgets what is deleted."""
    connect = sqlite3.connect

    def forgetful(*words: Any, **more: Any) -> sqlite3.Connection:
        database: sqlite3.Connection = connect(*words, **more)
        database.execute("PRAGMA secure_delete = OFF").fetchall()
        return database

    queue(scene.queue, [(f"e{n}", envelope(f"e{n}", payload="CANARY" * 9)) for n in range(40)])
    bodies(scene.queue, [body("CANARY" * 2_000)])
    monkeypatch.setattr(sqlite3, "connect", forgetful)

    assert scene.run("sync", "migrate").document["removed"] == 41

    assert b"CANARY" not in scene.queue.read_bytes()
