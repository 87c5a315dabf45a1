"""Reading makes nothing, changes nothing, and works after a crash."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from eventsync_adapters.sqlite import SqliteStores, open_for_reading, open_stores
from eventsync_adapters.sqlite import _reading as reading
from eventsync_adapters.sqlite._connection import Database, connect
from eventsync_core.errors import (
    StoreBusyError,
    StoreError,
    StoreNotWritableError,
    StoreUnreadableError,
)
from eventsync_core.integrity import verify
from tests.sqlite.conftest import World

CHILD = Path(__file__).with_name("dying_child.py")
needs_kill = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")


def digests(path: Path) -> dict[str, str]:
    """Return the digest of every file with content beside and including *path*."""
    return {
        each.name: sha256(each.read_bytes()).hexdigest()
        for each in path.parent.iterdir()
        if each == path or (each.suffix != ".db-shm" and each.stat().st_size)
    }


def read_all(path: Path) -> int:
    """Look at everything a status or a verification looks at; return how many entries hold."""
    stores = open_for_reading(path)
    assert stores is not None
    with stores:
        for target in stores.targets.targets():
            stores.grants.grants(target.target_id)
            stores.ledger.requests(target.target_id, "default")
            assert stores.backlog.tally(target.target_id, "default", at=1).is_coherent
        report = verify(stores.journal, "default")
        assert report.is_intact
        return report.good


def die(path: Path) -> None:
    """Leave a store whose writer was killed in the middle of a transaction."""
    done = subprocess.run([sys.executable, str(CHILD), str(path)], check=False)
    assert done.returncode == -9


def test_a_fresh_home_stays_empty(tmp_path: Path) -> None:
    """There is no store, and looking for one makes neither file nor folder."""
    assert open_for_reading(tmp_path / "home" / "eventsync.db") is None
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_is_a_store_without_events(path: Path) -> None:
    """It is what a crash before the first commit leaves; it stays empty."""
    path.parent.mkdir(parents=True)
    path.touch()

    assert open_for_reading(path) is None
    assert digests(path) == {path.name: sha256(b"").hexdigest()}


@pytest.mark.parametrize("mode", ["truncate", "wal"])
def test_reading_changes_no_byte(world: World, mode: str) -> None:
    """Not in the file and not beside it, whether somebody else has it open or not."""
    world.capture(50)
    world.drain()
    world.stores.close()
    if mode == "wal":
        with closing(sqlite3.connect(world.path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
    before = digests(world.path)

    assert read_all(world.path) == 50
    assert read_all(world.path) == 50
    assert digests(world.path) == before
    with open_stores(world.path) as writer:
        writer.journal.next_lamport("default")
        before = digests(world.path)
        assert read_all(world.path) == 50
        assert digests(world.path) == before


def test_a_reader_cannot_write(world: World) -> None:
    """Not even by mistake: SQLite refuses it."""
    world.stores.close()
    stores = open_for_reading(world.path)
    assert stores is not None

    with stores, pytest.raises(StoreNotWritableError):
        stores.journal.next_lamport("default")


@needs_kill
def test_a_hot_journal_is_undone(world: World) -> None:
    """Half a transaction stood in the file; the reader sees what was committed before it."""
    world.capture(50)
    world.drain()
    world.stores.close()
    before = digests(world.path)
    die(world.path)
    assert digests(world.path)[world.path.name] != before[world.path.name]
    assert world.path.with_name("eventsync.db-journal").stat().st_size > 0

    assert read_all(world.path) == 50

    with open_stores(world.path) as stores:
        (head,) = stores.journal.heads()
        assert (head.position, head.lamport) == (50, 0)


@needs_kill
def test_a_killed_wal_writer(world: World) -> None:
    """Frames without a commit count for nothing, also once the shared memory is gone."""
    world.capture(50)
    world.stores.close()
    with closing(sqlite3.connect(world.path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    die(world.path)
    world.path.with_name("eventsync.db-shm").unlink()

    assert read_all(world.path) == 50


def test_committed_wal_frames_without_their_index(world: World, tmp_path: Path) -> None:
    """What only the WAL holds is read although the -shm file is missing."""
    world.capture(5)
    world.stores.close()
    with closing(sqlite3.connect(world.path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    taken = tmp_path / "taken" / world.path.name
    taken.parent.mkdir()
    with open_stores(world.path) as stores:
        World(world.path, stores).capture(7, first=100)
        for part in ("", "-wal"):
            shutil.copyfile(f"{world.path}{part}", f"{taken}{part}")

    assert read_all(taken) == 12


@needs_kill
@pytest.mark.parametrize("wal", [False, True])
def test_a_read_only_medium(world: World, monkeypatch: pytest.MonkeyPatch, *, wal: bool) -> None:
    """Where nothing can be finished in place, a private copy is; it goes afterwards."""
    world.capture(50)
    world.stores.close()
    if wal:
        with closing(sqlite3.connect(world.path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
    die(world.path)
    before = digests(world.path)
    opened: list[Path] = []

    def refuse(path: Path, *, mode: str, busy_seconds: float) -> Database:
        opened.append(path)
        if path == world.path:
            raise StoreNotWritableError(f"{path} cannot be opened for writing")
        return connect(path, mode=mode, busy_seconds=busy_seconds)

    monkeypatch.setattr(reading, "connect", refuse)

    assert read_all(world.path) == 50
    assert digests(world.path) == before
    assert opened[:2] == [world.path, world.path]
    assert not opened[2].parent.exists()


@pytest.mark.parametrize(
    "content", [b"no database " * 1_000, b"SQLite format 3\0" + b"\xff" * 9_000]
)
def test_what_cannot_be_read_is_an_error(path: Path, content: bytes) -> None:
    """It is never taken for a store without events, and it is not copied first."""
    path.parent.mkdir(parents=True)
    path.write_bytes(content)

    with pytest.raises(StoreUnreadableError):
        open_for_reading(path)

    assert path.read_bytes() == content


def test_a_folder_in_its_place_is_an_error(path: Path) -> None:
    """A folder named like the database holds no events, but is not nothing either."""
    path.mkdir(parents=True)

    with pytest.raises(StoreUnreadableError, match="cannot be read"):
        open_for_reading(path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows says there is no such file")
def test_a_home_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    """What stands in the way is named, not passed over."""
    (tmp_path / "home").write_text("here")

    with pytest.raises(StoreUnreadableError, match="Not a directory"):
        open_for_reading(tmp_path / "home" / "eventsync" / "eventsync.db")


def test_a_path_that_may_not_be_looked_at_is_an_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No permission to look is unknown, not zero."""

    def refuse(_: Path, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "stat", refuse)

    with pytest.raises(StoreUnreadableError, match="denied"):
        open_for_reading(path)


def test_a_column_that_holds_no_digest_is_damage(world: World) -> None:
    """Whatever stands where a digest should is reported as damage, on the way in too."""
    world.capture(3)
    with closing(sqlite3.connect(world.path)) as connection:
        connection.execute("DROP TRIGGER entries_never_change")
        connection.execute("UPDATE entries SET canonical_digest = 'xyz' WHERE position = 2")
        connection.commit()

    report = verify(world.stores.journal, "default")

    assert (report.first_bad, report.flaw) == (2, "unreadable")
    with pytest.raises(StoreUnreadableError):
        world.capture(1, first=2)
    world.capture(1, first=4)


def test_a_writer_in_its_commit_makes_the_reader_wait(world: World) -> None:
    """After the busy time-out the answer is busy, once."""
    world.stores.close()
    with closing(sqlite3.connect(world.path, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreBusyError):
            open_for_reading(world.path, busy_seconds=0)

    assert read_all(world.path) == 0


def overwritten(raw: bytes) -> bytes:
    """Return *raw* with pages of payloads overwritten."""
    place = raw.index(b'"e100"')
    return raw[:place] + b"\xa5" * 20_000 + raw[place + 20_000 :]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "a payload that is not UTF-8": lambda raw: raw.replace(b'"e7"', b'"\xff7"', 1),
    "a payload with another letter": lambda raw: raw.replace(b'"e7"', b'"f7"', 1),
    "a stream's name that is not UTF-8": lambda raw: raw.replace(b"default", b"defau\xfft", 1),
    "pages": overwritten,
    "cut off": lambda raw: raw[: len(raw) // 2],
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_found_and_nothing_is_made_up(world: World, kind: str) -> None:
    """Flipped or missing bytes end in a flaw or in our own error, never in a traceback."""
    world.capture(500, text="x" * 200)
    world.stores.close()
    world.path.write_bytes(DAMAGE[kind](world.path.read_bytes()))

    def look() -> bool:
        stores: SqliteStores | None = open_for_reading(world.path)
        assert stores is not None
        with stores:
            heads = stores.journal.heads()
            return all(verify(stores.journal, head.stream).is_intact for head in heads)

    try:
        is_intact = look()
    except StoreError:
        is_intact = False
    assert not is_intact
