"""Body uploads and their failure log come home."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from eventsync_adapters.sqlite import open_for_reading
from eventsync_core.bodies import BodyKey, BodyUpload, UploadFailure
from tests.legacy.conftest import Scene
from tests.legacy.old import bodies, body, failure, failures, queue, rows

A, B = "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"
_SECOND = 1_000_000
_NOW = 1_770_000_000 * _SECOND


_NAMES = (
    "project_uuid",
    "mission_slug",
    "target_branch",
    "mission_type",
    "manifest_version",
    "artifact_path",
    "content_hash",
)


def _stored(scene: Scene) -> tuple[BodyUpload | None, list[UploadFailure]]:
    stores = open_for_reading(scene.place / "eventsync" / "eventsync.db")
    assert stores is not None
    with stores:
        key = BodyKey(**{name: body()[name] for name in _NAMES})
        return stores.bodies.get(key), stores.bodies.failures()


@pytest.mark.requirement("G20")
@pytest.mark.parametrize("slug", ["mission_slug", "feature_slug"])
def test_both_spellings_of_the_columns(scene: Scene, slug: str) -> None:
    """A file of bodies alone is as good as any; all facts are kept."""
    facts: dict[str, Any] = {
        "retry_count": 3,
        "next_attempt_at": 1_770_000_008.5,
        "last_error": "HTTP 500: ü",
    }
    bodies(scene.scoped(A), [body(slug=slug, **facts)], slug=slug)

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"], ran.document["bodies"]["imported"]) == (0, 0, 1)
    found, _ = _stored(scene)
    assert found is not None
    assert (found.content, found.size_bytes) == ("# Spec\n", 7)
    assert (found.retry_count, found.last_error) == (3, "HTTP 500: ü")
    assert found.created_at == _NOW + _SECOND // 2
    assert found.next_attempt_at == _NOW + 8_500_000
    listed = scene.run("body", "list").document["bodies"]
    assert [each["stream"] for each in listed] == ["p1"]
    assert rows(scene.scoped(A), "SELECT id FROM body_upload_queue") == []


def test_a_body_in_two_files_is_one(scene: Scene) -> None:
    """The larger retry count stands."""
    bodies(scene.scoped(A), [body(retry_count=1)])
    bodies(scene.scoped(B), [body(slug="feature_slug", retry_count=6)], slug="feature_slug")

    ran = scene.migrate()

    assert (ran.document["bodies"]["imported"], ran.document["bodies"]["deduplicated"]) == (1, 1)
    found, _ = _stored(scene)
    assert found is not None
    assert found.retry_count == 6


def test_failures_are_counted_once(scene: Scene) -> None:
    """However often they are read; of what the old program adds, only what is new."""
    queue(scene.queue, ["e1"])
    failures(scene.queue, [failure(failure_count=2), failure("other")])

    for _ in range(3):
        assert scene.migrate("--keep-sources").code == 0
    _, logged = _stored(scene)
    assert [(each.reason, each.count) for each in logged] == [("too_large", 2), ("other", 1)]
    assert logged[0].first_failed_at == _NOW + _SECOND // 4

    with closing(sqlite3.connect(scene.queue)) as database, database:
        database.execute(
            "UPDATE body_upload_failure_log SET failure_count = 5 "
            "WHERE failure_reason = 'too_large'"
        )
    ran = scene.migrate()
    assert (ran.code, ran.document["removed"]) == (0, 3)
    assert ran.document["body_failures"]["imported"] == 1
    _, logged = _stored(scene)
    assert [each.count for each in logged] == [5, 1]
    assert rows(scene.queue, "SELECT id FROM body_upload_failure_log") == []


@pytest.mark.requirement("G9")
def test_a_body_that_cannot_be_read_stays(scene: Scene) -> None:
    """It is quarantined whole; the rest of the file comes home."""
    queue(scene.queue, ["e1"])
    bodies(scene.queue, [body(), body("x", content_body=b"\xff"), body("y", project_uuid=b"\xfe")])

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"], ran.document["bodies"]["quarantined"]) == (3, 1, 2)
    assert {each["code"] for each in ran.document["quarantined"]} == {"no_body"}
    assert len(rows(scene.queue, "SELECT id FROM body_upload_queue")) == 2
    number = scene.run("journal", "quarantine").document["set_aside"][0]["number"]
    assert "ff" in scene.run("journal", "quarantine", str(number)).document["text"]
