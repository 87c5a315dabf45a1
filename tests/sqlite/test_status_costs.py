"""What status looks at does not grow with what was captured, refused or failed."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from eventsync_core.authority import Claims, resolve
from eventsync_core.policy import Mode
from eventsync_core.status import Foreground, Setting, as_document, check, collect
from eventsync_core.testing import make_stub_target
from tests.sqlite.conftest import World

_FEW, _MANY = 400, 8_000
_WHOLE = {"streams", "targets", "legacy_sources", "purged_counts"}


def _setting(world: World) -> Setting:
    return Setting(
        mode=Mode.EXTERNAL_RECEIVER,
        authority=resolve(Claims(), home="/home"),
        foreground=Foreground(package_version="1", executable_path="", source_path="", pid=1),
        database_path=str(world.path),
        current=world.target,
    )


def _look(world: World) -> None:
    status = collect(world.stores, _setting(world), at=world.clock())
    assert as_document(status, check(status), exit_code=0)["targets"][0]["coherent"]


def _steps(world: World) -> int:
    """Return how many hundred steps of SQLite's machine one status takes."""
    connection, steps = world.stores._database.connection, 0

    def count() -> None:
        nonlocal steps
        steps += 1

    connection.set_progress_handler(count, 100)
    _look(world)
    connection.set_progress_handler(None, 1)
    return steps


def _captured(world: World, first: int, count: int) -> list[int]:
    world.capture(count, first=first)
    return list(range(first, first + count))


def _delivered(world: World, first: int, count: int) -> None:
    _captured(world, first, count)
    assert world.drain().is_clean


def _owed(world: World, first: int, count: int) -> None:
    _captured(world, first, count)


def _marked(world: World, first: int, count: int, outcome: str) -> None:
    """Let the entries stand as if each had been answered so; the ledger's own rows are enough."""
    positions = _captured(world, first, count)
    lane = "rejected" if outcome == "rejected" else "first"
    due = None if outcome == "terminal_failed" else world.clock()
    with closing(sqlite3.connect(world.path, isolation_level=None)) as database:
        database.execute("BEGIN")
        for position in positions:
            database.execute(
                "INSERT INTO ledger VALUES (1, 1, ?, ?, 1, 1, 1, 1, 1, ?, 0, 0)",
                (position, outcome, due),
            )
            if due is None:
                database.execute(
                    "INSERT INTO answers (stream_id, position, target_no, request_id,"
                    " answered_at, outcome, reason) VALUES (1, ?, 1, 1, 1, ?, 'no')",
                    (position, outcome),
                )
            else:
                database.execute(
                    "INSERT INTO due VALUES (1, 1, ?, ?, ?, NULL, 1)", (lane, due, position)
                )
        database.execute(
            "INSERT INTO tallies VALUES (1, 1, ?, ?) ON CONFLICT DO UPDATE"
            " SET entries = entries + excluded.entries",
            (outcome, count),
        )
        database.execute("UPDATE grants SET passed = ?", (positions[-1],))
        database.execute("COMMIT")


def _held(world: World, first: int, count: int) -> None:
    positions = _captured(world, first, count)
    world.stores.holds.hold("default", positions, reason="", actor="me", at=world.clock())


def _rejected(world: World, first: int, count: int) -> None:
    _marked(world, first, count, "rejected")


def _in_backoff(world: World, first: int, count: int) -> None:
    _marked(world, first, count, "transient")


def _failed(world: World, first: int, count: int) -> None:
    # A list holds at most a thousand of them.
    _marked(world, first, count + 1_000 if first == 1 else count, "terminal_failed")


def _not_granted(world: World, first: int, count: int) -> None:
    if first == 1:
        other = make_stub_target("late")
        world.stores.targets.register(other, at=world.clock())
        world.stores.grants.grant(
            other.target_id, "default", from_position=count, actor="", reason="", at=1
        )
    _captured(world, first, count)


@pytest.mark.parametrize("fill", [_delivered, _owed, _rejected, _in_backoff, _failed, _not_granted])
def test_status_costs_the_same_however_much_there_is(
    world: World, fill: Callable[[World, int, int], None]
) -> None:
    """Counted in steps, not in time: twenty times as many of one kind and of all."""
    fill(world, 1, _FEW)
    few = _steps(world)
    (head,) = world.stores.journal.heads()
    fill(world, head.position + 1, _MANY - head.position)

    many = _steps(world)

    assert many <= 1.5 * few + 5


def test_no_statement_of_status_scans(world: World) -> None:
    """Each that it really runs, as it stands, reaches its rows by a key."""
    world.capture(20)
    world.drain()
    _held(world, 21, 3)
    _failed(world, 24, 3)
    said: list[str] = []
    connection = world.stores._database.connection
    connection.set_trace_callback(said.append)
    _look(world)
    connection.set_trace_callback(None)

    found = {
        line
        for statement in set(said)
        if statement.lstrip().startswith("SELECT")
        for *_, line in connection.execute(f"EXPLAIN QUERY PLAN {statement}")
        if line.startswith("SCAN") and line != "SCAN CONSTANT ROW"
    }
    assert len(said) > 20
    assert {line for line in found if line.split()[1] not in _WHOLE} == set()
