"""Counters that a program of before would leave wrong, and what is said when they are."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.damage.damaging import unguarded

OLD = "UPDATE streams SET head = head + 1, chain = '00' WHERE stream_id = 1"


@pytest.fixture
def database(run: Run, events: Path, home: Path) -> Path:
    run("capture", str(events))
    return home / "eventsync" / "eventsync.db"


def test_a_program_that_does_not_count_adds_nothing(database: Path) -> None:
    """Its unit ends with the new head, which is refused; it is told to end."""
    refused = pytest.raises(sqlite3.IntegrityError, match="newer eventsync")
    with closing(sqlite3.connect(database)) as old, refused:
        old.execute(OLD)


def test_less_than_nothing_is_not_well(run: Run, database: Path) -> None:
    """Status says so without being asked, and its fix counts anew."""
    unguarded(database, ("UPDATE streams SET kept = -9", ()))

    ran = run("sync", "status", "--json")

    assert (ran.code, ran.document["ok"]) == (2, False)
    assert ran.document["error"]["code"] == "counters_differ"
    assert run(*ran.document["error"]["fix"]["argv"][1:]).code == 0
    after = run("sync", "status", "--json")
    assert (after.code, after.document["event_journal"]["retained_event_count"]) == (0, 20)


def test_a_damaged_counter_stops_no_capture(run: Run, home: Path, events: Path) -> None:
    """Doctor tells of it, and sets it right."""
    run("capture", str(events))
    unguarded(home / "eventsync" / "eventsync.db", ("UPDATE streams SET kept = 'xyz'", ()))
    events.write_text('{"event_id": "another"}\n')

    assert run("capture", str(events)).code == 0

    findings = run("sync", "doctor", "--json").document["findings"]
    assert [each["code"] for each in findings] == ["counters_differ"]
    run("sync", "doctor", "--mend")
    assert run("sync", "doctor", "--json").document["findings"] == []
    assert run("sync", "status", "--json").document["event_journal"]["retained_event_count"] == 21


def test_counters_of_a_stream_that_is_gone(run: Run, database: Path) -> None:
    """It is told that the stream is; they are neither told nor claimed to be mended."""
    unguarded(database, ("DELETE FROM streams", ()))

    ran = run("sync", "doctor", "--mend", "--json")

    assert ran.document["mended"]["counters"] == 0
    assert {each["code"] for each in ran.document["findings"]} == {"references_broken"}
