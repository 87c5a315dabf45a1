"""A migration dies by SIGKILL: each row is in the old file or in the store, or both."""

import sys
from pathlib import Path

import pytest

from eventsync_adapters.sqlite import open_for_reading
from eventsync_core.integrity import verify
from tests.legacy.conftest import Scene
from tests.legacy.dying import nothing_is_lost
from tests.legacy.old import bodies, body, envelope, failure, failures, queue, rows

A = "aaaaaaaaaaaaaaaa"
_OTHER = envelope("e1", payload={"n": 2})
_WORDS = ("sync", "migrate", "--resolve", "keep-journal", "--take-quarantined")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")


def _prepare(place: Path) -> None:
    queue(place / "queue.db", ["e1", "e2", ("bad", "nonsense")])
    bodies(place / "queue.db", [body(), body("two")])
    failures(place / "queue.db", [failure(failure_count=3)])
    queue(place / "queues" / f"queue-{A}.db", [("e1", _OTHER), "e2", "e3"])
    (place / "overflow-1.jsonl").write_text(f"{envelope('e4')}\n{envelope('e2')}\n")


def _texts(place: Path) -> set[str]:
    """Return every text of an event that the store or an old file holds."""
    found = {line for line in (place / "overflow-1.jsonl").read_text().splitlines() if line.strip()}
    for path in (place / "queue.db", place / "queues" / f"queue-{A}.db"):
        found |= set(rows(path, "SELECT data FROM queue"))
    stores = open_for_reading(place / "eventsync" / "eventsync.db")
    if stores is None:
        return found
    with stores:
        for head in stores.journal.heads():
            found |= {entry.event.text for entry in stores.journal.entries(head.stream)}
            assert verify(stores.journal, head.stream).is_intact
        for row in stores.legacy.aside():
            found.add((stores.legacy.bytes_of(row.number) or b"").decode())
    return found


def _everything(place: Path) -> tuple[object, ...]:
    """Return all that a whole migration leaves behind, apart from times."""
    stores = open_for_reading(place / "eventsync" / "eventsync.db")
    assert stores is not None
    with stores:
        entries = [
            (entry.stream, entry.position, entry.event.text, entry.event.hold)
            for head in stores.journal.heads()
            for entry in stores.journal.entries(head.stream)
        ]
        came = {
            each: sorted((row.path.removeprefix(str(place)), row.key) for row in found)
            for each in ("e1", "e2", "e3", "e4")
            for found in [stores.legacy.provenance(each)]
        }
        aside = [(row.key, row.why, row.resolution) for row in stores.legacy.aside()]
        logged = [(each.reason, each.count) for each in stores.bodies.failures()]
        counts = stores.bodies.counts()
    files = [
        rows(place / "queue.db", f"SELECT COUNT(*) FROM {name}")  # noqa: S608 - names of ours
        for name in ("queue", "body_upload_queue", "body_upload_failure_log")
    ]
    return entries, came, aside, logged, counts, files, (place / "overflow-1.jsonl").read_text()


@pytest.mark.requirement("G12")
@pytest.mark.requirement("G18")
def test_killed_now_and_then(scene: Scene, tmp_path: Path) -> None:
    """Nothing is lost at a moment, and the next run ends as one that was never killed."""
    _check(scene, tmp_path, every=83)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_killed_at_every_step(scene: Scene, tmp_path: Path) -> None:
    """As above, at each moment there is."""
    _check(scene, tmp_path, every=1)


def _check(scene: Scene, tmp_path: Path, *, every: int) -> None:
    _prepare(scene.place)
    assert _texts(scene.place) == {envelope(f"e{n}") for n in (1, 2, 3, 4)} | {_OTHER, "nonsense"}
    nothing_is_lost(
        scene, tmp_path / "moments", *_WORDS, every=every, texts=_texts, whole=_everything
    )
