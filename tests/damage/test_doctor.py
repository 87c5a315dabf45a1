"""`sync doctor`: each finding is told with a fix, and the fix works where it is printed."""

import os
import sqlite3
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import pytest

from eventsync_adapters.server import Serving
from eventsync_core.diagnosis import Facts, Finding, Lookup, Severity, diagnose
from eventsync_core.diagnosis._rules import MOST_WAL_BYTES
from eventsync_core.errors import StoreUnreadableError
from tests.cli.conftest import Run
from tests.damage.damaging import spoil, unguarded


@pytest.fixture
def database(home: Path) -> Path:
    return home / "eventsync" / "eventsync.db"


@pytest.fixture
def sound(run: Run, events: Path, receiver: Serving) -> Serving:
    """Twenty delivered events."""
    run("capture", str(events))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    run("sync", "now")
    return receiver


def found(run: Run, *options: str) -> dict[str, Any]:
    """Return the findings by their code."""
    document = run("sync", "doctor", "--json", *options).document
    assert document["findings_count"] == len(document["findings"])
    return {finding["code"]: finding for finding in document["findings"]}


def mend(run: Run, finding: dict[str, Any]) -> None:
    """Run the command that the finding names."""
    argv = finding["fix"]["argv"]
    assert argv[0] == "eventsync"
    run(*argv[1:])


def test_a_sound_home(run: Run, sound: Serving) -> None:
    """Nothing is found, and nothing is changed."""
    ran = run("sync", "doctor", "--json")

    assert ran.code == 0
    assert ran.document["findings"] == []
    assert ran.document["daemon"] == {"state": "absent"}
    assert run("sync", "doctor").out.endswith("nothing is wrong\n")
    assert run("sync", "doctor", "--thorough", "--json").document["findings"] == []


@pytest.mark.usefixtures("sound")
def test_another_journal_mode_than_configured_is_told(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What SQLite says is told, and what it was asked for."""
    plain = run("sync", "doctor", "--json").document
    assert plain["journal_mode"] == plain["journal_mode_configured"] == "truncate"
    monkeypatch.setattr("eventsync_adapters.sqlite._store.taken_journal", lambda _: "memory")

    other = run("sync", "doctor", "--json").document

    assert (other["journal_mode"], other["journal_mode_configured"]) == ("memory", "truncate")
    assert "memory (configured: truncate)" in run("sync", "doctor").out


def test_a_fresh_home_stays_empty(run: Run, home: Path) -> None:
    """Looking makes nothing."""
    assert found(run) == {}
    assert not home.exists()


def _passed(path: Path) -> None:
    unguarded(
        path,
        ("DELETE FROM ledger WHERE position IN (7, 9)", ()),
        ("UPDATE tallies SET entries = entries - 2 WHERE outcome = 'success'", ()),
    )


def _miscount(path: Path) -> None:
    unguarded(path, ("UPDATE tallies SET entries = entries + 1", ()))


def _miscount_kept(path: Path) -> None:
    unguarded(path, ("UPDATE streams SET kept = kept - 1, kept_bytes = 7", ()))


def _miscount_purged(path: Path) -> None:
    unguarded(
        path,
        ("INSERT INTO purged_counts VALUES (1, 2, 3, 4, 5)", ()),
        ("INSERT INTO purged_tallies VALUES (1, 1, 'success', 2)", ()),
    )


def _miscount_held(path: Path) -> None:
    unguarded(path, ("INSERT INTO held_counts VALUES (1, 'operator', 0, 1, 2)", ()))


def _miscount_erased(path: Path) -> None:
    unguarded(path, ("UPDATE erasures SET entries = 9", ()))


def _lost_rows(path: Path) -> None:
    unguarded(path, ("DELETE FROM purging", ()), ("DELETE FROM erasures", ()))


def _not_due(path: Path) -> None:
    unguarded(
        path,
        ("UPDATE ledger SET outcome = 'rejected', due_at = 1 WHERE position = 3", ()),
        ("UPDATE tallies SET entries = entries - 1", ()),
        ("INSERT INTO tallies VALUES (1, 1, 'rejected', 1)", ()),
    )


def _owed_unsaid(path: Path) -> None:
    _not_due(path)
    due = "INSERT INTO due (target_no, stream_id, lane, due_at, position, is_owed)"
    unguarded(path, (f"{due} VALUES (1, 1, 'rejected', 1, 3, 0)", ()))


def _held_unsaid(path: Path) -> None:
    hold = "INSERT INTO holds SELECT stream_id, position, 'operator', '', 1, '' FROM ledger LIMIT 1"
    count = "INSERT INTO held_counts VALUES (1, 'operator', 0, 0, 1)"
    unguarded(path, (hold, ()), (count, ()))


def _superseded_unsaid(path: Path) -> None:
    row = "INSERT INTO superseded (stream_id, position, superseded_by, superseded_at)"
    count = "INSERT INTO supersessions VALUES (1, 1)"
    unguarded(path, (f"{row} VALUES (1, 1, 2, 1)", ()), (count, ()))


def _damaged(path: Path) -> None:
    spoil(path, ["e4"], "{}")


def _loose(path: Path) -> None:
    path.chmod(0o644)
    path.parent.chmod(0o755)


def _loose_notes(path: Path) -> None:
    for name in ("acts.log", "migrated.log", "verified.json"):
        note = path.with_name(name)
        note.touch()
        note.chmod(0o644)


def _ungranted(path: Path) -> None:
    unguarded(path, ("DELETE FROM grants", ()), ("DELETE FROM grant_acts", ()))


def _off_record(path: Path) -> None:
    unguarded(path, ("UPDATE grants SET generation = generation + 7", ()))


STATES: list[tuple[str, str, Callable[[Path], None]]] = [
    ("events_left_behind", "error", _passed),
    ("counters_differ", "error", _miscount),
    ("counters_differ", "error", _miscount_kept),
    ("counters_differ", "error", _miscount_purged),
    ("counters_differ", "error", _miscount_erased),
    ("counters_differ", "error", _miscount_held),
    ("counters_differ", "error", _lost_rows),
    ("due_differs", "error", _not_due),
    ("due_differs", "error", _owed_unsaid),
    ("due_differs", "error", _held_unsaid),
    ("due_differs", "error", _superseded_unsaid),
    ("journal_damaged", "error", _damaged),
    ("grant_damaged", "error", _off_record),
    ("target_without_grant", "info", _ungranted),
    *(
        pytest.param(  # type: ignore[list-item]
            "permissions_open",
            "warning",
            change,
            marks=pytest.mark.skipif(sys.platform == "win32", reason="modes are the user's there"),
        )
        for change in (_loose, _loose_notes)
    ),
]


@pytest.mark.parametrize(("code", "severity", "change"), STATES)
def test_a_finding_and_its_fix(
    run: Run,
    sound: Serving,
    database: Path,
    code: str,
    severity: str,
    change: Callable[[Path], None],
) -> None:
    """It is told, its fix is run, and it is told no more, or without a command."""
    change(database)

    before = found(run)
    assert before[code]["severity"] == severity
    assert code in run("sync", "doctor").out
    mend(run, before[code])

    after = found(run)
    # What is damaged stays so when it was set aside; then no command is left to run.
    assert (code in after) == (code == "journal_damaged")
    assert "argv" not in after.get(code, {"fix": {}})["fix"]


def test_what_was_left_behind_is_delivered_after_the_fix(
    run: Run, sound: Serving, database: Path
) -> None:
    """The receiver knows it, so nothing comes twice."""
    _passed(database)

    mended = run("sync", "doctor", "--mend", "--json")

    assert mended.document["mended"] == {"files": 0, "counters": 0, "owed": 2, "rows": 0}
    assert mended.code == 0
    assert run("sync", "now", "--json").document["counts"]["duplicate"] == 2
    assert run("sync", "doctor", "--mend", "--json").document["mended"]["owed"] == 0


def test_the_time_of_a_clock_that_was_ahead(run: Run, sound: Serving, database: Path) -> None:
    """What was stored then lies in the future."""
    unguarded(database, ("UPDATE entries SET captured_at = 1 << 52 WHERE position = 20", ()))

    assert found(run)["clock_behind"]["severity"] == "warning"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda path: path.write_bytes(b"no database at all\n" * 500), "store_unreadable"),
        (
            lambda path: unguarded(
                path, ("INSERT INTO schema_migrations VALUES ('9999_x', 1)", ())
            ),
            "store_newer",
        ),
    ],
)
def test_a_store_that_cannot_be_read(
    run: Run, sound: Serving, database: Path, change: Callable[[Path], None], code: str
) -> None:
    """All else is still told; the exit is that of the store."""
    change(database)

    ran = run("sync", "doctor", "--json")

    assert (ran.code, ran.document["error"]["code"]) == (5, code)
    assert code in {each["code"] for each in ran.document["findings"]}
    assert ran.document["sqlite_version"] == sqlite3.sqlite_version


def test_a_page_that_sqlite_complains_of(run: Run, sound: Serving, database: Path) -> None:
    """What cannot be read at all is told too."""
    content = bytearray(database.read_bytes())
    with closing(sqlite3.connect(database)) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'answers_by_entry'"
        ).fetchone()
    content[(page - 1) * 8192] ^= 0xFF
    database.write_bytes(content)

    assert run("sync", "doctor").code == 5
    assert {"database_damaged", "references_broken", "store_unreadable"} & found(run).keys()


def test_doctor_changes_nothing_without_an_option(run: Run, sound: Serving, database: Path) -> None:
    """Whatever is wrong."""
    _passed(database)
    _damaged(database)
    before = {path.name: path.read_bytes() for path in database.parent.iterdir()}

    run("sync", "doctor")
    run("sync", "doctor", "--thorough")

    assert {path.name: path.read_bytes() for path in database.parent.iterdir()} == before


FACTS = Facts(path="x.db", sqlite_version="3.45.0", free_bytes=1 << 40)


def told(facts: Facts, lookup: Lookup | None = None) -> Sequence[tuple[str, Severity]]:
    """Return code and severity of each finding."""
    return [(each.reason.code, each.severity) for each in diagnose(facts, lookup)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"free_bytes": 50 * 1024 * 1024}, [("disk_space_low", Severity.WARNING)]),
        ({"free_bytes": 1024}, [("disk_space_low", Severity.ERROR)]),
        ({"free_bytes": None}, []),
        ({"is_writable": False}, [("store_not_writable", Severity.ERROR)]),
        ({"wal_bytes": MOST_WAL_BYTES}, []),
        ({"wal_bytes": MOST_WAL_BYTES + 1}, [("wal_large", Severity.WARNING)]),
        ({"is_local": False, "disk_kind": "nfs"}, [("disk_not_local", Severity.WARNING)]),
        ({"is_local": False, "journal_mode": "wal"}, [("wal_not_local", Severity.ERROR)]),
        ({"journal_mode": "wal"}, []),
        ({"journal_mode": "wal", "is_exposed": True}, [("wal_exposed", Severity.WARNING)]),
        ({"journal_mode": "truncate", "is_exposed": True}, []),
        ({"pending": ("0014_x",)}, [("schema_older", Severity.INFO)]),
        ({"copies": ("x.db.before-restore-1",)}, [("copies_left", Severity.INFO)]),
    ],
)
def test_what_lies_around_the_database(
    change: dict[str, Any], expected: list[tuple[str, Severity]]
) -> None:
    """Each fact by itself, at its bounds."""
    assert told(attrs.evolve(FACTS, **change)) == expected


def test_the_worst_comes_first() -> None:
    """Whatever order it was found in; an unreadable store is an error of its own."""
    facts = attrs.evolve(FACTS, pending=("0014_x",), loose=("x.db",))

    findings = diagnose(facts, None, StoreUnreadableError("x.db is damaged"))

    assert [each.severity for each in findings] == list(Severity)


def test_every_finding_says_what_helps() -> None:
    """In words, where no command does."""
    facts = attrs.evolve(
        FACTS,
        pending=("x",),
        loose=("x",),
        wal_bytes=1 << 40,
        is_local=False,
        free_bytes=1,
        legacy=(("queue.db", "rows: queue 1"),),
    )
    lookup = Lookup(flaws=("x",), is_checked=False, newest_at=1 << 50, ungranted=(("t", "u"),))

    findings: list[Finding] = diagnose(facts, lookup)

    assert len(findings) == 10
    assert all(each.reason.fix_argv or each.reason.fix_text for each in findings)


def test_another_process_that_sends_is_named(run: Run, sound: Serving, database: Path) -> None:
    """A lease that lasts is no fault."""
    unguarded(
        database,
        ("UPDATE leases SET expires_at = (1 << 51), pid = ?, started_at = 0", (os.getpid(),)),
    )

    document = run("sync", "doctor", "--json").document

    assert document["leases_count"] == len(document["leases"])
