"""`journal backup`: everything as it is at one moment, verified, under its name or not at all."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from eventsync_adapters.sqlite import (
    copy_store,
    flaw_of,
    is_exposed,
    open_for_reading,
    open_stores,
)
from eventsync_core.capture import capture_many
from eventsync_core.errors import StoreBusyError, StoreError
from eventsync_core.integrity import verify
from eventsync_core.testing import make_envelope
from tests.cli.bad_input import check_document, check_told, fails, launched
from tests.cli.conftest import Run
from tests.cli.test_bad_input_full import needs_mount, on_small_disk, write_events
from tests.damage.damaging import unguarded

APPENDING = Path(__file__).parents[1] / "sqlite" / "appending_child.py"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Return where a backup goes, in a folder that is empty."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / "copy.db"


def names(out: Path) -> list[str]:
    """Return what stands where the backup goes."""
    return sorted(each.name for each in out.parent.iterdir())


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table."""
    with closing(sqlite3.connect(path)) as database:
        tables = database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
        return {
            name: database.execute(f"SELECT * FROM {name}").fetchall()  # noqa: S608
            for (name,) in tables
        }


@pytest.mark.requirement("S")
def test_all_tables_come_along(run: Run, home: Path, events: Path, out: Path) -> None:
    """Row by row; the file is for its owner only, one file, and no larger story is told."""
    run("capture", str(events))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", "http://127.0.0.1:9")
    run("journal", "hold", "e3", "--reason", "not yet")

    ran = run("journal", "backup", str(out), "--json")

    assert ran.code == 0
    size = out.stat().st_size
    found = {key: ran.document[key] for key in ("file", "file_bytes", "events", "streams_count")}
    assert found == {"file": str(out), "file_bytes": size, "events": 20, "streams_count": 1}
    assert ran.document["flaw"] is None
    assert names(out) == ["copy.db"]
    assert sys.platform == "win32" or out.stat().st_mode & 0o777 == 0o600
    assert rows(out) == rows(home / "eventsync" / "eventsync.db")


def test_a_person_is_told(run: Run, events: Path, out: Path) -> None:
    """How much it is, and that it was verified."""
    run("capture", str(events))

    ran = run("journal", "backup", str(out))

    size = out.stat().st_size
    told = f"backed up 20 events of 1 stream to {out} ({size} bytes), verified\n"
    assert (ran.code, ran.out) == (0, told)


def test_what_is_there_stays(run: Run, home: Path, events: Path, out: Path) -> None:
    """Unless --force; the home's own files stay in any case."""
    run("capture", str(events))
    out.write_text("precious")

    fails(run, "journal", "backup", str(out), code=64, error="output_exists")
    own = home / "eventsync" / "eventsync.db"
    fails(run, "journal", "backup", str(own), "--force", code=64, error="output_unusable")
    fails(run, "journal", "backup", "-", code=64, error="output_unusable")
    assert not Path("-").exists()

    assert out.read_text() == "precious"
    assert run("journal", "backup", str(out), "--force").code == 0
    assert flaw_of(out) == ""
    assert names(out) == ["copy.db"]


def test_nothing_is_stored(run: Run, home: Path, out: Path) -> None:
    """Then no backup is made, and no home either."""
    ran = run("journal", "backup", str(out), "--json")

    assert (ran.code, ran.document["file"], ran.document["events"]) == (0, None, 0)
    assert "no backup is made" in ran.err
    assert (names(out), home.exists()) == ([], False)


def test_a_revocation_in_a_file_is_part_of_it(
    run: Run, home: Path, events: Path, out: Path
) -> None:
    """Who restores it does not send what was forbidden."""
    run("capture", str(events))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", "http://127.0.0.1:9")
    database = home / "eventsync" / "eventsync.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as busy:
        busy.execute("BEGIN IMMEDIATE")
        assert run("target", "revoke", "--by", "me").code == 0
    assert list((home / "eventsync" / "revoked").iterdir())

    assert run("journal", "backup", str(out)).code == 0

    with closing(sqlite3.connect(out)) as copy:
        found = copy.execute("SELECT revoked_by FROM grants WHERE revoked_at IS NOT NULL")
        assert found.fetchall() == [("me",)]
    assert list((home / "eventsync" / "revoked").iterdir())


def _damage(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("DROP TRIGGER payloads_never_change")
        database.execute("UPDATE payloads SET text = replace(text, 'e3', 'e4')")


def test_a_damaged_store_is_told(run: Run, home: Path, events: Path, out: Path) -> None:
    """Nothing is made, unless it is wanted as it is."""
    run("capture", str(events))
    _damage(home / "eventsync" / "eventsync.db")

    ran = fails(run, "journal", "backup", str(out), code=5, error="backup_damaged")

    fix = ran.document["error"]["fix"]["text"]
    assert "eventsync journal verify" in fix
    assert "--damaged" in fix
    assert run("journal", "verify").code == 5
    assert names(out) == []
    ran = run("journal", "backup", str(out), "--damaged")
    assert (ran.code, "verified" in ran.out) == (0, False)
    assert "backed up 20 events of 1 stream" in ran.out
    assert "damaged: stream default, position 4: the stored text is not" in ran.out
    assert rows(out) == rows(home / "eventsync" / "eventsync.db")


def test_guards_that_are_gone_are_told(run: Run, home: Path, events: Path, out: Path) -> None:
    """A copy without them is not called verified."""
    run("capture", str(events))
    with closing(sqlite3.connect(home / "eventsync" / "eventsync.db")) as database:
        database.execute("DROP TRIGGER payloads_never_change")

    ran = fails(run, "journal", "backup", str(out), code=5, error="backup_damaged")

    assert "payloads_never_change is a table, index or" in ran.document["error"]["message"]
    assert "eventsync sync doctor" in ran.document["error"]["fix"]["text"]
    assert run("sync", "doctor", "--json").document["error"]["code"] == "schema_differs"
    flaw = run("journal", "backup", str(out), "--damaged", "--json").document["flaw"]
    assert flaw.startswith("payloads_never_change is")


def test_how_much_it_is_may_not_be_known(run: Run, home: Path, events: Path, out: Path) -> None:
    """That is damage like any other: it is told, and the copy is made if it is wanted."""
    run("capture", str(events))
    unguarded(home / "eventsync" / "eventsync.db", ("UPDATE streams SET head = 'xyz'", ()))

    fails(run, "journal", "backup", str(out), code=5, error="backup_damaged")
    told = run("journal", "backup", str(out), "--damaged", "--json").document

    assert (told["events"], told["streams_count"]) == (None, None)
    assert "what eventsync never writes" in told["flaw"]
    assert (
        "backed up an unknown number"
        in run("journal", "backup", str(out), "--damaged", "--force").out
    )


@needs_mount
def test_a_full_disk_leaves_nothing(home: Path) -> None:
    """The error says so; what is stored is untouched, and with room it works."""
    events = write_events(home.parent / "events.jsonl", 5)
    found = on_small_disk(
        home,
        [
            ["capture", str(events)],
            ["journal", "backup", str(home / "copy.db")],
            ["journal", "backup", str(home / "copy.db"), "--json"],
            ["fill", "0"],
            ["journal", "backup", str(home.parent / "copy.db"), "--json"],
            ["journal", "backup", str(home / "copy.db"), "--json"],
        ],
    )

    assert found[0].code == 0
    check_told(found[1], 5, "store_full")
    check_document(found[2], 5, "store_full")
    assert (found[3].code, found[3].document["events"]) == (0, 5)
    check_document(found[4], 5, "store_full")


def _fill(path: Path, count: int) -> None:
    with open_stores(path) as stores:
        for first in range(0, count, 500):
            texts = [make_envelope(f"o{n}", text="x" * 2_000) for n in range(first, first + 500)]
            capture_many(stores, texts, at=1)


def _intact(path: Path) -> Iterator[int]:
    stores = open_for_reading(path)
    assert stores is not None
    with stores:
        for head in stores.journal.heads():
            found = verify(stores.journal, head.stream)
            assert found.is_intact
            yield found.good


@pytest.mark.parametrize("mode", ["truncate", "wal"])
def test_it_is_consistent_while_others_write(tmp_path: Path, out: Path, mode: str) -> None:
    """Two writers go on all the time; each copy holds together and holds what was there before."""
    if mode == "wal" and is_exposed(sqlite3.sqlite_version_info):
        pytest.skip("this SQLite can damage a WAL database that has several writers")
    path = tmp_path / "home" / "x.db"
    _fill(path, 5_000)
    if mode == "wal":
        with closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA journal_mode = WAL")
    writers = [
        subprocess.Popen(
            [sys.executable, str(APPENDING), str(path), name, "150"],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        for name in "ab"
    ]
    for writer in writers:
        assert writer.stdout is not None
        writer.stdout.readline()
    seen = []
    while any(writer.poll() is None for writer in writers):
        out.write_bytes(b"")
        copy_store(path, out)
        assert flaw_of(out) == ""
        seen += list(_intact(out))
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0

    assert list(_intact(path)) == [5_300]
    assert seen == sorted(seen)
    assert seen[0] > 5_000
    assert names(out) == ["copy.db"]


def test_a_crashed_commit_is_finished_first(run: Run, home: Path, out: Path) -> None:
    """What a hot journal undoes is not in the copy."""
    path = home / "eventsync" / "eventsync.db"
    _fill(path, 500)
    kept = path.read_bytes()
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("PRAGMA cache_size = 2")
        writer.execute("PRAGMA synchronous = OFF")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE streams SET head = 7")
        writer.execute("CREATE TABLE junk AS SELECT text || 'x' AS t FROM payloads")
        journal = path.with_name(f"{path.name}-journal").read_bytes()
        half = path.read_bytes()
        writer.execute("ROLLBACK")
    assert half != kept
    path.write_bytes(half)
    path.with_name(f"{path.name}-journal").write_bytes(journal)

    assert run("journal", "backup", str(out), "--json").document["events"] == 500
    assert "junk" not in rows(out)


def test_it_gives_up_where_it_is_kept_out(tmp_path: Path, out: Path) -> None:
    """A lock that is not given back ends it with an error that says so."""
    path = tmp_path / "x.db"
    _fill(path, 500)
    out.write_bytes(b"")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreBusyError):
            copy_store(path, out, busy_seconds=0)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_kill_leaves_no_half_file_under_the_name(
    run: Run, home: Path, tmp_path: Path, out: Path
) -> None:
    """Whenever it comes: there is nothing, or all of it."""
    _fill(home / "eventsync" / "eventsync.db", 1_500)
    code = (
        "import os, sqlite3, sys\n"
        "from eventsync_adapters import machine\n"
        "from eventsync_cli.__main__ import main\n"
        "left = int(sys.argv[1])\n"
        "def die(*_):\n"
        "    global left\n"
        "    left -= 1\n"
        "    left < 0 and os.kill(os.getpid(), 9)\n"
        "sys.addaudithook(lambda name, _: die() if name in {'open', 'os.rename', 'os.link',"
        " 'os.remove', 'sqlite3.connect', 'os.truncate'} and sys.argv[3] in str(_) else None)\n"
        "main(['--home', sys.argv[2], 'journal', 'backup', sys.argv[3] + '/copy.db'])\n"
    )
    ended = []
    for left in range(0, 40, 3):
        done = subprocess.run(
            [sys.executable, "-c", code, str(left), str(home), str(out.parent)],
            capture_output=True,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        ended.append(done.returncode)
        if out.exists():
            assert list(_intact(out)) == [1_500]
            out.unlink()
        if done.returncode == 0:
            break
    assert set(ended[:-1]) == {-9}
    assert ended[-1] == 0
    assert len(ended) > 3


def test_what_replaced_the_store_is_not_written_to_by_mistake(tmp_path: Path) -> None:
    """Whoever had the old one open is refused, and nothing of it is stored anywhere."""
    path, other = tmp_path / "x.db", tmp_path / "y.db"
    with open_stores(other):
        pass
    with open_stores(path) as stores:
        other.replace(path)
        with pytest.raises(StoreError, match="was replaced or taken away"):
            capture_many(stores, [make_envelope("e1")], at=1)
        assert stores.journal.find("e1") is None


def test_its_own_process_is_not_disturbed(home: Path, events: Path, out: Path) -> None:
    """A backup in another process works while this one has a unit of work open."""
    _fill(home / "eventsync" / "eventsync.db", 500)
    with open_stores(home / "eventsync" / "eventsync.db") as stores, stores.atomic():
        capture_many(stores, [make_envelope("new")], at=1)
        ran = launched(home, "journal", "backup", str(out), "--json")
        assert (ran.code, ran.document["events"]) == (0, 500)
    assert sum(_intact(out)) == 500
