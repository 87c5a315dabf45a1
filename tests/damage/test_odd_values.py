"""Rows that hold what eventsync never writes end as a damaged store, never as a bug of ours."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from eventsync import open_store
from eventsync_adapters.server import Serving
from eventsync_core.integrity import GOOD_COPY
from tests.cli.conftest import Run
from tests.damage.damaging import unguarded

_LOOK = ("sync status --json", "sync status --check", "sync doctor", "sync doctor --mend")
STATES = [
    ("UPDATE targets SET failures = 'x', retry_at = 'y'", _LOOK),
    ("UPDATE targets SET paused = x'00ff'", _LOOK),
    ("UPDATE streams SET stream = x'00ff'", _LOOK),
    ("UPDATE streams SET head = head - 1", ("capture -",)),
    ("UPDATE tallies SET entries = 'many'", _LOOK[:-1]),
    ("UPDATE entries SET captured_at = 'then' WHERE position = 20", ("sync doctor",)),
]
ODD = [
    "grants SET paused = x'00ff'",
    "targets SET reset_fields = 4611686018427387904",
    "targets SET last_delivery_at = 'xyz'",
    "targets SET body_failures = 'xyz'",
    "tallies SET entries = 1.5",
    "requests SET closed_at = 4611686018427387904",
    "requests SET opened_at = 'xyz'",
    "requests SET event_count = x'00ff'",
    "requests SET body_bytes = 'xyz'",
    "streams SET kept = 'xyz'",
    "streams SET head = 1.5",
    "entries SET captured_at = 4611686018427387904",
]


@pytest.fixture
def database(run: Run, home: Path, events: Path, receiver: Serving) -> Path:
    """Twenty delivered events."""
    run("capture", str(events))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    run("sync", "now")
    return home / "eventsync" / "eventsync.db"


def check_exit(run: Run, words: str, events: Path) -> None:
    ran = run(*words.replace("capture -", f"capture {events}").split())
    assert ran.code == (2 if words.endswith("--check") else 5), (words, ran)
    assert "unexpected" not in ran.err + ran.out


@pytest.mark.parametrize(("change", "commands"), STATES)
def test_a_value_that_is_never_written(
    run: Run, database: Path, events: Path, change: str, commands: tuple[str, ...]
) -> None:
    """It is the store that is unreadable, and doctor says so."""
    events.write_text('{"event_id": "new"}\n')
    unguarded(database, (change, ()))

    for words in commands:
        check_exit(run, words, events)
    if "streams SET head" not in change:
        codes = [each["code"] for each in run("sync", "doctor", "--json").document["findings"]]
        assert {"store_unreadable", "database_damaged"} & set(codes)


def test_a_request_that_carried_nobody_knows_what(run: Run, database: Path, events: Path) -> None:
    """What a sender that is gone had on its way cannot be told; doctor names what helps."""
    unguarded(
        database,
        ("UPDATE leases SET open_request = (SELECT MAX(request_id) FROM requests)", ()),
        ("UPDATE requests SET positions = 'success'", ()),
    )
    events.write_text('{"event_id": "new"}\n')
    run("capture", str(events))

    assert run("sync", "now", "--json").document["error"]["code"] == "store_unreadable"
    findings = run("sync", "doctor", "--json").document["findings"]
    fixes = {each["fix"].get("text") for each in findings if each["code"] == "store_unreadable"}
    assert fixes == {GOOD_COPY}


def test_a_status_has_all_its_keys_whatever_a_row_holds(
    run: Run, home: Path, database: Path
) -> None:
    """What cannot be told is unknown; a host and a program that collects metrics see the same."""
    keys, whole = run("sync", "status", "--json").document.keys(), database.read_bytes()
    for change in ODD:
        database.write_bytes(whole)
        unguarded(database, (f"UPDATE {change}", ()))

        ran = run("sync", "status", "--json")

        assert (ran.code, ran.document["error"]["code"]) == (5, "store_unreadable"), change
        assert keys < ran.document.keys()
        assert ran.document["event_journal"]["retained_event_count"] is None
        for words, code in (((), 5), (("--check",), 2), (("--prometheus",), 5)):
            assert run("sync", "status", *words).code == code, change
        with open_store(home) as store:
            assert keys < store.status().document().keys()


def test_guards_that_fail(run: Run, database: Path, events: Path) -> None:
    """A trigger whose words are damaged is damage of the store."""
    with closing(sqlite3.connect(database)) as opened:
        opened.execute("PRAGMA writable_schema = ON")
        opened.execute(
            "UPDATE sqlite_master SET sql = replace(sql, 'entries', 'entrius') "
            "WHERE type = 'trigger'"
        )
        opened.commit()

    events.write_text('{"event_id": "new"}\n')
    check_exit(run, "capture -", events)


def test_a_word_that_is_no_outcome(run: Run, database: Path) -> None:
    """Doctor names it, mends nothing, and the status can still be read."""
    unguarded(database, ("UPDATE ledger SET outcome = 'suscess' WHERE position = 4", ()))

    assert run("journal", "verify").code == 5
    codes = [each["code"] for each in run("sync", "doctor", "--json").document["findings"]]
    assert "references_broken" in codes
    assert run("sync", "doctor", "--mend").code == 5
    assert run("sync", "status").code == 0
    unguarded(database, ("UPDATE tallies SET outcome = 'suscess'", ()))
    found = run("sync", "doctor", "--json")
    assert found.code == 5
    assert "store_unreadable" in [each["code"] for each in found.document["findings"]]


def test_a_copy_that_is_read_is_not_named(run: Run, database: Path) -> None:
    """What is damaged is the store; the copy of it is gone when that is read."""
    unguarded(database, ("DELETE FROM schema_migrations WHERE version LIKE '0012%'", ()))

    ran = run("sync", "status")

    assert ran.code == 5
    assert str(database) in ran.err
    assert "eventsync-read" not in ran.err + ran.out
