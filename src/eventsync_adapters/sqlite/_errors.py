"""Driver errors become ours here and nowhere else."""

import sqlite3
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeAlias, TypeVar

from eventsync_core.errors import (
    EventSyncError,
    NothingOpenError,
    StoreBusyError,
    StoreFullError,
    StoreNotWritableError,
    StoreUnreadableError,
)

_BY_CODE: dict[int, tuple[type[EventSyncError], str]] = {
    sqlite3.SQLITE_BUSY: (StoreBusyError, "another process is writing to {path}"),
    # The locks of a WAL file changed hands too often while we waited for them.
    sqlite3.SQLITE_PROTOCOL: (StoreBusyError, "other processes are writing to {path}"),
    sqlite3.SQLITE_LOCKED: (StoreBusyError, "{path} is locked"),
    sqlite3.SQLITE_FULL: (StoreFullError, "no space is left for {path}"),
    # The index of a WAL, which whoever reads makes: SQLite tells no lack of space there.
    sqlite3.SQLITE_IOERR_SHMSIZE: (StoreFullError, "no space is left beside {path}"),
    sqlite3.SQLITE_READONLY: (StoreNotWritableError, "{path} cannot be written"),
    sqlite3.SQLITE_PERM: (StoreNotWritableError, "{path} cannot be written"),
    sqlite3.SQLITE_CANTOPEN: (StoreNotWritableError, "{path} cannot be opened for writing"),
    sqlite3.SQLITE_IOERR: (StoreNotWritableError, "the disk under {path} reports an error"),
    sqlite3.SQLITE_NOTADB: (StoreUnreadableError, "{path} is not a database"),
    sqlite3.SQLITE_CORRUPT: (StoreUnreadableError, "{path} is damaged"),
}


DriverError: TypeAlias = sqlite3.Error | UnicodeDecodeError
# The second: what SQLite says quotes the schema, and that is no UTF-8 any more.
DRIVER_ERRORS = (sqlite3.Error, UnicodeDecodeError)


_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")


def understood(make: Callable[_Given, _Made]) -> Callable[_Given, _Made]:
    """Let *make*, which makes something of a row, report what no row of ours holds as damage."""

    @wraps(make)
    def checked(*values: _Given.args, **named: _Given.kwargs) -> _Made:
        try:
            return make(*values, **named)
        except (ValueError, TypeError, AttributeError) as error:
            message = "the database is damaged: it holds what eventsync never writes"
            raise StoreUnreadableError(message) from error

    return checked


@understood
def bytes_in(word: str) -> bytes:
    """Return the bytes that are written as hex in *word*."""
    return bytes.fromhex(word)


@understood
def words_in(word: str) -> str:
    """Return *word* if it is the text that it should be."""
    return str.__str__(word)


def is_busy(error: DriverError) -> bool:
    """Say whether *error* means that another connection holds the file just now."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def translated(error: DriverError, path: str) -> Exception:
    """
    Return our error for the driver's, or the driver's own where it shows a bug of ours.

    The extended result code is looked at, not the text. What the guards of the tables refuse,
    and a statement of theirs that fails, are damage: our own statements agree with them.
    """
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(error, UnicodeDecodeError):
        return StoreUnreadableError(f"{path} is damaged")
    if code == sqlite3.SQLITE_ERROR or isinstance(error, sqlite3.IntegrityError):
        return StoreUnreadableError(f"{path} holds what eventsync never writes: {error}")
    if code is None:
        if isinstance(error, sqlite3.ProgrammingError):
            return NothingOpenError(f"the store {path} cannot be used here: {error}")
        if isinstance(error, sqlite3.OperationalError):
            # The driver's own: bytes in a column of text that are not UTF-8.
            return StoreUnreadableError(f"{path} is damaged")
        return error
    found = _BY_CODE.get(code, _BY_CODE.get(code & 0xFF))
    if found is None:
        return error
    kind, message = found
    return kind(message.format(path=path))
