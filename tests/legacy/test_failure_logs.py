"""Failure logs in several files, copied, counted on and made anew."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from eventsync_adapters.sqlite import open_for_reading
from tests.legacy.conftest import Scene
from tests.legacy.old import failure, failures, rows

A = "aaaaaaaaaaaaaaaa"
_FIRST = 1_770_000_000.25


def _counted(scene: Scene) -> dict[str, int]:
    stores = open_for_reading(scene.place / "eventsync" / "eventsync.db")
    assert stores is not None
    with stores:
        return {each.reason: each.count for each in stores.bodies.failures()}


def _emptied(path: Path) -> bool:
    return rows(path, "SELECT id FROM body_upload_failure_log") == []


def test_a_log_that_was_made_anew_adds(scene: Scene) -> None:
    """Under the number of a row that was taken before, with a lower count."""
    failures(scene.queue, [failure(id=1, failure_count=5)])
    scene.migrate()
    failures(scene.queue, [failure(id=1, failure_count=2, first_failed_at=_FIRST + 60)])

    ran = scene.migrate()

    assert (ran.code, ran.document["body_failures"]["imported"]) == (0, 1)
    assert _counted(scene) == {"too_large": 7}
    assert _emptied(scene.queue)


@pytest.mark.parametrize("words", [(), ("--keep-sources",)])
def test_a_copied_file_counts_once(scene: Scene, words: tuple[str, ...]) -> None:
    """It is another place that the same row came from; one that counted on adds the rest."""
    failures(scene.queue, [failure(failure_count=3), failure("b"), failure("c", failure_count=9)])
    scene.scoped(A).parent.mkdir()
    shutil.copyfile(scene.queue, scene.scoped(A))
    with closing(sqlite3.connect(scene.scoped(A))) as database, database:
        database.execute(
            "UPDATE body_upload_failure_log SET failure_count = 4 WHERE failure_reason = 'b'"
        )
        database.execute(
            "UPDATE body_upload_failure_log SET failure_count = 1 WHERE failure_reason = 'c'"
        )

    ran = scene.migrate(*words)

    found = ran.document["body_failures"]
    assert (ran.code, found["imported"], found["deduplicated"]) == (0, 4, 2)
    assert _counted(scene) == {"too_large": 3, "b": 4, "c": 9}
    scene.migrate()
    assert _counted(scene) == {"too_large": 3, "b": 4, "c": 9}
    assert _emptied(scene.queue)
    assert _emptied(scene.scoped(A))


def test_different_logs_add_up(scene: Scene) -> None:
    """Of the same body and reason, first refused at other times."""
    failures(scene.queue, [failure(failure_count=3)])
    scene.scoped(A).parent.mkdir()
    failures(scene.scoped(A), [failure(failure_count=4, first_failed_at=_FIRST - 9)])

    assert scene.migrate().document["body_failures"]["imported"] == 2
    assert _counted(scene) == {"too_large": 7}
