import contextlib
import errno
import sqlite3
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from eventsync_adapters import machine
from eventsync_adapters.lost import check_not_lost
from eventsync_adapters.schema import VERSIONS
from eventsync_adapters.sqlite._connection import Database, configured_journal, connect
from eventsync_adapters.sqlite._errors import translated
from eventsync_adapters.sqlite._facts import StorageFacts
from eventsync_adapters.sqlite._migrate import applied_versions, migrate
from eventsync_adapters.sqlite._store import SqliteStores
from eventsync_core.errors import (
    StoreBusyError,
    StoreError,
    StoreFullError,
    StoreNotWritableError,
    StoreUnreadableError,
)

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory

_PARTS = ("", "-wal", "-journal")
_PAGES_AT_ONCE = 4_096
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class _ReadOnlyStores(SqliteStores):
    """
    Stores that change no committed content; a private copy goes when they are closed.

    *source* is the store that was asked for, of which a copy may be read; *mode* its journal mode.
    """

    def __init__(
        self,
        database: Database,
        copy: "TemporaryDirectory[str] | None",
        source: Path,
        mode: str,
    ) -> None:
        super().__init__(database)
        self._copy = copy
        self._source = source
        self._mode = mode

    def storage(self) -> StorageFacts:
        """Return how the store itself is stored, not its copy."""
        facts, size = super().storage(), self._source.stat().st_size
        if self._copy is not None:
            facts = attrs.evolve(facts, journal_mode=self._mode, configured_mode=self._mode)
        return attrs.evolve(facts, path=str(self._source), file_bytes=size)

    def close(self) -> None:
        super().close()
        if self._copy is not None:
            self._copy.cleanup()


def open_for_reading(path: Path, *, busy_seconds: float = 5.0) -> SqliteStores | None:
    """
    Open the store at *path* without creating or changing anything; None if there is none.

    After a crash SQLite is let to finish or undo the interrupted commit; on a read-only
    medium, and of a store that an older program wrote, a private copy is read instead.

    Raises:
        StoreError: It exists, but cannot be read.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        link = machine.dangling(path)
        if link is not None:
            raise StoreUnreadableError(f"{link} is a link to what is not there") from None
        check_not_lost(path)
        return None
    except OSError as error:
        raise _unreadable(path, error) from error
    if found.st_size == 0 and stat.S_ISREG(found.st_mode):
        check_not_lost(path)
        return None
    # So SQLite answers where a crash left work to be done, or files are missing.
    with contextlib.suppress(StoreFullError, StoreNotWritableError):
        return _opened(path, "ro", busy_seconds)
    try:
        return _opened(path, "rw", busy_seconds)
    except (StoreFullError, StoreNotWritableError) as error:
        return _from_copy(path, busy_seconds, error)


def open_at_once(path: Path) -> SqliteStores | None:
    """Open the store for reading; None where there is none, or it took a wait or a copy."""
    with contextlib.suppress(StoreError, OSError):
        if path.stat().st_size:
            return _opened(path, "ro", 0, may_copy=False)
    return None


def _opened(
    path: Path,
    mode: str,
    busy_seconds: float,
    copy: "TemporaryDirectory[str] | None" = None,
    source: Path | None = None,
    *,
    may_copy: bool = True,
) -> SqliteStores | None:
    database = connect(path, mode=mode, busy_seconds=busy_seconds)
    try:
        # Of this very connection: in a unit of this thread its statements join another.
        database.connection.execute("PRAGMA query_only = ON")
        # What is wrong with a copy is wrong with what it was made of.
        database.path = source or path
        applied = applied_versions(database)
        if applied is None or not (may_copy or applied == set(VERSIONS)):
            database.close()
            return None
        database.rows("SELECT head FROM streams LIMIT 1")
        if applied != set(VERSIONS):
            return _migrated(database, copy, source or path)
    except BaseException:
        database.close()
        raise
    return _ReadOnlyStores(database, copy, source or path, configured_journal(database))


def _migrated(
    database: Database, between: "TemporaryDirectory[str] | None", source: Path
) -> SqliteStores:
    """Read a copy that is brought to this program's version; the store itself is not."""
    copy = _private_folder(source)
    path, mode = Path(copy.name) / database.path.name, configured_journal(database)
    try:
        with contextlib.closing(sqlite3.connect(path)) as newer:
            database.connection.backup(newer, pages=_PAGES_AT_ONCE, progress=_not_busy)
        database.close()
        migrated = connect(path, mode="rw", busy_seconds=0)
        migrated.path = source
        migrate(migrated)
        migrated.run("PRAGMA query_only = ON")
    except sqlite3.Error as error:
        copy.cleanup()
        raise translated(error, str(database.path)) from error
    except BaseException:
        copy.cleanup()
        raise
    if between is not None:
        between.cleanup()
    return _ReadOnlyStores(migrated, copy, source, mode)


def _not_busy(status: int, _left: int, _all: int) -> None:
    # The driver would try again for ever; the busy time-out has passed when it says so.
    if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        raise StoreBusyError("another process is writing to the store")


def _from_copy(path: Path, busy_seconds: float, why: StoreError) -> SqliteStores | None:
    """Read a copy together with its journal; *why* is raised when that is no use either."""
    import shutil

    copy = _private_folder(path)
    try:
        for part in _PARTS:
            piece = path.with_name(path.name + part)
            if piece.exists():
                shutil.copyfile(piece, Path(copy.name) / piece.name)
        return _opened(Path(copy.name) / path.name, "rw", busy_seconds, copy, path)
    except OSError as error:
        copy.cleanup()
        made = _no_room if error.errno in _NO_ROOM else _unreadable
        raise made(path, error) from error
    except StoreError:
        copy.cleanup()
        raise why from None


def _private_folder(source: Path) -> "TemporaryDirectory[str]":
    from tempfile import TemporaryDirectory

    try:
        return TemporaryDirectory(prefix="eventsync-read-")
    except OSError as error:
        raise _no_room(source, error) from error


def _no_room(path: Path, error: OSError) -> StoreError:
    reason = error.strerror or type(error).__name__
    full = StoreFullError(f"{path} cannot be read: there is no room for a private copy: {reason}")
    full.fix_text = "free some disk space, or name a folder with room in TMPDIR, then run it again"
    return full


def _unreadable(path: Path, error: OSError) -> StoreError:
    reason = error.strerror or type(error).__name__
    return StoreUnreadableError(f"{path} cannot be read: {reason}")
