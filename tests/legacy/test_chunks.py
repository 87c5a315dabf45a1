"""Very large sources are taken in chunks that are each whole; memory does not grow with them."""

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from eventsync import migrate_legacy
from eventsync_adapters.sqlite import open_for_reading
from eventsync_core.integrity import verify
from eventsync_core.legacy import Became, Brought, RowKey, Source
from eventsync_core.migration import _migrate as migrating
from tests.legacy.conftest import Scene
from tests.legacy.moments import each_moment, watch
from tests.legacy.old import envelope, queue, rows

B = "bbbbbbbbbbbbbbbb"
ROWS, CHUNK, EVERY = 60, 7, 83
_WORDS = ("sync", "migrate")
_IDS = [f"e{number:03d}" for number in range(ROWS)]


def _prepare(place: Path) -> None:
    """Two queues; every third event of the second is in the first too."""
    queue(place / "queue.db", _IDS)
    queue(place / "queues" / f"queue-{B}.db", [*_IDS[::3], *(f"f{n:03d}" for n in range(ROWS))])


def _stored(place: Path) -> list[tuple[str, int, str, list[tuple[str, RowKey, int | None]]]]:
    """Return each event in its order, with all places that it came from."""
    stores = open_for_reading(place / "eventsync" / "eventsync.db")
    if stores is None:
        return []
    with stores:
        for head in stores.journal.heads():
            assert verify(stores.journal, head.stream).is_intact
        return [
            (
                entry.event.event_id,
                entry.position,
                entry.event.text,
                [
                    (Path(row.path).name, row.key, row.retry_count)
                    for row in stores.legacy.provenance(entry.event.event_id)
                ],
            )
            for head in stores.journal.heads()
            for entry in stores.journal.entries(head.stream)
        ]


def _left(place: Path) -> set[str]:
    return set(rows(place / "queue.db")) | set(rows(place / "queues" / f"queue-{B}.db"))


@pytest.mark.requirement("G12")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_killed_between_chunks(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is stored is whole chunks with where they came from, and the next run ends exact."""
    monkeypatch.setattr(migrating, "_ROWS_AT_ONCE", CHUNK)
    monkeypatch.setattr(migrating, "_ROWS_IN_ONE_UNIT", CHUNK)
    _prepare(scene.place)
    watch(scene.place, tmp_path / "moments", *_WORDS, every=EVERY, at_once=CHUNK)
    expected = _stored(scene.place)
    assert len(expected) == 2 * ROWS
    assert _left(scene.place) == set()

    seen = set()
    for moment in each_moment(tmp_path / "moments", scene.place):
        stored = _stored(scene.place)
        seen.add(len(stored))
        assert all(came for *_, came in stored), moment
        assert len(stored) >= ROWS or len(stored) % CHUNK == 0, moment
        left = _left(scene.place)
        assert {each[0] for each in stored} | left == {each[0] for each in expected}, moment
        assert scene.run(*_WORDS).code == 0
        assert (_stored(scene.place), _left(scene.place)) == (expected, set()), moment
    assert sum(0 < number < ROWS for number in seen) > 1


def test_rows_are_told_when_they_are_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each chunk of a large source, and of a small one when all of it is stored."""
    monkeypatch.setattr(migrating, "_ROWS_AT_ONCE", 5)
    monkeypatch.setattr(migrating, "_ROWS_IN_ONE_UNIT", 10)
    queue(tmp_path / "queue.db", _IDS[:10])
    queue(tmp_path / "queues" / f"queue-{B}.db", [f"f{n:03d}" for n in range(12)])
    told: list[str] = []

    def on_row(_: Source, __: RowKey, name: str, became: Became | Brought) -> None:
        with closing(sqlite3.connect(tmp_path / "eventsync" / "eventsync.db")) as database:
            found = database.execute("SELECT 1 FROM entries WHERE event_id = ?", [name]).fetchall()
        assert (found, became) == ([(1,)], Became.IMPORTED)
        told.append(name)

    migrate_legacy(tmp_path, on_row=on_row)

    assert told == [*_IDS[:10], *(f"f{n:03d}" for n in range(12))]


_PEAK = """
import re, sys
from pathlib import Path
from eventsync import migrate_legacy

home = Path(sys.argv[1])
status = Path("/proc/self/status")

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read_text())[1])

migrate_legacy(home)
(home / "waiting").rename(home / "queue.db")
before = peak()
assert migrate_legacy(home).removed
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process its own peak")
@pytest.mark.long
def test_memory_does_not_grow_with_the_source(tmp_path: Path) -> None:
    """Four times the rows of 5 KB need no more memory, give or take what SQLite keeps."""
    grown = []
    for count in (4_000, 10_000):
        place = tmp_path / str(count)
        wide = {"n": "x" * 5_000}
        data = [(f"e{n:06d}", envelope(f"e{n:06d}", payload=wide)) for n in range(count)]
        queue(place / "waiting", data)
        queue(place / "queues" / f"queue-{B}.db", ["first"])
        done = subprocess.run(
            [sys.executable, "-c", _PEAK, str(place)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        grown.append(json.loads(done.stdout))
        shutil.rmtree(place)

    assert grown[1] < 1.3 * grown[0] + 8_192
