import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from eventsync_adapters import machine
from eventsync_adapters.sqlite._damaged import spoilt_or_text
from eventsync_adapters.sqlite._errors import DRIVER_ERRORS, DriverError, is_busy, translated
from eventsync_core.errors import NothingOpenError, StoreError, StoreUnreadableError

# SQLite waits ever longer between two looks at a lock, and whoever waits 100 ms between them
# never meets the gap that two busy writers leave. So it waits no longer than this at a time.
_PATIENCE_SECONDS = 0.02
_CACHE_KIB = 16_384

# The only process-wide state: which connection has a unit of work open, by thread and file.
# A second store on the same file joins that unit instead of waiting for its own process.
# The process is part of the key: a fork takes the table along, but not the right to use it.
_units: dict[tuple[int, int, int, int], "Database"] = {}


class Database:
    """One connection to one file; statements join the unit of work that is open in this thread."""

    def __init__(self, connection: sqlite3.Connection, path: Path, *, busy_seconds: float) -> None:
        self.path = path
        self._busy_seconds = busy_seconds
        self.connection = connection
        self._pid = os.getpid()
        # Of that moment: a relative path means another file once the working directory changed.
        self._place = path.absolute()
        self._file = _identity(path)
        self.depth = 0
        # How often numbers of names may have become others.
        self.upsets = 0
        self._schema = 0
        self._prepare: Callable[[Database], None] | None = None
        self._is_guest = False
        self._why_over = ""

    def _active(self) -> "Database":
        if os.getpid() != self._pid:
            raise NothingOpenError(f"the store {self.path} was opened before a fork; open it anew")
        if self._why_over:
            raise NothingOpenError(self._why_over)
        if self.depth:
            return self
        return _units.get(self._key(), self)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a query and return all its rows; never leaves a statement open."""
        active = self._active()
        try:
            return active.connection.execute(sql, values).fetchall()
        except DRIVER_ERRORS as error:
            return active.execute_later(error, sql, values).fetchall()

    def rows_of_words(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """As `rows`, for words that are only shown; what is no UTF-8 comes as `Spoilt`."""
        try:
            return self.rows(sql, values)
        except StoreUnreadableError:
            with self.lenient():
                return self.rows(sql, values)

    @contextmanager
    def lenient(self) -> Iterator[None]:
        """Let texts that are no UTF-8 be read as `Spoilt` in the block, instead of failing."""
        connection = self._active().connection
        connection.text_factory = spoilt_or_text
        try:
            yield
        finally:
            connection.text_factory = str

    def row(self, sql: str, values: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """Run a query and return its first row."""
        rows = self.rows(sql, values)
        return rows[0] if rows else None

    def each(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Run a query and yield its rows; the caller stops soon, and the statement with it."""
        active = self._active()
        try:
            cursor = active.connection.execute(sql, values)
        except DRIVER_ERRORS as error:
            cursor = active.execute_later(error, sql, values)
        try:
            try:
                yield from cursor
            finally:
                cursor.close()
        except DRIVER_ERRORS as error:
            raise translated(error, str(self.path)) from error

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run a statement inside a unit of work and return how many rows it changed."""
        active = self._active()
        active.check_unit()
        try:
            return active.connection.execute(sql, values).rowcount
        except DRIVER_ERRORS as error:
            return active.execute_later(error, sql, values).rowcount

    def execute_later(self, error: DriverError, sql: str, values: Sequence[Any]) -> sqlite3.Cursor:
        """
        Execute a statement again while *error* says that somebody else holds the file.

        Raises:
            StoreError: The busy time is over, or it is another error.
        """
        deadline = machine.monotonic() + self._busy_seconds
        while is_busy(error) and machine.monotonic() < deadline:
            try:
                return self.connection.execute(sql, values)
            except DRIVER_ERRORS as later:
                error = later
        self.note_undone()
        raise translated(error, str(self.path)) from error

    def run_many(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each row of *values* inside a unit of work."""
        active = self._active()
        active.check_unit()
        try:
            active.connection.executemany(sql, values)
        except DRIVER_ERRORS as error:
            active.note_undone()
            raise translated(error, str(self.path)) from error

    def check_unit(self) -> None:
        """
        Let nothing be written by itself that belongs to a unit of work.

        Raises:
            NothingOpenError: An error has undone the whole unit, as a full disk does.
        """
        if self.depth and not self.connection.in_transaction:
            words = "an earlier error has undone this unit of work"
            if self._is_guest:
                self._why_over = words = "the transaction of the host has ended, or was undone"
            raise NothingOpenError(words)

    @property
    def is_in_unit(self) -> bool:
        """A unit of work on this file is open in this thread."""
        return self._active().depth > 0

    @property
    def is_joined(self) -> bool:
        """The open unit of work belongs to another store on the same file, or to the host."""
        return self._is_guest or self._active() is not self

    def write(self) -> "Unit":
        """Run one unit of writing: all of it is stored, or none of it; units nest."""
        return Unit(self._active())

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let all queries of the block see one state; short, or writers wait."""
        active = self._active()
        if active.depth:
            yield
            return
        self.run("BEGIN")
        try:
            yield
        finally:
            self.connection.rollback()

    @contextmanager
    def joining(self) -> Iterator[None]:
        """Take the transaction that the host has open for a unit of work, and never end it."""
        if self._key() in _units:
            raise NothingOpenError(f"a unit of work is open in {self.path} already")
        _units[self._key()] = self
        self.depth = 1
        self._is_guest = True
        try:
            yield
        finally:
            self.depth = 0
            _units.pop(self._key(), None)
            self._why_over = "the block that joined the host's transaction has ended"

    def note_undone(self) -> None:
        """A full disk undoes all of a host's transaction; its next statement begins another."""
        if self._is_guest and not self.connection.in_transaction:
            self._why_over = "an error has undone the whole transaction of the host"

    def prepare(self, prepare: "Callable[[Database], None]") -> None:
        """Let *prepare* set up this connection: now, or where it joins a unit, before its first."""
        if self.is_joined:
            self._prepare = prepare
        else:
            prepare(self)

    def begin(self) -> None:
        """Open a transaction of this connection; statements of this thread join it."""
        prepare, self._prepare = self._prepare, None
        if prepare is not None:
            prepare(self)
        _units[self._key()] = self
        # IMMEDIATE: units read before they write, and a plain BEGIN can fail half way when
        # another process took the write lock in between.
        self.run("BEGIN IMMEDIATE")
        self._check_place()
        (schema,) = self.row("PRAGMA schema_version") or (0,)
        if schema != self._schema:
            # It also changes where a backup takes the place of what was stored.
            self._schema = schema
            self.upsets += 1
        self.depth = 1

    def _check_place(self) -> None:
        """
        Write nothing into a file that has lost its name to another one.

        Raises:
            StoreError: It has.
        """
        with suppress(OSError):
            if _identity(self._place) == self._file:
                return
        raise StoreError(f"{self.path} was replaced or taken away since it was opened")

    def abandon(self) -> None:
        """Undo whatever of a transaction is open and forget it; safe at any moment."""
        self.depth = 0
        self.upsets += 1
        _units.pop(self._key(), None)
        if self.connection.in_transaction:
            self.connection.rollback()

    def commit(self) -> None:
        """Commit the open transaction; one that cannot be committed is rolled back."""
        if not self.connection.in_transaction:
            self.abandon()
            raise StoreError(f"an earlier error has undone a unit of work in {self.path}")
        try:
            self.run("COMMIT")
        except BaseException:
            self.abandon()
            raise
        self.depth = 0
        del _units[self._key()]

    def _key(self) -> tuple[int, int, int, int]:
        return (self._pid, threading.get_ident(), *self._file)

    def close(self) -> None:
        """Close the connection; closing twice is fine, an open unit of work is undone."""
        if _units.get(self._key()) is self:
            self.abandon()
        try:
            self.connection.close()
        except DRIVER_ERRORS as error:
            raise translated(error, str(self.path)) from error


def _identity(path: Path) -> tuple[int, int]:
    info = path.stat()
    return info.st_dev, info.st_ino


class Unit:
    """One unit of work: a transaction, or a savepoint within the one that is open."""

    __slots__ = ("_database", "_name")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._name = ""

    def __enter__(self) -> None:
        database = self._database
        if database.depth:
            name = f"unit_{database.depth}"
            database.run(f"SAVEPOINT {name}")
            self._name = name
            database.depth += 1
            return
        try:
            database.begin()
        except BaseException:
            # An interrupt can come right after BEGIN succeeded.
            database.abandon()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        database = self._database
        if not self._name:
            if kind is None:
                database.commit()
            else:
                database.abandon()
            return
        database.depth -= 1
        if kind is None:
            database.run(f"RELEASE {self._name}")
        elif database.connection.in_transaction:
            database.run(f"ROLLBACK TO {self._name}")
            database.run(f"RELEASE {self._name}")
            database.upsets += 1


def is_in_unit() -> bool:
    """Say whether this thread has a unit of work open, in any file."""
    here = (os.getpid(), threading.get_ident())
    return any(key[:2] == here for key in list(_units))


def connect(path: Path, *, mode: str, busy_seconds: float) -> Database:
    """
    Open *path* in SQLite's *mode*: `rw` or `ro`.

    Raises:
        StoreError: It cannot be opened.
    """
    with suppress(OSError):
        if path.is_fifo():
            # Opening it would wait for whoever writes it.
            raise StoreUnreadableError(f"{path} cannot be read: it is no regular file")
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            timeout=min(busy_seconds, _PATIENCE_SECONDS),
        )
    except DRIVER_ERRORS as error:
        raise translated(error, str(path)) from error
    database = Database(connection, path, busy_seconds=busy_seconds)
    try:
        if not database.is_joined:
            database.run(f"PRAGMA cache_size = -{_CACHE_KIB}")
    except BaseException:
        database.close()
        raise
    return database


def choose_journal(database: Database) -> None:
    """
    Use the rollback journal TRUNCATE; a WAL file stays one.

    Only WAL is written into the file; any other mode is chosen by every connection.
    """
    mode = taken_journal(database)
    if mode not in ("truncate", "wal"):
        raise StoreError(f"SQLite did not take journal_mode = TRUNCATE, it says {mode}")


def taken_journal(database: Database) -> str:
    """Ask for TRUNCATE unless the file is a WAL file, and return what SQLite says it uses."""
    mode = configured_journal(database)
    if mode != "wal":
        (mode,) = database.row("PRAGMA journal_mode = TRUNCATE") or ("",)
    return str(mode)


def configured_journal(database: Database) -> str:
    """Return `wal` where the file says so; else `truncate`, which every writer asks for."""
    (mode,) = database.row("PRAGMA journal_mode") or ("",)
    return "wal" if mode == "wal" else "truncate"


def set_durability(database: Database, durability: str) -> None:
    """
    Make commits as safe as asked, and check that SQLite took it.

    Raises:
        ValueError: *durability* is neither `full` nor `normal`.
    """
    level = {"full": 2, "normal": 1}.get(durability)
    if level is None:
        raise ValueError(f"durability is 'full' or 'normal', not {durability!r}")
    database.run(f"PRAGMA synchronous = {level}")
    if machine.wants_full_fsync() and durability == "full":
        database.run("PRAGMA fullfsync = ON")
    (taken,) = database.row("PRAGMA synchronous") or (None,)
    if taken != level:
        raise StoreError(f"SQLite did not take synchronous = {level}, it says {taken}")
