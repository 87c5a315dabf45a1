import math
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from eventsync_adapters import machine
from eventsync_adapters.lost import check_not_lost
from eventsync_adapters.sqlite._connection import (
    Database,
    choose_journal,
    connect,
    set_durability,
)
from eventsync_adapters.sqlite._errors import translated
from eventsync_adapters.sqlite._migrate import applied_versions
from eventsync_core.errors import (
    StoreBusyError,
    StoreError,
    StoreFullError,
    StoreNotWritableError,
    StoreUnreadableError,
)

# 4 MiB of our pages: a step holds its lock for some milliseconds.
_PAGES_AT_ONCE = 512
_ATTEMPTS = 2
_PAUSE_SECONDS = 0.005
_PAGES = "PRAGMA page_count"
# Where the header tells in which format the file is written, and those that SQLite writes.
_FORMAT, _FORMATS = 18, (b"", b"\x01", b"\x02")
_SIDE_FILES = ("-journal", "-wal", "-shm")


class _ChangedError(Exception):
    """Somebody wrote between two steps, and SQLite began anew."""


def copy_store(
    source: Path, place: Path, *, busy_seconds: float = 5.0, hold_seconds: float = 3.0
) -> None:
    """
    Copy the whole database *source*, as it is at one moment, to the empty file *place*.

    It is copied in short steps, between which others write. Where they do so all the time, they
    wait for at most *hold_seconds*, as for any other writer. The copy is one file in rollback
    mode and is on the disk when this returns; a failure leaves it useless.

    Raises:
        StoreBusyError: It is written all the time, and too large to be copied in between.
        StoreError: It cannot be read, or the copy not be written.
    """
    check_not_lost(source)
    reader = _opened(source, busy_seconds)
    try:
        if applied_versions(reader) is None:
            raise StoreUnreadableError(f"{source} is empty")
        _copy(reader, place, busy_seconds=busy_seconds, hold_seconds=hold_seconds)
    finally:
        reader.close()
    _sync(place)


def flaw_of(place: Path) -> str:
    """Return what SQLite itself finds wrong with the database *place*; empty: nothing."""
    database = connect(place, mode="ro", busy_seconds=0)
    try:
        (said,) = database.row("PRAGMA quick_check(1)") or ("it cannot be checked",)
    except StoreUnreadableError as error:
        return error.message
    finally:
        database.close()
    return "" if said == "ok" else " ".join(str(said).split())


def put_in_place(
    prepared: Path,
    path: Path,
    aside: Path,
    *,
    settle: Callable[[], object],
    busy_seconds: float = 5.0,
) -> None:
    """
    Let what is in the database *prepared* be what is at *path*; a copy of what was goes *aside*.

    Nobody else reads or writes between the copy and the change; *settle* is called there, and may
    still write to *prepared*. Whoever has the database open sees a change of its content: the file
    stays the same one. Only one that nobody can open gives its name away, and is called *aside*.
    Where *aside* stays after a failure or an interrupt, either content may be there; else all is
    as it was.

    Raises:
        StoreBusyError: Another process uses it, or has it open in WAL mode; all is as it was.
        StoreFullError: There is no room for it; all is as it was.
        StoreNotWritableError: It cannot be copied or written.
    """
    place = Path(os.path.realpath(path))
    try:
        if not place.exists():
            settle()
            machine.give_name(prepared, place, replace=False)
        else:
            _replace(prepared, place, aside, settle, busy_seconds)
        machine.sync_folder(place.parent)
    except FileExistsError as error:
        raise StoreBusyError(f"{path} was made by another process just now") from error
    except OSError as error:
        raise StoreNotWritableError(f"{path} cannot be replaced: {error.strerror}") from error


def _replace(
    prepared: Path, place: Path, aside: Path, settle: Callable[[], object], busy_seconds: float
) -> None:
    held = _held(place, busy_seconds)
    if held is None:
        settle()
        _keep_side_files(place, aside)
        _keep(place, aside)
        machine.give_name(prepared, place, replace=True)
        return
    database, mode = held
    with closing(database), _back_in(mode, database):
        _copy_aside(database, prepared.with_name(f"{prepared.name}-aside"), aside)
        try:
            settle()
        except BaseException:
            aside.unlink()
            raise
        try:
            _fill(database, prepared)
        except StoreFullError:
            # Of nothing else is it sure that it came before the commit: a signal is heeded after.
            aside.unlink()
            raise


@contextmanager
def _back_in(mode: str, database: Database) -> Iterator[None]:
    """Let *database* be in the journal mode it was in, whatever came of the block."""
    try:
        yield
    finally:
        database.run("PRAGMA locking_mode = NORMAL")
        if mode == "wal":
            with suppress(StoreError):
                database.rows("PRAGMA journal_mode = WAL")


def _held(place: Path, busy_seconds: float) -> tuple[Database, str] | None:
    """
    Open the database at *place* for nobody else, and return its journal mode too.

    None: it is none that can be opened.
    """
    if not _is_of_known_format(place):
        return None
    try:
        database = connect(place, mode="rw", busy_seconds=busy_seconds)
    except StoreUnreadableError:
        return None
    try:
        mode = _end_wal(database)
        choose_journal(database)
        set_durability(database, "full")
        # Only once it is ours: who waits for it in that mode keeps a shared lock, and stops the
        # writer that he waits for. SQLite's backup begins a transaction of its own, for which it
        # is kept.
        database.run("BEGIN EXCLUSIVE")
        database.run("PRAGMA locking_mode = EXCLUSIVE")
        database.run("COMMIT")
    except StoreUnreadableError:
        database.close()
        return None
    except BaseException:
        database.close()
        raise
    return database, mode


def _is_of_known_format(place: Path) -> bool:
    """Say whether SQLite can write it; one whose header says else is read-only to it."""
    if not place.is_file():
        return True
    # Before anything is locked: whoever closes a file gives back its locks.
    with suppress(OSError), place.open("rb") as file:
        return file.read(_FORMAT + 1)[_FORMAT:] in _FORMATS
    return True


def _copy_aside(database: Database, unfinished: Path, aside: Path) -> None:
    try:
        os.close(machine.open_new_file(unfinished))
        _step(database, unfinished, until=math.inf)
        _sync(unfinished)
        _check_whole(unfinished, database)
        machine.give_name(unfinished, aside, replace=False)
        machine.sync_folder(aside.parent)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _check_whole(place: Path, database: Database) -> None:
    with closing(connect(place, mode="ro", busy_seconds=0)) as copy:
        if copy.row(_PAGES) != database.row(_PAGES):
            raise StoreNotWritableError(f"{place} does not hold all of {database.path}")


def _fill(database: Database, prepared: Path) -> None:
    """Let *database* hold what *prepared* holds: one transaction, which a crash undoes."""
    with closing(connect(prepared, mode="ro", busy_seconds=0)) as source:
        try:
            source.connection.backup(database.connection)
        except sqlite3.Error as error:
            raise translated(error, str(database.path)) from error


def _opened(path: Path, busy_seconds: float) -> Database:
    # What a crash left to be finished needs a writer.
    with suppress(StoreNotWritableError):
        database = connect(path, mode="ro", busy_seconds=busy_seconds)
        try:
            applied_versions(database)
        except BaseException:
            database.close()
            raise
        return database
    return connect(path, mode="rw", busy_seconds=busy_seconds)


def _target(place: Path) -> sqlite3.Connection:
    target = sqlite3.connect(place, isolation_level=None)
    # A copy that fails is thrown away, and one that succeeds is brought to the disk at its end.
    target.execute("PRAGMA journal_mode = OFF")
    target.execute("PRAGMA synchronous = OFF")
    return target


def _copy(reader: Database, place: Path, *, busy_seconds: float, hold_seconds: float) -> None:
    (mode,) = reader.row("PRAGMA journal_mode") or ("",)
    if mode == "wal":
        with reader.snapshot():
            reader.rows("SELECT version FROM schema_migrations")
            _step(reader, place, until=machine.monotonic() + busy_seconds)
        return
    for _ in range(_ATTEMPTS):
        with suppress(_ChangedError):
            _step(reader, place, until=machine.monotonic() + busy_seconds)
            return
    writer = connect(reader.path, mode="rw", busy_seconds=busy_seconds)
    try:
        with writer.write():
            until = machine.monotonic() + hold_seconds
            _step(reader, place, until=until, is_held=True)
    finally:
        writer.close()


def _step(reader: Database, place: Path, *, until: float, is_held: bool = False) -> None:
    """
    Copy all of it, step by step, or nothing that is of use.

    Raises:
        _ChangedError: Somebody wrote in between.
        StoreBusyError: Nobody let us read, or with *is_held* it took too long.
    """
    last: int | None = None

    def watch(status: int, left: int, _all: int) -> None:
        nonlocal last
        is_busy = status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
        if (is_busy or is_held) and machine.monotonic() > until:
            raise StoreBusyError(f"{reader.path} is written to all the time")
        if is_busy:
            return
        if last is not None and left >= last:
            raise _ChangedError
        last = left

    try:
        # What an attempt before left there is no database.
        os.truncate(place, 0)
    except OSError as error:
        raise StoreNotWritableError(f"{place} cannot be written: {error.strerror}") from error
    try:
        with closing(_target(place)) as target:
            reader.connection.backup(
                target, pages=_PAGES_AT_ONCE, progress=watch, sleep=_PAUSE_SECONDS
            )
            # The mode of the original came along, and a copy has to be one file.
            (mode,) = target.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.Error as error:
        raise translated(error, str(place)) from error
    if mode != "delete":
        raise StoreNotWritableError(f"{place} stays in journal mode {mode}")


def _sync(place: Path) -> None:
    try:
        descriptor = os.open(place, os.O_RDWR | getattr(os, "O_BINARY", 0))
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StoreNotWritableError(f"{place} cannot be written: {error.strerror}") from error


def _end_wal(writer: Database) -> str:
    """
    Let what a crash left be finished, and no log stand beside the database; return its mode.

    Raises:
        StoreBusyError: It is in WAL mode, and open elsewhere.
    """
    (mode,) = writer.row("PRAGMA journal_mode") or ("",)
    writer.rows("SELECT name FROM sqlite_master LIMIT 1")
    if mode == "wal":
        (left,) = writer.row("PRAGMA journal_mode = TRUNCATE") or ("",)
        if left == "wal":
            raise StoreBusyError(f"{writer.path} is open elsewhere")
    return str(mode)


def _keep(place: Path, aside: Path) -> None:
    try:
        # Its old name stays until it is given to the other one.
        os.link(place, aside)
    except FileExistsError:
        raise
    except OSError:
        # Some file systems know no second name for a file.
        place.rename(aside)


def _keep_side_files(place: Path, aside: Path) -> None:
    """What belongs to a damaged database must never be applied to another one."""
    for end in _SIDE_FILES:
        with suppress(FileNotFoundError):
            place.with_name(place.name + end).rename(aside.with_name(aside.name + end))
