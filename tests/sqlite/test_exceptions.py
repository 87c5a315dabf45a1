"""What is held, superseded, purged or below a grant is counted without looking at each."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import attrs
import pytest

from eventsync_adapters.schema import VERSIONS, script
from eventsync_adapters.sqlite import open_stores
from eventsync_core.payloads import Act as PayloadAct
from eventsync_core.payloads import Deed
from tests.sqlite.conftest import World

RUNS = (0, 1, 63, 64, 65, 127, 128, 129, 192, 200)


@pytest.mark.parametrize("run", RUNS)
def test_the_oldest_that_is_owed_stands_behind_a_run_of_held_ones(world: World, run: int) -> None:
    """However long the run is."""
    world.capture(200)
    held = [*range(1, run + 1), run + 3]
    world.stores.holds.hold("default", held, reason="", actor="", at=1)

    found = world.stores.measures.oldest_owed_at(world.target.target_id, "default")

    entries = world.stores.journal.entries("default", after=run, limit=1)
    assert found == (entries[0].captured_at if entries else None)


def test_runs_of_several_kinds_are_passed_over(world: World) -> None:
    """One behind the other, and what stands between them is found."""
    world.capture(400)
    deed = Deed(act=PayloadAct.ARCHIVE, actor="me", at=1)
    world.stores.holds.hold("default", range(1, 101), reason="", actor="", at=1)
    world.stores.payloads.purge("default", range(101, 231), deed)
    world.stores.holds.hold("default", range(231, 400), reason="", actor="", at=1)

    found = world.stores.measures.oldest_owed_at(world.target.target_id, "default")

    (last,) = world.stores.journal.entries("default", after=399, limit=1)
    assert found == last.captured_at


def _steps(world: World) -> int:
    """Return how many steps of SQLite's machine it takes to count."""
    connection = world.stores._database.connection
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    connection.set_progress_handler(count, 1)
    tally = world.stores.backlog.tally(world.target.target_id, "default", at=1)
    connection.set_progress_handler(None, 1)
    assert tally.is_coherent
    return steps


def _hold(world: World, first: int, count: int) -> None:
    world.capture(count, first=first)
    world.stores.holds.hold("default", range(first, first + count), reason="", actor="", at=1)


def _renew(world: World, first: int, count: int) -> None:
    world.capture(count, first=first)
    world.grant()
    assert world.drain().is_clean
    grants, target_id, at = world.stores.grants, world.target.target_id, world.clock()
    grants.revoke(target_id, "default", actor="", reason="", at=at)
    grants.grant(target_id, "default", from_position=first + count - 2, actor="", reason="", at=at)


@pytest.mark.parametrize("change", [_hold, _renew])
def test_counting_takes_the_same_with_many(
    world: World, change: Callable[[World, int, int], None]
) -> None:
    """Counted in steps, not in time."""
    change(world, 1, 100)
    few = _steps(world)
    change(world, 101, 1_500)

    assert _steps(world) <= 1.5 * few
    assert world.stores.inspection.miscounts() == []


def _mixed(world: World) -> None:
    """Held with and without a row, superseded, purged, restored, and below a renewed grant."""
    stores, deed = world.stores, Deed(act=PayloadAct.ARCHIVE, actor="me", at=1)
    world.capture(20)
    assert world.drain().is_clean
    world.capture(20, first=21)
    stores.holds.hold("default", [1, 2, *range(21, 33)], reason="", actor="", at=1)
    for position in (22, 23, 24):
        stores.superseding.supersede("default", {position: "key"}, at=1)
    texts = [entry.event for entry in stores.journal.entries("default")]
    stores.payloads.purge("default", [2, 3, 23, 25, 26], deed)
    stores.payloads.restore(texts[24:25], attrs.evolve(deed, act=PayloadAct.IMPORT))
    stores.holds.release("default", [1, 21, 24], actor="", at=1)
    _renew(world, 41, 2)


def test_counters_hold_whatever_happens(world: World) -> None:
    """In every combination; what was mended is as what was kept."""
    _mixed(world)
    tally = world.stores.backlog.tally(world.target.target_id, "default", at=1)
    assert tally.is_coherent
    assert world.stores.inspection.miscounts() == []

    world.stores._database.run("DELETE FROM held_counts")
    world.stores._database.run("DELETE FROM below_tallies")
    assert {found.what for found in world.stores.inspection.miscounts()} == {
        "held",
        "below_tallies",
    }
    world.stores.inspection.mend(at=1)

    assert world.stores.inspection.miscounts() == []
    mended = world.stores.backlog.tally(world.target.target_id, "default", at=1)
    assert mended.classes() == tally.classes()


def test_an_older_store_is_counted_once(world: World, tmp_path: Path) -> None:
    """When it is brought to this version."""
    _mixed(world)
    target_id = world.target.target_id
    classes = world.stores.backlog.tally(target_id, "default", at=1).classes()
    old = tmp_path / "old.db"
    with closing(sqlite3.connect(old, isolation_level=None)) as database:
        versions = VERSIONS[: VERSIONS.index("0016_exceptions")]
        for version in versions:
            database.executescript(script(version, "sqlite"))
        database.execute("CREATE TABLE schema_migrations (version TEXT PRIMARY KEY, applied_at)")
        names = "SELECT name, sql FROM sqlite_master WHERE type = ?"
        triggers = database.execute(names, ("trigger",)).fetchall()
        for name, _ in triggers:
            database.execute(f"DROP TRIGGER {name}")
        database.execute("ATTACH ? AS new", (str(world.path),))
        for table, _ in database.execute(names, ("table",)).fetchall():
            columns = database.execute(f"SELECT name FROM pragma_table_info('{table}')").fetchall()  # noqa: S608
            listed = ", ".join(name for (name,) in columns)
            database.execute(f"DELETE FROM main.{table}")  # noqa: S608
            database.execute(f"INSERT INTO main.{table} SELECT {listed} FROM new.{table}")  # noqa: S608
        marks = ",".join("?" * len(versions))
        keep = f"DELETE FROM schema_migrations WHERE version NOT IN ({marks})"  # noqa: S608
        database.execute(keep, versions)
        for _, sql in triggers:
            database.execute(sql)

    with open_stores(old) as stores:
        assert stores.inspection.miscounts() == []
        assert stores.backlog.tally(target_id, "default", at=1).classes() == classes


def test_what_an_older_program_holds_is_counted(world: World) -> None:
    """One that has the database open since before it was brought to this version."""
    _mixed(world)
    world.capture(2, first=1_000)
    heads = world.stores.journal.heads()
    (head,) = (each.position for each in heads if each.stream == "default")
    with closing(sqlite3.connect(world.path)) as older:
        older.executemany(
            "INSERT INTO holds (stream_id, position, hold, reason, held_at, actor)"
            " SELECT stream_id, ?, 'operator', '', 1, '' FROM streams WHERE stream = 'default'"
            " ON CONFLICT (stream_id, position) DO NOTHING",
            [(position,) for position in range(1, head + 1)],
        )
        older.commit()

    assert world.stores.inspection.miscounts() == []
    tally = world.stores.backlog.tally(world.target.target_id, "default", at=1)
    assert tally.is_coherent


def test_what_an_older_program_notes_as_pending_is_not_owed(world: World) -> None:
    """It is due all the same."""
    world.capture(1)
    with closing(sqlite3.connect(world.path)) as older:
        older.execute(
            "INSERT INTO ledger (target_no, stream_id, position, outcome, request_id, attempts,"
            " rejections, round, seen, due_at, wait) SELECT target_no, stream_id, 1, 'pending', 0,"
            " 1, 0, 1, 1, 5, 1 FROM grants"
        )
        older.execute(
            "INSERT INTO due (target_no, stream_id, lane, due_at, position)"
            " SELECT target_no, stream_id, 'first', 5, 1 FROM grants"
        )
        older.commit()

    found = world.stores.measures.oldest_owed_at(world.target.target_id, "default")

    assert found is None
