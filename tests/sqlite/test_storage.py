"""How the file is stored: journal mode, durability, file modes, and the gate before WAL."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from eventsync_adapters import machine
from eventsync_adapters.sqlite import (
    is_exposed,
    open_for_reading,
    open_stores,
    set_journal_mode,
)
from eventsync_core.errors import (
    JournalModeRefusedError,
    StoreBusyError,
    StoreNewerError,
    StoreUnreadableError,
)
from tests.sqlite.conftest import World

_SAFE = (3, 51, 3)
_WRITE = """
import sqlite3, sys
try:
    sqlite3.connect(sys.argv[1], timeout=0).execute("BEGIN IMMEDIATE")
except sqlite3.OperationalError as error:
    sys.exit(error.sqlite_errorcode)
"""


def mode_of(path: Path) -> str:
    """Return the journal mode that a plain connection meets."""
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("PRAGMA journal_mode").fetchone()[0])


def make_wal(path: Path) -> None:
    """Put the store into WAL mode with plain sqlite3: the gate would refuse it here."""
    open_stores(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


@pytest.fixture
def pragmas(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], object]:
    """Return what asks the connection of the last opened store for a pragma."""
    opened: list[sqlite3.Connection] = []
    plain = sqlite3.connect

    def connect(*arguments: object, **more: object) -> sqlite3.Connection:
        opened.append(plain(*arguments, **more))  # type: ignore[call-overload]
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", connect)
    return lambda name: opened[-1].execute(f"PRAGMA {name}").fetchone()[0]


@pytest.mark.parametrize(
    ("version", "exposed"),
    [
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 44, 9), False),
        ((3, 45, 0), True),
        ((3, 49, 2), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 0), True),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 52, 0), False),
        ((4, 0, 0), False),
    ],
)
def test_exposed_versions(version: tuple[int, ...], *, exposed: bool) -> None:
    """Fixed in 3.51.3, and earlier in two series."""
    assert is_exposed(version) is exposed


@pytest.mark.parametrize(("durability", "level"), [("full", 2), ("normal", 1)])
def test_a_new_file_truncates_its_journal(
    path: Path, pragmas: Callable[[str], object], durability: str, level: int
) -> None:
    """TRUNCATE with synchronous FULL unless the host chose less; read from the connection."""
    with open_stores(path, durability=durability) as stores:
        assert (pragmas("journal_mode"), pragmas("synchronous")) == ("truncate", level)
        assert stores.storage().journal_mode == "truncate"
        assert stores.is_durable is (durability == "full")


def test_a_wal_file_stays_one(path: Path, pragmas: Callable[[str], object]) -> None:
    """WAL was somebody's choice; commits are as safe as before."""
    make_wal(path)

    with open_stores(path) as stores:
        assert stores.storage().journal_mode == "wal"
        assert pragmas("synchronous") == 2


@pytest.mark.parametrize("mode", ["truncate", "wal"])
def test_a_reader_says_what_a_writer_would(path: Path, mode: str) -> None:
    """Only WAL is written into the file; the rest is asked for."""
    open_stores(path).close()
    if mode == "wal":
        make_wal(path)
    stores = open_for_reading(path)
    assert stores is not None

    with stores:
        facts = stores.storage()

    assert facts.journal_mode == facts.configured_mode == mode


def test_looking_gives_no_lock_away(path: Path) -> None:
    """Whoever opens and closes the file other than by SQLite drops the locks of his process."""
    with open_stores(path) as stores, stores.atomic():
        stores.storage()
        with open_for_reading(path) or stores as reader:
            reader.storage()

        tried = subprocess.run([sys.executable, "-c", _WRITE, str(path)], check=False)

    assert tried.returncode == 5


def test_an_unknown_durability_is_refused(path: Path) -> None:
    """A slip of the pen does not weaken a promise."""
    with pytest.raises(ValueError, match="durability"):
        open_stores(path, durability="none")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such file modes")
def test_nobody_else_may_read(tmp_path: Path) -> None:
    """Folders that are made are 0700 and files 0600, whatever the umask leaves."""
    path = tmp_path / "a" / "b" / "eventsync.db"
    before = os.umask(0)
    try:
        with open_stores(path) as stores:
            stores.journal.next_lamport("s")
    finally:
        os.umask(before)

    made = [path.parent.parent, path.parent, *path.parent.iterdir()]
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in made}
    assert modes == {
        "a": 0o700,
        "b": 0o700,
        "eventsync.db": 0o600,
        "eventsync.db-journal": 0o600,
    }


def test_wal_is_refused_where_sqlite_can_corrupt_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file stays as it is, and the reason names the version."""
    open_stores(path).close()
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))

    with pytest.raises(JournalModeRefusedError, match="can corrupt") as caught:
        set_journal_mode(path, "wal")

    assert caught.value.code == "journal_mode_refused"
    assert mode_of(path) == "delete"


def test_wal_is_refused_on_a_remote_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shared memory between machines is none."""
    open_stores(path).close()
    monkeypatch.setattr(sqlite3, "sqlite_version_info", _SAFE)
    monkeypatch.setattr(machine, "is_local_disk", lambda _: False)

    with pytest.raises(JournalModeRefusedError, match="local disk"):
        set_journal_mode(path, "wal")

    assert mode_of(path) == "delete"


def test_wal_and_back(path: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a safe library and a local disk it is a free choice; what is stored stays."""
    world.capture(3)
    world.stores.close()
    monkeypatch.setattr(sqlite3, "sqlite_version_info", _SAFE)
    monkeypatch.setattr(machine, "is_local_disk", lambda _: True)

    assert set_journal_mode(path, "wal").journal_mode == "wal"
    assert mode_of(path) == "wal"
    assert set_journal_mode(path, "truncate").journal_mode == "truncate"
    assert mode_of(path) == "delete"
    with open_stores(path) as stores:
        assert len(stores.journal.entries("default")) == 3


def test_leaving_wal_needs_the_file_alone(path: Path) -> None:
    """While another connection has it open nothing changes; afterwards it works."""
    make_wal(path)
    with open_stores(path) as stores:
        stores.journal.next_lamport("s")
        with pytest.raises(StoreBusyError):
            set_journal_mode(path, "truncate", busy_seconds=0)
        assert stores.journal.next_lamport("s") == 2

    assert mode_of(path) == "wal"
    assert set_journal_mode(path, "truncate").journal_mode == "truncate"


def test_the_mode_of_a_foreign_file_is_left_alone(path: Path) -> None:
    """Neither another program's database nor one of a newer program is converted."""
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE other (a)")
    with pytest.raises(StoreUnreadableError, match="another program"):
        set_journal_mode(path, "truncate")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE schema_migrations (version TEXT, applied_at INTEGER)")
        connection.execute("INSERT INTO schema_migrations VALUES ('9999_future', 1)")
        connection.commit()
    with pytest.raises(StoreNewerError):
        set_journal_mode(path, "truncate")

    assert mode_of(path) == "wal"
