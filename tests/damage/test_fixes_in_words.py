"""A fix of `sync doctor` that is no command is done as it says, in the state that prints it."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from eventsync_adapters import machine, schema
from eventsync_adapters.server import Serving
from eventsync_adapters.sqlite import _migrate
from eventsync_core.clock import DAY
from eventsync_core.diagnosis import _rules
from tests.cli.conftest import Run
from tests.damage.damaging import beside_its_indexes, spoil, unguarded
from tests.damage.test_doctor import database as database
from tests.damage.test_doctor import found, mend
from tests.damage.test_doctor import sound as sound
from tests.damage.test_findings import findings, left

MEBIBYTE = 1024 * 1024


def told(run: Run, code: str) -> str:
    """Return the fix of *code*, which names no command; it is said to people as well."""
    fix: dict[str, Any] = found(run)[code]["fix"]
    assert fix.keys() == {"text"}
    assert fix["text"] in " ".join(run("sync", "doctor").out.split())
    return str(fix["text"])


@pytest.mark.usefixtures("sound")
def test_disk_space_is_freed(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a disk of which a file takes the most."""
    large = tmp_path / "large"
    large.write_bytes(b"")
    monkeypatch.setattr(machine, "free_bytes", lambda _: (5 if large.exists() else 500) * MEBIBYTE)
    assert told(run, "disk_space_low") == "free some disk space there"

    large.unlink()

    assert found(run) == {}


@pytest.mark.usefixtures("sound")
def test_the_database_is_made_writable(
    run: Run, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may write whatever its mode says, so the mode is looked at."""
    monkeypatch.setattr(
        machine, "may_write", lambda path: not path.exists() or bool(path.stat().st_mode & 0o200)
    )
    database.chmod(0o400)
    assert told(run, "store_not_writable").startswith("make the file and its folder writable")
    assert run("sync", "doctor").code == 5

    database.chmod(0o600)

    assert found(run) == {}


def test_another_home_on_a_local_disk(
    run: Run, sound: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that was stored on the remote one is there, and what was delivered is known."""
    local, copy = tmp_path / "local", tmp_path / "copy.db"
    monkeypatch.setattr(
        machine, "disk_kind", lambda path: "ext4" if str(local) in str(path) else "nfs4"
    )
    fix = told(run, "disk_not_local")
    for part in ("eventsync journal backup FILE", "--home DIR journal restore FILE"):
        assert part in fix

    assert run("journal", "backup", str(copy)).code == 0
    assert run("--home", str(local), "journal", "restore", str(copy)).code == 0

    assert run("--home", str(local), "sync", "doctor", "--json").document["findings"] == []
    chosen = ("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", sound.url)
    assert run("--home", str(local), *chosen).code == 0
    again = run("--home", str(local), "sync", "now", "--json").document
    assert again["counts"]["delivered"] == 0
    (target,) = run("--home", str(local), "sync", "status", "--json").document["targets"]
    assert target["classes"]["delivered"] == 20


@pytest.mark.usefixtures("sound")
def test_a_good_copy_where_mending_is_refused(run: Run, database: Path, tmp_path: Path) -> None:
    """While the ledger holds a word that is no outcome no finding names `sync doctor --mend`."""
    copy = tmp_path / "copy.db"
    run("journal", "backup", str(copy))
    unguarded(
        database,
        ("UPDATE ledger SET outcome = 'successx' WHERE position = 2", ()),
        ("DELETE FROM ledger WHERE position IN (7, 9)", ()),
        ("UPDATE ledger SET outcome = 'rejected', due_at = 1 WHERE position = 3", ()),
    )
    assert run("sync", "doctor", "--mend").code == 5

    for code in ("counters_differ", "events_left_behind", "due_differs"):
        assert "eventsync journal restore BACKUP --replace" in told(run, code)
    assert run("journal", "restore", str(copy), "--replace").code == 0
    for aside in database.parent.glob("*.before-restore-*"):
        aside.unlink()

    assert found(run) == {}


@pytest.mark.usefixtures("sound")
def test_the_programs_that_have_it_open_end(
    run: Run, database: Path, events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last to close the database takes in what waits beside it."""
    monkeypatch.setattr(_rules, "MOST_WAL_BYTES", 8 * 1024)
    with closing(sqlite3.connect(database)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM entries").fetchone()
        events.write_text(events.read_text().replace('": "e', '": "f'))
        assert run("capture", str(events)).code == 0
        assert told(run, "wal_large").startswith("let the programs that have it open end")

    assert "wal_large" not in found(run)
    assert run("journal", "verify", "--json").document["ok"]


def test_the_next_command_that_writes(
    run: Run, events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It brings the database of an older eventsync up to date."""
    with monkeypatch.context() as older:
        older.setattr(_migrate, "VERSIONS", schema.VERSIONS[:-2])
        assert run("capture", str(events)).code == 0
    assert told(run, "schema_older").startswith("the next command that writes")
    assert "schema_older" in found(run)

    assert run("capture", str(events)).code == 0

    assert found(run) == {}


@pytest.mark.usefixtures("sound")
def test_the_copies_are_deleted(run: Run, database: Path, tmp_path: Path) -> None:
    """By who looked whether anything of them is needed."""
    copy = tmp_path / "copy.db"
    run("journal", "backup", str(copy))
    aside = run("journal", "restore", str(copy), "--replace", "--json").document["put_aside"]
    assert told(run, "copies_left").startswith("delete them")

    Path(aside).unlink()

    assert found(run) == {}
    assert database.exists()


@pytest.mark.usefixtures("sound")
def test_the_clock_is_set(run: Run, events: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a machine that ran a day ahead, when it was, and then a day behind of that."""
    true = machine.now
    with monkeypatch.context() as ahead:
        ahead.setattr(machine, "now", lambda: true() + DAY)
        events.write_text('{"event_id": "tomorrow"}\n')
        run("capture", str(events))
    assert told(run, "clock_behind") == "set this machine's clock; nothing is lost"

    monkeypatch.setattr(machine, "now", lambda: true() + DAY)

    assert found(run) == {}
    assert run("sync", "now", "--json").document["counts"]["delivered"] == 1


@pytest.mark.usefixtures("sound")
def test_the_next_drain_takes_over(run: Run, database: Path, sound: Serving, events: Path) -> None:
    """From a sender that ended while another target was chosen."""
    left(database)
    run("sync", "mode", "LOCAL_RETENTION")
    assert told(run, "sender_gone") == "the next drain that sends to it takes over"

    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", sound.url)
    events.write_text('{"event_id": "another"}\n')
    run("capture", str(events))
    assert run("sync", "now").code == 0

    assert found(run) == {}


@pytest.mark.usefixtures("sound")
def test_an_export_mends_a_damaged_text(run: Run, database: Path, tmp_path: Path) -> None:
    """When all that is damaged is set aside, no command is left to be named."""
    lines = tmp_path / "all.jsonl"
    assert run("journal", "export", str(lines)).code == 0
    spoil(database, ["e4"], "{}")
    assert run("journal", "quarantine", "--damaged").code == 0
    assert told(run, "journal_damaged").startswith("eventsync journal import FILE")

    assert run("journal", "import", str(lines)).code == 0

    assert found(run) == {}


def _other_schema(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER payloads_never_change")


def _loose_end(path: Path) -> None:
    unguarded(path, ("INSERT INTO released_holds VALUES (1, 99, 1, '', '', '', 1, '', 1)", ()))


def _flawed(path: Path) -> None:
    beside_its_indexes(path, "producers", "INSERT INTO producers VALUES (9, 'a', NULL, '')")


DAMAGE: dict[str, Callable[[Path], None]] = {
    "database_damaged": _flawed,
    "references_broken": _loose_end,
    "schema_differs": _other_schema,
}


@pytest.mark.usefixtures("sound")
def test_what_was_held_is_held_anew(run: Run, database: Path, events: Path) -> None:
    """All that it may be is; what was not held goes on afterwards."""
    events.write_text('{"event_id": "a"}\n{"event_id": "b"}\n{"event_id": "c"}\n')
    run("capture", str(events))
    run("journal", "hold", "a")
    assert run("sync", "now").code == 0
    unguarded(database, ("DELETE FROM holds", ()), ("DELETE FROM ledger WHERE position = 22", ()))
    unguarded(database, ("UPDATE tallies SET entries = entries - 1", ()))
    assert told(run, "holds_lost").startswith("eventsync journal hold each")

    assert run("journal", "hold", "a", "b").code == 0
    run("sync", "now")
    assert run("sync", "doctor", "--mend").code == 0
    assert run("journal", "release", "b").code == 0

    assert found(run) == {}
    again = run("sync", "now", "--json").document["counts"]
    assert (again["selected"], again["duplicate"]) == (1, 1)


@pytest.mark.usefixtures("sound")
@pytest.mark.parametrize("code", DAMAGE)
def test_a_good_copy_is_restored(run: Run, database: Path, tmp_path: Path, code: str) -> None:
    """What was stored is put aside, and deleted when nobody needs it."""
    copy = tmp_path / "copy.db"
    run("journal", "backup", str(copy))
    DAMAGE[code](database)
    assert told(run, code).startswith("eventsync journal restore BACKUP --replace")

    restored = run("journal", "restore", str(copy), "--replace", "--json").document
    Path(restored["put_aside"]).unlink()

    assert found(run) == {}


_SETTINGS = {
    "config_unreadable": "[event_sync\n",
    "mode_unknown": '[event_sync]\nmode = "nope"\n',
    "target_url_invalid": '[event_sync]\nmode = "external_receiver"\nexternal_endpoint = "x"\n',
}


@pytest.mark.usefixtures("sound")
@pytest.mark.parametrize("code", _SETTINGS)
def test_the_configuration_is_corrected(run: Run, home: Path, code: str) -> None:
    """What was wrong in it, and nothing else."""
    config = home / "config.toml"
    good = config.read_text()
    config.write_text(_SETTINGS[code])
    assert told(run, code) == f"correct {config}"

    config.write_text(good)

    assert found(run) == {}


def test_one_of_two_servers_is_chosen(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the command that is named."""
    run("sync", "server", "https://a.example")
    monkeypatch.setenv("SPEC_KITTY_SAAS_URL", "https://b.example")
    conflict = found(run)["target_conflict"]
    assert conflict["severity"] == "warning"

    mend(run, conflict)

    assert "target_conflict" not in found(run)


@pytest.mark.usefixtures("sound")
def test_a_program_that_is_as_new(
    run: Run, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It knows what the newer one did to the database."""
    unguarded(database, ("INSERT INTO schema_migrations VALUES ('9999_future', 1)", ()))
    assert told(run, "store_newer").startswith("use an eventsync at least as new")

    monkeypatch.setattr(_migrate, "VERSIONS", (*schema.VERSIONS, "9999_future"))

    assert found(run) == {}


@pytest.mark.usefixtures("sound")
def test_a_copy_for_what_is_no_database(run: Run, database: Path, tmp_path: Path) -> None:
    """It is put in place of that, which is kept beside it."""
    copy = tmp_path / "copy.db"
    run("journal", "backup", str(copy))
    database.write_bytes(b"no database at all\n" * 500)
    assert "eventsync journal restore BACKUP --replace" in told(run, "store_unreadable")

    assert run("journal", "restore", str(copy), "--replace").code == 0
    for aside in database.parent.glob("*.before-restore-*"):
        aside.unlink()

    assert found(run) == {}


def test_every_fix_in_words_is_done() -> None:
    """A new one fails here until it is."""
    done = set(re.findall(r'told\(run, "(\w+)"\)', Path(__file__).read_text())) | DAMAGE.keys()
    in_words = {code for code, is_argv in findings() if not is_argv}

    assert in_words <= done
