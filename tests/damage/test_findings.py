"""No finding of `sync doctor` is without a test that does what its fix says."""

import ast
import inspect
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from eventsync_adapters import machine
from eventsync_adapters.sqlite import _inspection, _links, _mending, open_stores
from eventsync_core.capture import capture_many
from eventsync_core.clock import MINUTE
from eventsync_core.diagnosis import _rules
from eventsync_core.inspection import Link
from eventsync_core.ledger import Holder, Lease, Opening
from tests.cli.conftest import Run
from tests.damage.damaging import unguarded
from tests.damage.test_doctor import STATES, found, mend
from tests.damage.test_doctor import database as database
from tests.damage.test_doctor import sound as sound

HOUR = 60 * MINUTE
Change = Callable[[Path, pytest.MonkeyPatch], None]


def _gone(path: Path, _: pytest.MonkeyPatch) -> None:
    """Let a process end between its request and the answer."""
    at, holder = machine.now() - HOUR, Holder(pid=4, started_at=1, boot="x")
    with open_stores(path) as stores:
        capture_many(stores, [{"event_id": "late"}], at=at)
        (target,) = stores.targets.targets()
        lease = stores.leases.acquire(target.target_id, "default", holder, at=at)
        assert isinstance(lease, Lease)
        opening = Opening(positions=(21,), body_bytes=1, digest=b"d" * 32)
        stores.ledger.open_request(lease, opening, at=at)


def left(path: Path) -> None:
    """Let a process end after its last answer."""
    unguarded(path, ("UPDATE leases SET expires_at = 1", ()))


def _wal(path: Path, _: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


def _remote(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _wal(path, monkeypatch)
    monkeypatch.setattr(machine, "disk_kind", lambda _: "nfs4")


def _slow(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_mending, "_STEPS", 1)
    monkeypatch.setattr("eventsync_cli.examining._MOST_SECONDS", -1.0)


def _old_queue(path: Path, _: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(path.parents[1] / "queue.db")) as connection, connection:
        connection.execute(
            "CREATE TABLE queue (id INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL"
            " UNIQUE, event_type TEXT NOT NULL, data TEXT NOT NULL, timestamp INTEGER NOT NULL,"
            " retry_count INTEGER NOT NULL DEFAULT 0)"
        )
        connection.execute(
            "INSERT INTO queue (event_id, event_type, data, timestamp)"
            " VALUES ('old', 'X', '{\"event_id\":\"old\"}', 1)"
        )


CHANGES: dict[str, tuple[str, Change]] = {
    "sender_gone": ("info", _gone),
    "wal_exposed": ("warning", _wal),
    "wal_not_local": ("error", _remote),
    "not_checked": ("info", _slow),
    "legacy_waiting": ("warning", _old_queue),
}


@pytest.mark.usefixtures("sound")
@pytest.mark.parametrize("code", CHANGES)
def test_a_finding_and_the_command_that_helps(
    run: Run, database: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """It is told, its fix is run, and it is told no more."""
    severity, change = CHANGES[code]
    change(database, monkeypatch)
    if code == "wal_exposed" and not run("sync", "doctor", "--json").document["is_exposed"]:
        pytest.skip("this SQLite is not exposed")

    before = found(run)
    assert before[code]["severity"] == severity
    mend(run, before[code])

    # To look at everything is what helps there, and does not last.
    assert code not in found(run, *(["--thorough"] if code == "not_checked" else []))


@pytest.mark.usefixtures("sound")
def test_the_sender_to_a_target_that_is_no_longer_chosen(run: Run, database: Path) -> None:
    """A drain of another target does not take over, so no command is named."""
    left(database)
    run("sync", "mode", "LOCAL_RETENTION")

    document = run("sync", "doctor", "--json").document

    (finding,) = [each for each in document["findings"] if each["code"] == "sender_gone"]
    assert finding["fix"] == {"text": "the next drain that sends to it takes over"}
    assert [each["is_live"] for each in document["leases"]] == [False]
    assert "nobody" in run("sync", "doctor").out


def findings() -> Iterator[tuple[str, bool]]:
    """Yield the code of each finding that the rules make, and whether a command helps."""
    for node in ast.walk(ast.parse(inspect.getsource(_rules))):
        if not isinstance(node, ast.Call) or len(node.args) < 2:
            continue
        first = node.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            is_argv = any(keyword.arg == "argv" for keyword in node.keywords)
            yield first.value, is_argv or len(node.args) > 3


def test_no_command_is_without_a_test() -> None:
    """A new one fails here until a state that prints it is among those that are tested."""
    helped = {code for code, is_argv in findings() if is_argv}
    states = {getattr(each, "values", each)[0] for each in STATES}

    assert helped == states | CHANGES.keys()


ROOTS = {
    # Nothing beside them says what they refer to, or they are counted anew.
    "streams",
    "producers",
    "targets",
    "audit",
    "below_tallies",
    "body_failures",
    "held_counts",
    "erasures",
    "legacy_sources",
    "purges",
    "purging",
    "purged_counts",
    "purged_tallies",
    "schema_migrations",
    "supersessions",
    "tallies",
}


@pytest.mark.usefixtures("sound")
def test_every_table_is_looked_at(database: Path) -> None:
    """One that refers to something has a `Link`, whose statement names it."""
    with closing(sqlite3.connect(database)) as connection:
        tables = {
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if not name.startswith("sqlite_")
        }
    statements = [each.sql for each in _links.QUESTIONS.values()]
    statements += [_inspection.REQUESTS, _inspection.TARGETS]
    looked_at = {sql.split("\nFROM ")[1].split()[0] for sql in statements}

    assert tables == looked_at | ROOTS
    assert set(Link) == {*_links.QUESTIONS, Link.REQUEST, Link.TARGET, Link.PASSED}
