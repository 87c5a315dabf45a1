"""An idle drain costs nothing: no write, no byte changed."""

import sqlite3
from contextlib import closing

from eventsync_core.receivers import Script
from tests.sqlite.conftest import World


def test_an_idle_drain_writes_nothing(world: World) -> None:
    """Not a row, not a byte, not even a change counter that others would see."""
    world.capture(50)
    world.drain()
    connection = world.stores._database.connection
    with closing(sqlite3.connect(world.path)) as other:

        def seen() -> tuple[int, bytes, int]:
            (version,) = other.execute("PRAGMA data_version").fetchone()
            return connection.total_changes, world.path.read_bytes(), version

        before = seen()
        for _ in range(3):
            report = world.drain()
            assert (report.requests, report.stopped_because) == (0, "caught_up")
            world.clock.advance(3_600)
        assert seen() == before


def test_a_drain_with_nothing_due_writes_nothing(world: World) -> None:
    """What was rejected just now is not due; looking at it changes nothing."""
    world.receiver.script = Script(events={"e3": {"status": "rejected", "error": "no"}})
    world.capture(5)
    world.drain()
    before = world.path.read_bytes()

    report = world.drain()

    assert (report.requests, report.remaining_owed) == (0, 1)
    assert world.path.read_bytes() == before
