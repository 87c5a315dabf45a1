"""Payloads in the file: what guards them, what a full disk or a kill leaves behind."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest

from eventsync_adapters.sqlite import give_back, measure, open_stores
from eventsync_core.errors import StoreFullError
from eventsync_core.integrity import verify
from eventsync_core.payloads import Act, Deed
from eventsync_core.retention import Choice, collect
from tests.sqlite.conftest import World
from tests.sqlite.test_full import limit_pages
from tests.sqlite.test_reading import die, digests, needs_kill

GC = Deed(act=Act.GC, actor="me", at=1)
CHILD = """
import sys
from pathlib import Path
from eventsync_adapters.sqlite import open_stores
from eventsync_core.payloads import Act, Deed
from eventsync_core.retention import Choice, collect
with open_stores(Path(sys.argv[1])) as stores:
    deed = Deed(act=Act.GC, actor="me", at=1)
    collect(stores, Choice(), None, deed, lambda: 1, progress=lambda done: print(done, flush=True))
"""


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM payloads",
        "DELETE FROM payloads WHERE entry_id = 2",
        "DELETE FROM purged",
        "UPDATE purged SET purge_no = 9",
        "DELETE FROM purges",
        "UPDATE purges SET actor = 'x'",
        "UPDATE purges SET events = 0",
    ],
)
def test_a_plain_connection_leaves_no_gap(world: World, statement: str) -> None:
    """Without a record nothing goes, and no record goes."""
    world.capture(3)
    world.stores.payloads.purge("default", [1], GC)
    refused = pytest.raises(sqlite3.IntegrityError, match=r"never|forgotten")
    with closing(sqlite3.connect(world.path)) as stranger, refused:
        stranger.execute(statement)

    assert verify(world.stores.journal, "default").good == 3


def test_a_payload_that_was_lost_is_no_purged_one(world: World) -> None:
    """Verify finds it, and its text can be put back."""
    world.capture(3)
    text = world.stores.journal.entries("default")[1].event
    with closing(sqlite3.connect(world.path)) as stranger, stranger:
        stranger.execute("DROP TRIGGER payloads_go_on_record")
        stranger.execute("DELETE FROM payloads WHERE entry_id = 2")

    report = verify(world.stores.journal, "default")
    assert (report.good, report.first_bad) == (2, 2)
    assert world.stores.payloads.restore([text], GC) == ["e2"]
    assert verify(world.stores.journal, "default").is_intact
    assert world.stores.payloads.counts().events == 0


def total(world: World) -> tuple[int, int]:
    """Return how many payloads and how many tombstones there are."""
    (payloads,) = world.stores._database.row("SELECT COUNT(*) FROM payloads") or (0,)
    (purged,) = world.stores._database.row("SELECT COUNT(*) FROM purged") or (0,)
    return payloads, purged


@pytest.mark.parametrize("size", [10, 200, 8_000])
def test_a_full_disk_is_made_room_on(world: World, size: int) -> None:
    """The file may not grow by a page, and all goes that may."""
    world.grant()
    world.capture(600, text="x" * size)
    assert world.drain().is_clean
    limit_pages(world, 0)

    done = collect(world.stores, Choice(), None, GC, lambda: 1)

    assert (done.purged, total(world)) == (600, (0, 600))
    assert verify(world.stores.journal, "default").is_intact


@pytest.mark.parametrize("more", range(6))
def test_a_disk_that_fills_up_meanwhile(world: World, more: int) -> None:
    """Whatever page is the last: each payload is there, or its tombstone is."""
    world.grant()
    world.capture(40)
    assert world.drain().is_clean
    (pages,) = world.stores._database.row("PRAGMA page_count") or (0,)
    world.stores._database.row(f"PRAGMA max_page_count = {pages + more}")

    for position in range(1, 41):
        with suppress(StoreFullError):
            world.stores.payloads.purge("default", [position], GC)

    payloads, purged = total(world)
    assert payloads + purged == 40
    assert verify(world.stores.journal, "default").is_intact
    tally = world.stores.backlog.tally(world.target.target_id, "default", at=1)
    assert tally.is_coherent


def test_room_comes_back_in_small_steps(world: World) -> None:
    """The file gives back what was used, and nothing else in it changes."""
    world.grant()
    world.capture(300, text="x" * 8_000)
    assert world.drain().is_clean
    before = world.path.stat().st_size
    collect(world.stores, Choice(), None, GC, lambda: 1)

    space = give_back(world.path)

    assert (space.before, space.after) == (before, world.path.stat().st_size)
    assert (space.unused, space.after < before / 3) == (0, True)
    assert verify(world.stores.journal, "default").is_intact


@needs_kill
def test_the_size_is_told_after_a_crash(world: World) -> None:
    """Half a transaction stands in the file; looking at it changes nothing."""
    world.capture(50)
    world.stores.close()
    die(world.path)
    before = digests(world.path)

    space = measure(world.path)

    assert (space.before, space.unused) == (world.path.stat().st_size, 0)
    assert digests(world.path) == before
    assert give_back(world.path).after > 0
    with open_stores(world.path) as stores:
        assert verify(stores.journal, "default").good == 50


@needs_kill
def test_killed_at_any_unit_it_goes_on(tmp_path: Path) -> None:
    """What went is on record, all else is there, and the next one does the rest."""
    path = tmp_path / "eventsync.db"
    with open_stores(path) as stores:
        world = World(path, stores)
        world.grant()
        world.capture(3_000)
        assert world.drain().is_clean
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as child:
        assert child.stdout is not None
        reached = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)

    with open_stores(path) as stores:
        world = World(path, stores)
        payloads, purged = total(world)
        assert payloads + purged == 3_000
        assert purged >= reached
        assert verify(stores.journal, "default").is_intact
        done = collect(stores, Choice(), None, GC, lambda: 1)
        assert (done.purged, total(world)) == (payloads, (0, 3_000))
        (act,) = stores.payloads.purges()
        assert act.events == 3_000
