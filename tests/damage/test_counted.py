"""Counters that a program of before would leave wrong, and what is said when they are."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from eventsync_adapters.server import Serving
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


@pytest.mark.parametrize(
    "changes",
    [
        ("UPDATE streams SET kept = -9",),
        ("UPDATE tallies SET entries = -9",),
        (
            "UPDATE tallies SET entries = -9",
            "INSERT INTO tallies SELECT target_no, stream_id, 'duplicate', 29 FROM tallies",
        ),
        ("UPDATE erasures SET entries = 9 WHERE what = 'bodies'",),
    ],
)
def test_less_than_nothing_is_not_well(
    run: Run, database: Path, receiver: Serving, changes: tuple[str, ...]
) -> None:
    """Status says so without being asked, in the shape of its answer; doctor counts anew."""
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    run("sync", "now")
    unguarded(database, *[(change, ()) for change in changes])

    ran = run("sync", "status", "--json")

    assert (ran.code, ran.document["ok"]) == (5, False)
    assert ran.document["error"]["code"] == "counters_differ"
    run(*ran.document["error"]["fix"]["argv"][1:])
    assert run("sync", "doctor", "--mend").code == 0
    after = run("sync", "status", "--json")
    assert (after.code, after.document["event_journal"]["retained_event_count"]) == (0, 20)


@pytest.mark.parametrize("kept", ["xyz", 1e300])
def test_a_damaged_counter_stops_no_capture(
    run: Run, home: Path, events: Path, kept: object
) -> None:
    """Doctor tells of it, and sets it right."""
    run("capture", str(events))
    unguarded(home / "eventsync" / "eventsync.db", ("UPDATE streams SET kept = ?", (kept,)))
    events.write_text('{"event_id": "another"}\n')

    assert run("capture", str(events)).code == 0

    # What was added to a word is a number again.
    if kept != "xyz":
        error = run("sync", "status", "--json").document["error"]
        assert error["fix"] == {"text": "eventsync sync doctor names what helps"}
    findings = run("sync", "doctor", "--json").document["findings"]
    assert "counters_differ" in {each["code"] for each in findings}
    run("sync", "doctor", "--mend")
    assert run("sync", "doctor", "--json").document["findings"] == []
    assert run("sync", "status", "--json").document["event_journal"]["retained_event_count"] == 21


def test_counters_of_a_stream_that_is_gone(run: Run, database: Path) -> None:
    """It is told that the stream is; they are neither told nor claimed to be mended."""
    unguarded(database, ("DELETE FROM streams", ()))

    ran = run("sync", "doctor", "--mend", "--json")

    assert ran.document["mended"]["counters"] == 0
    assert {each["code"] for each in ran.document["findings"]} == {"references_broken"}


@pytest.mark.parametrize("more", [1, 3, 20])
def test_a_cursor_above_the_head(
    run: Run, database: Path, receiver: Serving, events: Path, more: int
) -> None:
    """It is told while it is there; what it passed over goes, and so does what comes later."""
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    assert run("sync", "now", "--json").document["counts"]["delivered"] == 20
    unguarded(database, ("UPDATE grants SET passed = 23", ()))
    if more < 4:
        _check_is_told(run)
    events.write_text("".join(f'{{"event_id": "n{n}"}}\n' for n in range(more)))
    run("capture", str(events))

    if more < 3:
        _check_is_told(run)
    mended = run("sync", "doctor", "--mend", "--json")

    assert (mended.code, mended.document["findings"]) == (0, [])
    assert mended.document["mended"]["owed"] == min(more, 3)
    assert run("sync", "status", "--check").code == 0
    assert run("sync", "now", "--json").document["counts"]["delivered"] == more
    events.write_text('{"event_id": "last"}\n')
    run("capture", str(events))
    assert run("sync", "now", "--json").document["counts"]["delivered"] == 1
    assert run("sync", "doctor").code == 0


def _check_is_told(run: Run) -> None:
    for words, code in ((("sync", "status"), 5), (("sync", "status", "--check"), 2)):
        told = run(*words, "--json")
        assert (told.code, told.document["error"]["code"]) == (code, "due_differs")
        assert told.document["error"]["fix"]["argv"] == ["eventsync", "sync", "doctor", "--mend"]
    found = run("sync", "doctor", "--json").document["findings"]
    assert "due_differs" in {each["code"] for each in found}
    assert "references_broken" not in {each["code"] for each in found}


def test_a_head_below_an_entry_moves_no_cursor(run: Run, database: Path, receiver: Serving) -> None:
    """The cursor is right, and nothing would be offered twice."""
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    run("sync", "now")
    unguarded(database, ("UPDATE streams SET head = 2", ()))

    run("sync", "doctor", "--mend")

    with closing(sqlite3.connect(database)) as stored:
        assert stored.execute("SELECT passed FROM grants").fetchall() == [(20,)]
