"""What a query costs does not grow with what was delivered long ago."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from types import ModuleType

import pytest

from eventsync_adapters.sqlite import (
    _audit,
    _backlog,
    _bodies,
    _body_failures,
    _counters,
    _desk,
    _erasing,
    _grants,
    _holds,
    _inspection,
    _journal,
    _leases,
    _ledger,
    _legacy,
    _links,
    _measures,
    _names,
    _past,
    _payloads,
    _rows,
    _stalls,
    _superseding,
    _tally,
    _targets,
)
from eventsync_core.ledger import Lane
from tests.sqlite.conftest import World
from tests.templates import put_new_database

ROOMS = (
    _backlog,
    _rows,
    _journal,
    _leases,
    _tally,
    _ledger,
    _grants,
    _targets,
    _desk,
    _holds,
    _superseding,
    _audit,
    _bodies,
    _body_failures,
    _legacy,
    _measures,
    _names,
    _stalls,
    _counters,
    _inspection,
    _links,
    _past,
    _payloads,
    _erasing,
)
_STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE)\b")
_WHOLE_TABLES = {
    "HEADS": "streams",
    "NEW_STREAM": "streams",
    "STREAMS": "streams",
    "ALL": "targets",
    "ALL_TARGETS": "targets",
    "EVERY_TARGET": "targets",
    "COUNTS": "purged_counts",
    # Erasing a project is rare, and looks at all that may be of it.
    "PROVENANCE_NAMED": "p",
    "DROP_PROVENANCE_NAMED": "provenance",
    "FAILURES_OF": "body_failures",
    "DROP_FAILURES": "body_failures",
    "NEW": "targets",
    "NOTE": "legacy_sources",
    "SOURCES": "legacy_sources",
    "RETAINED": "streams",
    "PURGED_COUNTS": "purged_counts",
    "PURGED_TALLIES": "purged_tallies",
    "LEFT_WAITING": "g",
    "TALLIES": "tallies",
    "SUPERSESSIONS": "supersessions",
    "HELD_COUNTS": "held_counts",
    "BELOW_TALLIES": "below_tallies",
    "PUT_HELD_ROWS": "t",
}
_FRAGMENTS = {
    "ASIDE_COLUMNS",
    "OWE_DUE",
    "OWE_LEDGER",
    "ENTRY",
    "COLUMNS",
    "REQUEST_COLUMNS",
    "LISTED",
    "FAILURE",
}


def statements(room: ModuleType) -> dict[str, str]:
    """Return the whole SQL statements among the constants of *room*, by name."""
    found = {
        name.strip("_"): value
        for name, value in vars(room).items()
        if isinstance(value, str) and name.isupper() and _STATEMENT.match(value)
    }
    if room is _grants:
        found["OWE_DUE_OWED"] = found["OWE_DUE"] + vars(room)["_OWED"]
        found["OWE_LEDGER_OWED"] = found["OWE_LEDGER"] + vars(room)["_OWED"]
    return {name: sql for name, sql in found.items() if name not in _FRAGMENTS}


STATEMENTS = [
    pytest.param(name, sql.format("?,?,?"), id=f"{room.__name__.rpartition('.')[2]}.{name}")
    for room in ROOMS
    for name, sql in statements(room).items()
]


def values_for(sql: str) -> list[int]:
    """Return as many values as *sql* has parameters."""
    numbered = [int(number) for number in re.findall(r"\?(\d+)", sql)]
    return [1] * (max(numbered) if numbered else sql.count("?"))


def test_every_room_has_statements() -> None:
    """The names that matter most are among those looked at."""
    names = {str(param.id) for param in STATEMENTS}

    assert {"_backlog.TAIL", "_backlog.DUE", "_backlog.WAITING", "_journal.KNOWN"} <= names
    assert {"_rows.RANGE", "_leases.ONE", "_tally.BELOW", "_ledger.REQUESTS"} <= names
    assert {"_superseding.OPEN", "_superseding.FLYING", "_tally.GONE_ROWS"} <= names
    assert {"_audit.LAST", "_audit.NEW", "_audit.PAGE"} <= names
    assert {"_legacy.TAKEN", "_legacy.OPEN_OF", "_legacy.WITH_TEXT", "_bodies.OWE"} <= names


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """Return a connection to a new database."""
    path = tmp_path_factory.mktemp("plans") / "eventsync.db"
    put_new_database(path)
    with closing(sqlite3.connect(path)) as connection:
        yield connection


@pytest.mark.parametrize(("name", "sql"), STATEMENTS)
def test_no_statement_scans(database: sqlite3.Connection, name: str, sql: str) -> None:
    """Every table is reached by a key, and nothing is sorted that an index could order."""
    plan = database.execute(f"EXPLAIN QUERY PLAN {sql}", values_for(sql)).fetchall()
    details = [str(detail) for *_, detail in plan]

    scans = [line for line in details if line.startswith("SCAN") and line != "SCAN CONSTANT ROW"]
    allowed = f"SCAN {_WHOLE_TABLES.get(name, '-')}"
    assert [line for line in scans if not line.startswith(allowed)] == []
    if name in (
        "TAIL",
        "DUE",
        "WAITING",
        "PAGE",
        "REQUESTS",
        "HISTORY",
        "OPEN",
        "SUPERSEDES",
        "ACTS",
        "NEXT_DUE",
        "PAGE_OF_STREAM",
        "FIRST_DUE",
        "FIRST_ABOVE",
        "TERMINAL",
        "ASIDE_PAGE",
        "OPEN_PAGE",
        "TAKEN",
        "TAKEN_UPTO",
        "CAME_FROM",
    ):
        assert [line for line in details if "TEMP B-TREE" in line] == []


def steps_of_selecting(world: World) -> int:
    """Return how many steps of SQLite's machine the next hundred take, all sources looked at."""
    connection = world.stores._database.connection
    backlog, target_id = world.stores.backlog, world.target.target_id
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    connection.set_progress_handler(count, 1)
    found, _ = backlog.tail(target_id, "default", max_events=100, max_bytes=10**9)
    for lane in Lane:
        found += backlog.due(
            target_id,
            "default",
            lane,
            now=2**60,
            after=(-1, 0),
            max_events=100,
            max_bytes=10**9,
        )
    backlog.waiting(target_id, "default", {"issue:1", "issue:2"}, most=100)
    connection.set_progress_handler(None, 1)
    assert len(found) == 100
    return steps


def deliver_so_many(world: World, total: int, *, have: int) -> None:
    """Capture and deliver until *total* entries are delivered."""
    for first in range(have + 1, total + 1, 10_000):
        world.capture(10_000, first=first)
        assert world.drain().is_clean


def test_selection_costs_the_same_in_a_long_journal(world: World) -> None:
    """Counted in steps, not in time: the next hundred of a long journal and a short one."""
    deliver_so_many(world, 5_000, have=0)
    world.capture(100, first=1_000_001)
    few = steps_of_selecting(world)
    assert world.drain().is_clean
    deliver_so_many(world, 25_000, have=5_000)
    world.capture(100, first=2_000_001)

    many = steps_of_selecting(world)

    assert few <= many <= 1.5 * few
