"""A database that cannot be used: exit 5 with a fix, and not a byte of it is changed."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from eventsync_adapters import sqlite as adapter
from eventsync_adapters.sqlite import open_for_reading, open_stores
from tests.cli.bad_input import check_document, check_told, fails, keeps, launched
from tests.cli.conftest import Ran, Run

UNPRIVILEGED = (sys.executable, "-S", "-E", str(Path(__file__).with_name("unprivileged.py")))
ENDPOINT = "http://127.0.0.1:9/in"
LOOKING: list[tuple[str, ...]] = [
    ("journal", "verify"),
    ("journal", "list"),
    ("target", "list"),
    ("sync", "doctor"),
]
has_modes = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such file modes")


@pytest.fixture
def database(home: Path) -> Path:
    """Where the database is, or will be."""
    return home / "eventsync" / "eventsync.db"


@pytest.fixture
def full_home(run: Run, events: Path, database: Path) -> Path:
    """Return the database of a home with twenty events that are owed to a dead endpoint."""
    assert run("capture", str(events)).code == 0
    assert run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", ENDPOINT).code == 0
    return database


def check_everywhere(run: Run, events: Path, error: str) -> None:
    """Check that every command that needs the store says *error* and exits 5."""
    captured = fails(run, "capture", str(events), code=5, error=error)
    assert captured.document["stored"] == 0
    for words in [("sync", "now"), *LOOKING, ("sync", "doctor", "--journal-mode", "truncate")]:
        fails(run, *words, code=5, error=error)
    check_status(run("sync", "status", "--json"), run("sync", "status", "--check"))


def check_status(status: Ran, checked: Ran) -> None:
    """Check that counts are unknown, never zero."""
    assert (status.code, checked.code) == (5, 2)
    assert status.document["event_journal"]["retained_event_count"] is None
    assert status.document["event_sync_status_error"]


def change(database: Path, *statements: str) -> None:
    """Change the database through a plain connection."""
    database.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(database)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def writing_commands(source: Path) -> list[tuple[str, ...]]:
    """Return commands that write to the store, capturing *source* among them."""
    return [("capture", str(source)), ("sync", "now"), ("target", "grant")]


def test_a_newer_database(run: Run, events: Path, full_home: Path) -> None:
    """It is left alone by every command, and fine for the program that knows it."""
    change(full_home, "INSERT INTO schema_migrations VALUES ('9999_future', 1)")
    before = full_home.read_bytes()

    check_everywhere(run, events, "store_newer")

    assert full_home.read_bytes() == before
    change(full_home, "DELETE FROM schema_migrations WHERE version = '9999_future'")
    keeps(run, 20)


def test_a_file_that_is_no_database(run: Run, home: Path, events: Path, full_home: Path) -> None:
    """It is neither overwritten nor taken for an empty store."""
    content = full_home.read_bytes()
    full_home.write_bytes(b"no database at all\n" * 1_000)

    check_everywhere(run, events, "store_unreadable")

    assert full_home.read_bytes() == b"no database at all\n" * 1_000
    full_home.write_bytes(content)
    keeps(run, 20)


def test_the_database_of_another_program(
    run: Run, home: Path, events: Path, full_home: Path
) -> None:
    """Its tables stay as they are; nothing of ours appears among them."""
    full_home.unlink()
    change(full_home, "CREATE TABLE theirs (a)", "INSERT INTO theirs VALUES (1)")
    before = full_home.read_bytes()

    check_everywhere(run, events, "store_unreadable")

    assert full_home.read_bytes() == before


def test_an_empty_file(run: Run, events: Path, database: Path) -> None:
    """It is what a crash before the first commit leaves: a store without events, usable."""
    database.parent.mkdir(parents=True)
    database.touch()

    status = run("sync", "status", "--json")
    assert (status.code, status.document["event_journal"]["retained_event_count"]) == (0, 0)
    for words in LOOKING:
        assert run(*words, "--json").code == 0
    assert database.stat().st_size == 0
    assert run("capture", str(events), "--json").document["stored"] == 20
    keeps(run, 20)


def test_a_damaged_page(run: Run, full_home: Path) -> None:
    """Verify names the stream and the first bad position; the good copy is whole again."""
    good = full_home.read_bytes()
    place = good.index(b'"e11"')
    full_home.write_bytes(good[:place] + b'"x11"' + good[place + 5 :])

    ran = fails(run, "journal", "verify", code=5, error="journal_damaged")

    (stream,) = ran.document["streams"]
    assert (stream["first_bad"], stream["flaw"], stream["good"]) == (12, "digest", 19)
    full_home.write_bytes(good)
    keeps(run, 20)


def test_a_page_of_noise(run: Run, full_home: Path) -> None:
    """Whatever SQLite makes of it, the answer is exit 5, and never fewer events in silence."""
    good = full_home.read_bytes()
    place = good.index(b'"e11"') // 8_192 * 8_192
    full_home.write_bytes(good[:place] + b"\xa5" * 8_192 + good[place + 8_192 :])

    ran = run("journal", "verify", "--json")

    assert (ran.code, ran.document["ok"]) == (5, False)
    assert ran.document["error"]["code"] in ("journal_damaged", "store_unreadable")
    assert run("journal", "list").code == 5
    assert run("sync", "now").code in (3, 5)
    full_home.write_bytes(good)
    keeps(run, 20)


@has_modes
def test_a_read_only_home(run: Run, home: Path, events: Path, full_home: Path) -> None:
    """Writing is refused with exit 5 before anything is sent; looking works, and doctor says so."""
    more = events.with_name("more.jsonl")
    more.write_text('{"event_id": "new"}\n')
    before = full_home.read_bytes()
    places = [home, full_home.parent, *full_home.parent.iterdir(), home / "config.toml"]
    for place in places:
        place.chmod(0o555 if place.is_dir() else 0o444)
    try:
        for words in writing_commands(more):
            told = launched(home, *words, "--json", through=UNPRIVILEGED)
            check_document(told, 5, "store_not_writable")
        plain = launched(home, "target", "grant", through=UNPRIVILEGED)
        check_told(plain, 5, "store_not_writable")
        changed = launched(home, "sync", "mode", "LOCAL_RETENTION", through=UNPRIVILEGED)
        check_told(changed, 5, "store_not_writable")
        doctor = ("sync", "doctor")
        for words in {*LOOKING, ("sync", "status"), ("sync", "status", "--check")} - {doctor}:
            ran = launched(home, *words, "--json", through=UNPRIVILEGED)
            assert (ran.code, ran.document["ok"]) == (0, True), ran
        told = launched(home, *doctor, "--json", through=UNPRIVILEGED)
        check_document(told, 5, "store_not_writable")
        assert told.document["findings_count"] == 1 + told.document["warnings"]
        status = launched(home, "sync", "status", "--json", through=UNPRIVILEGED).document
        assert status["event_journal"]["retained_event_count"] == 20
    finally:
        for place in places:
            place.chmod(0o755 if place.is_dir() else 0o644)

    assert full_home.read_bytes() == before
    keeps(run, 20)


@has_modes
def test_a_home_that_may_not_be_made(home: Path, events: Path, run: Run) -> None:
    """Nothing is there and nothing can be: capture says so, looking finds no store."""
    home.parent.joinpath("closed").mkdir(mode=0o555)
    place = home.parent / "closed" / "home"

    told = launched(place, "capture", str(events), "--json", through=UNPRIVILEGED)

    check_document(told, 5, "store_not_writable")
    assert launched(place, "sync", "status", through=UNPRIVILEGED).code == 0
    assert not place.exists()


@has_modes
@pytest.mark.parametrize("closed", [".", "other", "other/eventsync"])
def test_a_backup_where_nothing_may_be_made(
    run: Run, home: Path, full_home: Path, closed: str
) -> None:
    """It is not restored, and that is told as by any other command that would store."""
    copy, top = home.parent / "copy.db", home.parent / "top"
    assert run("journal", "backup", str(copy)).code == 0
    (top / closed).mkdir(parents=True)
    (top / closed).chmod(0o500)
    words = ("journal", "restore", str(copy), "--json")

    told = launched(top / "other", *words, through=UNPRIVILEGED)

    check_document(told, 5, "store_not_writable")
    assert list((top / closed).iterdir()) == []


@has_modes
@pytest.mark.parametrize("what", ["folder", pytest.param("file", marks=pytest.mark.long)])
def test_a_store_that_may_not_be_looked_at(
    run: Run, home: Path, events: Path, full_home: Path, what: str
) -> None:
    """Permission denied is unknown: no command says that there is nothing."""
    place = full_home.parent if what == "folder" else full_home
    before = place.stat().st_mode
    place.chmod(0)
    try:
        for words in [*LOOKING, ("sync", "status"), ("sync", "now"), ("capture", str(events))]:
            ran = launched(home, *words, "--json", through=UNPRIVILEGED)
            assert (ran.code, ran.document["ok"]) == (5, False), (words, ran)
        status = launched(home, "sync", "status", "--json", through=UNPRIVILEGED)
        checked = launched(home, "sync", "status", "--check", through=UNPRIVILEGED)
        check_status(status, checked)
    finally:
        place.chmod(before)
    keeps(run, 20)


@has_modes
def test_a_home_that_is_a_file(run: Run, home: Path, events: Path) -> None:
    """It is named and left alone; delivering is refused as its configuration is unreadable."""
    home.write_text("here")

    fails(run, "capture", str(events), code=5, error="store_not_writable")
    fails(run, "sync", "now", code=4, error="config_unreadable")
    for words in [*LOOKING, ("sync", "status")]:
        fails(run, *words, code=5, error="store_unreadable")

    assert home.read_text() == "here"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command line wait for no lock."""
    monkeypatch.setattr(adapter, "open_stores", partial(open_stores, busy_seconds=0))
    monkeypatch.setattr(adapter, "open_for_reading", partial(open_for_reading, busy_seconds=0))


@pytest.fixture
def locked(impatient: None, full_home: Path) -> Iterator[sqlite3.Connection]:
    """Return a connection in autocommit, whose locks another process would hold."""
    with closing(sqlite3.connect(full_home, isolation_level=None)) as connection:
        yield connection


def test_a_store_that_somebody_writes_to(
    run: Run, events: Path, locked: sqlite3.Connection
) -> None:
    """Writing is busy, exit 5; looking sees what was committed before."""
    more = events.with_name("more.jsonl")
    more.write_text('{"event_id": "new"}\n')
    locked.execute("BEGIN IMMEDIATE")

    for words in writing_commands(more):
        fails(run, *words, code=5, error="store_busy")
    for words in [*LOOKING, ("sync", "status")]:
        assert run(*words).code == 0

    locked.rollback()
    keeps(run, 20)
    assert run("capture", str(more)).code == 0
    keeps(run, 21)


def test_a_store_in_the_middle_of_a_commit(run: Run, locked: sqlite3.Connection) -> None:
    """Looking is busy too, and status names the closed gate instead of counting nothing."""
    locked.execute("BEGIN EXCLUSIVE")

    for words in LOOKING:
        fails(run, *words, code=5, error="store_busy")
    status = run("sync", "status", "--json")
    check_status(status, run("sync", "status", "--check"))
    assert "store_locked" in status.document["gates"]

    locked.rollback()
    keeps(run, 20)
