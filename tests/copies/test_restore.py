"""`journal restore`: a verified backup takes the place of what is stored, and sends nothing."""

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

import eventsync_adapters.sqlite as adapter
from eventsync_adapters.server import Serving
from eventsync_cli.__main__ import main
from tests.cli.bad_input import fails, keeps
from tests.cli.conftest import Ran, Run


@pytest.fixture
def delivered(run: Run, events: Path, receiver: Serving) -> Serving:
    """A home whose twenty events were delivered."""
    run("capture", str(events))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", f"{receiver.url}/in")
    assert run("sync", "now").code == 0
    return receiver


@pytest.fixture
def backup(run: Run, delivered: Serving, tmp_path: Path) -> Path:
    """A backup of that home."""
    path = tmp_path / "copy.db"
    assert run("journal", "backup", str(path)).code == 0
    return path


def _capture(run: Run, tmp_path: Path, *ids: str) -> None:
    path = tmp_path / "more.jsonl"
    path.write_text("".join(f'{{"event_id":"{each}"}}\n' for each in ids))
    assert run("capture", str(path)).code == 0


def _classes(run: Run) -> dict[str, int]:
    (target,) = run("sync", "status", "--json").document["targets"]
    return {name: n for name, n in target["streams"][0]["classes"].items() if n}


def test_into_an_empty_home(run: Run, backup: Path, tmp_path: Path) -> None:
    """Events, ledger and grants are as they were; nothing is sent until somebody says so."""
    there = ("--home", str(tmp_path / "other"))

    ran = run(*there, "journal", "restore", str(backup), "--json")

    assert ran.code == 0
    document = ran.document
    assert (document["events"], document["grants_resting"]) == (20, 1)
    assert (document["put_aside"], document["left_behind"]) == (None, 0)
    assert run(*there, "journal", "verify").code == 0
    (target,) = run(*there, "sync", "status", "--json").document["targets"]
    (stream,) = target["streams"]
    assert stream["classes"]["delivered"] == 20
    assert stream["paused"] == "restored from a backup"


def test_choosing_the_target_sends_nothing_after_a_restore(
    run: Run, delivered: Serving, backup: Path, tmp_path: Path
) -> None:
    """What rests is named, and rests on until its target is resumed."""
    run("journal", "restore", str(backup), "--replace")
    _capture(run, tmp_path, "late")

    chosen = run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", f"{delivered.url}/in")

    (target,) = run("sync", "status", "--json").document["targets"]
    command = f"eventsync target resume {target['target_id']}"
    assert target["streams"][0]["paused"] == "restored from a backup"
    said = "eventsync: streams that rest there since a backup was restored: 1; to let them go on: "
    assert said + command in chosen.err
    assert run("sync", "now", "--json").document["stopped_because"] == "paused"
    assert run(*command.split()[1:]).code == 0
    assert run("sync", "now").code == 0


def test_over_a_home_that_holds_events(run: Run, home: Path, backup: Path, tmp_path: Path) -> None:
    """Refused; with --replace, which is the fix, what was there is put aside and not deleted."""
    _capture(run, tmp_path, "late1", "late2")

    ran = fails(run, "journal", "restore", str(backup), code=4, error="home_not_empty")
    keeps(run, 22)
    argv = ran.document["error"]["fix"]["argv"]
    told = run(*argv[1:], "--json").document

    assert (told["events"], told["left_behind"]) == (20, 2)
    keeps(run, 20)
    aside = Path(told["put_aside"])
    assert aside.parent == home / "eventsync"
    with closing(sqlite3.connect(aside)) as old:
        assert old.execute("SELECT COUNT(*) FROM entries").fetchone() == (22,)


def test_the_fix_of_a_preview_is_a_preview(run: Run, backup: Path, tmp_path: Path) -> None:
    """Whoever runs what is printed changes no more than was asked for."""
    _capture(run, tmp_path, "late1")

    ran = fails(run, "journal", "restore", str(backup), "--dry-run", code=4, error="home_not_empty")
    told = run(*ran.document["error"]["fix"]["argv"][1:], "--json").document

    assert (told["dry_run"], told["left_behind"]) == (True, 1)
    keeps(run, 21)


def test_a_store_that_is_no_file_is_neither_copied_nor_replaced(
    run: Run, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database that is there is not what PERSISTENCE=memory names."""
    _capture(run, tmp_path, "late1")
    monkeypatch.setenv("PERSISTENCE", "memory")

    for words in (["restore", str(backup)], ["backup", str(tmp_path / "new.db")]):
        fails(run, "journal", *words, code=4, error="persistence_memory")

    monkeypatch.delenv("PERSISTENCE")
    keeps(run, 21)
    assert not (tmp_path / "new.db").exists()


def test_what_was_left_behind_can_be_brought_back(
    run: Run, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the store that was put aside."""
    _capture(run, tmp_path, "late1", "late2")
    aside = run("journal", "restore", str(backup), "--replace", "--json").document["put_aside"]

    lines = tmp_path / "lines.jsonl"
    monkeypatch.setenv("PERSIST_DB_PATH", aside)
    assert run("journal", "export", str(lines), "--all-projects").code == 0
    monkeypatch.delenv("PERSIST_DB_PATH")

    assert run("capture", str(lines), "--json").document["stored"] == 2
    keeps(run, 22)


def test_nothing_is_sent_by_surprise(
    run: Run, backup: Path, tmp_path: Path, delivered: Serving
) -> None:
    """What was delivered since is offered again only once the grant goes on: as duplicates."""
    _capture(run, tmp_path, "late1")
    assert run("sync", "now").code == 0
    held = len(list(delivered.inbox.received(limit=100)))
    with_late = tmp_path / "late.db"
    run("journal", "backup", str(with_late))

    assert run("journal", "restore", str(backup), "--replace").code == 0
    _capture(run, tmp_path, "late1")
    paused = run("sync", "now", "--json")
    assert (paused.code, paused.document["stopped_because"]) == (3, "paused")
    assert paused.document["requests"] == 0

    assert run("target", "resume").code == 0
    ran = run("sync", "now", "--json")
    assert (ran.code, ran.document["counts"]["duplicate"]) == (0, 1)
    assert len(list(delivered.inbox.received(limit=100))) == held
    assert _classes(run) == {"delivered": 21}


def test_what_was_revoked_since_stays_revoked(run: Run, backup: Path) -> None:
    """Also where the database knows it and no file does; who did it and why come along."""
    assert run("target", "revoke", "--by", "me", "--reason", "enough").code == 0

    would = run("journal", "restore", str(backup), "--replace", "--dry-run", "--json").document
    did = run("journal", "restore", str(backup), "--replace", "--json").document

    for told in (would, did):
        assert (told["grants_resting"], told["grants_revoked"]) == (0, 1)
    (target,) = run("target", "list", "--json").document["targets"]
    (grant,) = target["grants"]
    assert (grant["revoked_by"], grant["revoked_reason"]) == ("me", "enough")
    assert run("sync", "now", "--json").document["requests"] == 0


@pytest.mark.usefixtures("delivered")
def test_what_was_revoked_since_and_granted_for_less_is_not_sent(run: Run, tmp_path: Path) -> None:
    """What the renewed grant passes over does not go by the wide one of the backup."""
    _capture(run, tmp_path, "secret")
    assert run("journal", "backup", str(tmp_path / "copy.db")).code == 0
    assert run("target", "revoke").code == 0
    assert run("target", "grant", "--from-now").code == 0
    given = ("journal", "restore", str(tmp_path / "copy.db"), "--replace", "--json")

    would, did = run(*given, "--dry-run").document, run(*given).document

    for told in (would, did):
        assert (told["grants_resting"], told["grants_revoked"]) == (0, 1)
    assert run("target", "resume").code == 0
    assert run("sync", "now", "--json").document["requests"] == 0


def test_a_revocation_in_a_file_counts(run: Run, home: Path, backup: Path) -> None:
    """It stands beside the store and is folded in."""
    with closing(sqlite3.connect(home / "eventsync" / "eventsync.db", isolation_level=None)) as it:
        it.execute("BEGIN IMMEDIATE")
        assert run("target", "revoke").code == 0

    told = run("journal", "restore", str(backup), "--replace", "--dry-run", "--json").document
    did = run("journal", "restore", str(backup), "--replace", "--json").document

    assert {**told, "put_aside": None} == {**did, "dry_run": True, "put_aside": None}
    assert run("target", "resume").code == 0
    assert run("sync", "now", "--json").document["requests"] == 0


def test_a_dry_run_changes_nothing(run: Run, home: Path, backup: Path, tmp_path: Path) -> None:
    """Its counts are those of the act."""
    _capture(run, tmp_path, "late1")
    folder = home / "eventsync"
    before = {each: each.read_bytes() for each in folder.iterdir() if each.is_file()}

    would = run("journal", "restore", str(backup), "--replace", "--dry-run", "--json").document

    assert {each: each.read_bytes() for each in folder.iterdir() if each.is_file()} == before
    did = run("journal", "restore", str(backup), "--replace", "--json").document
    counts = ("events", "left_behind", "grants_resting", "grants_revoked")
    assert [would[each] for each in counts] == [did[each] for each in counts]


def test_a_dry_run_makes_no_home(run: Run, backup: Path, tmp_path: Path) -> None:
    """Nor a file in one."""
    there = tmp_path / "other"

    assert run("--home", str(there), "journal", "restore", str(backup), "--dry-run").code == 0
    assert not there.exists()


def _broken(backup: Path) -> None:
    with closing(sqlite3.connect(backup, isolation_level=None)) as database:
        database.execute("DROP TRIGGER payloads_never_change")
        database.execute("UPDATE payloads SET text = replace(text, 'e3', 'e4')")


def _torn(backup: Path) -> None:
    data = bytearray(backup.read_bytes())
    for place in range(8_192, len(data) - 8_192, 8_192):
        data[place : place + 64] = b"\xff" * 64
    backup.write_bytes(data)


def _junk(backup: Path) -> None:
    backup.write_bytes(b"this is no database at all" * 400)


def _with_a_trigger(backup: Path) -> None:
    with closing(sqlite3.connect(backup)) as database:
        database.execute(
            "CREATE TRIGGER alien AFTER INSERT ON entries BEGIN DELETE FROM superseded; END"
        )


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        (_broken, "backup_damaged"),
        (_torn, ""),
        (_junk, "backup_damaged"),
        (_with_a_trigger, "backup_damaged"),
    ],
)
def test_a_damaged_backup_is_not_restored(
    run: Run, home: Path, backup: Path, damage: object, error: str
) -> None:
    """What is stored stays, and nothing lies around."""
    assert callable(damage)
    damage(backup)
    names = sorted(each.name for each in (home / "eventsync").iterdir())

    ran = run("journal", "restore", str(backup), "--replace", "--json")

    assert ran.code == 5
    assert error in ("", ran.document["error"]["code"])
    keeps(run, 20)
    assert sorted(each.name for each in (home / "eventsync").iterdir()) == names


def test_a_backup_is_no_export_and_the_reverse(
    run: Run, home: Path, backup: Path, events: Path
) -> None:
    """Each command that is given the file of the other one says so, and what helps."""
    ran = fails(run, "journal", "import", str(backup), code=64, error="input_unusable")
    argv = ran.document["error"]["fix"]["argv"]
    assert argv == ["eventsync", "journal", "restore", str(backup)]

    ran = fails(run, "journal", "restore", str(events), code=5, error="backup_damaged")
    assert "that eventsync journal backup made" in ran.document["error"]["fix"]["text"]
    keeps(run, 20)
    assert sorted(each.name for each in (home / "eventsync").iterdir())[0] == "eventsync.db"


def test_a_damaged_one_is_better_than_none(run: Run, backup: Path, tmp_path: Path) -> None:
    """If it is said so."""
    _broken(backup)
    there = ("--home", str(tmp_path / "other"))

    for more in (["--dry-run"], []):
        ran = run(*there, "journal", "restore", str(backup), "--damaged", *more)
        assert (ran.code, "verified" in ran.out) == (0, False)
        assert "damaged: stream default, position 4: the stored text is not" in ran.out
    again = ("journal", "restore", str(backup), "--damaged", "--replace", "--json")
    assert "position 4" in run(*there, *again).document["flaw"]
    assert run(*there, "journal", "verify").code == 5


def test_a_store_that_is_no_database_is_put_aside_whole(run: Run, home: Path, backup: Path) -> None:
    """A backup is the way out."""
    database = home / "eventsync" / "eventsync.db"
    junk = b"no database" * 1_000
    database.write_bytes(junk)
    database.with_name("eventsync.db-wal").write_bytes(b"a log")

    fails(run, "journal", "restore", str(backup), code=4, error="home_not_empty")
    told = run("journal", "restore", str(backup), "--replace", "--json").document

    assert told["left_behind"] is None
    aside = Path(told["put_aside"])
    assert aside.read_bytes() == junk
    assert not database.with_name("eventsync.db-wal").exists()
    keeps(run, 20)


def test_a_store_in_wal_mode_gives_way_too(run: Run, home: Path, backup: Path) -> None:
    """Its log is taken in before it is put aside, and it stays in that mode."""
    database = home / "eventsync" / "eventsync.db"
    with closing(sqlite3.connect(database)) as it:
        it.execute("PRAGMA journal_mode = WAL")

    told = run("journal", "restore", str(backup), "--replace", "--json").document

    with closing(sqlite3.connect(database)) as it:
        assert it.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    with closing(sqlite3.connect(told["put_aside"])) as old:
        assert old.execute("SELECT COUNT(*) FROM entries").fetchone() == (20,)
    keeps(run, 20)


def test_a_busy_store_is_left_alone(
    home: Path, backup: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody writes: it is refused, and all is as it was."""
    put = adapter.put_in_place
    monkeypatch.setattr(adapter, "put_in_place", partial(put, busy_seconds=0))
    database = home / "eventsync" / "eventsync.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as it:
        it.execute("BEGIN IMMEDIATE")
        fails(run, "journal", "restore", str(backup), "--replace", code=5, error="store_busy")

    keeps(run, 20)
    assert not list((home / "eventsync").glob("*before-restore*"))


def test_an_unknown_file(run: Run, home: Path, tmp_path: Path) -> None:
    """Cannot be opened: usage."""
    ran: Ran = run("journal", "restore", str(tmp_path / "none.db"), "--json")

    assert (ran.code, ran.document["error"]["code"]) == (64, "usage")
    assert not home.exists()
    assert main(["journal", "restore", str(tmp_path / "none.db")]) == 64
