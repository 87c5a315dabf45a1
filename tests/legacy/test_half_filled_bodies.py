"""Rows of bodies and failures of which only some columns say something."""

import json
import sqlite3
from contextlib import closing

from eventsync_adapters.sqlite import open_for_reading
from tests.legacy.conftest import Scene
from tests.legacy.old import bodies, body, failure, failures, insert


def test_a_row_that_was_made_before_its_columns_were_renamed(scene: Scene) -> None:
    """The old column has the value, where the new one was added and has none."""
    bodies(scene.queue, [body(slug="feature_slug")], slug="feature_slug")
    with closing(sqlite3.connect(scene.queue)) as database, database:
        for name in ("mission_slug", "mission_type"):
            database.execute(f"ALTER TABLE body_upload_queue ADD COLUMN {name} TEXT")
        both = body("# Plan\n", slug="feature_slug", mission_slug="002-y", mission_type="other")
        insert(database, "body_upload_queue", both)

    ran = scene.migrate()

    assert (ran.code, ran.document["bodies"]["imported"]) == (0, 2)
    listed = scene.run("body", "list").document["bodies"]
    found = {(each["mission_slug"], each["mission_type"]) for each in listed}
    assert found == {("001-x", "software-dev"), ("002-y", "other")}


def test_a_failure_that_was_counted_never(scene: Scene) -> None:
    """It is on record, so it happened once; what the row said is on record too."""
    failures(scene.queue, [failure(failure_count=0)])

    assert scene.migrate().document["body_failures"]["imported"] == 1

    stores = open_for_reading(scene.place / "eventsync" / "eventsync.db")
    assert stores is not None
    with stores:
        (kept,) = stores.bodies.failures()
        ((noted),) = stores.legacy.taken(
            str(scene.queue), "body_upload_failure_log", after=0, upto=9, limit=9
        )
    assert kept.count == 1
    assert json.loads(noted.beside) == {"failure_count": 0}
