import contextlib
import shutil
from pathlib import Path

import attrs

from eventsync_adapters.sqlite._connection import Database, choose_journal, connect, set_durability
from eventsync_adapters.sqlite._migrate import applied_versions
from eventsync_core.errors import StoreFullError, StoreNotWritableError

_PAGES_AT_ONCE = 512
_INCREMENTAL = 2


@attrs.frozen(kw_only=True)
class Space:
    """
    The size of a database before and after it gave back what it does not use, in bytes.

    `unused` is what it could not give back: only compacting the whole file can.
    """

    before: int
    after: int
    unused: int


def measure(path: Path, *, busy_seconds: float = 5.0) -> Space:
    """
    Return the size of the database at *path*, and what of it is unused; nothing changes.

    Raises:
        StoreError: It cannot be opened.
    """
    try:
        with contextlib.closing(connect(path, mode="ro", busy_seconds=busy_seconds)) as database:
            size = _size(database)
            return Space(before=size, after=size, unused=_unused(database))
    except StoreNotWritableError:
        # A crash left work that whoever writes next does first.
        size = path.stat().st_size
        return Space(before=size, after=size, unused=0)


def give_back(path: Path, *, busy_seconds: float = 5.0) -> Space:
    """
    Return unused pages of the database at *path* to the disk, a few at a time.

    A file that was made before this was possible keeps them, until it is compacted.

    Raises:
        StoreError: It cannot be opened or written; it is whole in any case.
    """
    with contextlib.closing(_opened(path, busy_seconds)) as database:
        before = _size(database)
        if _number(database, "auto_vacuum") == _INCREMENTAL:
            _vacuum(database)
        _empty_log(database)
        return Space(before=before, after=_size(database), unused=_unused(database))


def _vacuum(database: Database) -> None:
    """Return unused pages, fewer at a time where there is no room to note what they held."""
    step = _PAGES_AT_ONCE
    while pages := _number(database, "freelist_count"):
        try:
            database.rows(f"PRAGMA incremental_vacuum({step})")
        except StoreFullError:
            if step == 1:
                raise
            step = max(step // 8, 1)
            continue
        if _number(database, "freelist_count") >= pages:
            break


def compact(path: Path, *, busy_seconds: float = 5.0) -> Space:
    """
    Write the database at *path* anew, without anything unused or deleted in it.

    Nobody else can write meanwhile. From then on it gives back by itself what it does not use.

    Raises:
        StoreFullError: There is no room for a second copy on the disk; nothing was changed.
        StoreBusyError: Somebody else uses it; nothing was changed.
        StoreError: It cannot be opened or written; it is whole in any case.
    """
    with contextlib.closing(_opened(path, busy_seconds)) as database:
        before = _size(database)
        # One copy is written beside it, and all pages that change go to the journal.
        needed = 2 * before
        free = shutil.disk_usage(path.parent).free
        if free < needed:
            raise StoreFullError(f"compacting {path} needs {needed} bytes of room, {free} are free")
        (mode,) = database.row("PRAGMA journal_mode") or ("",)
        if mode == "wal":
            # A WAL file keeps what it says about vacuuming.
            _empty_log(database)
        database.run(f"PRAGMA auto_vacuum = {_INCREMENTAL}")
        database.run("VACUUM")
        _empty_log(database)
        return Space(before=before, after=_size(database), unused=_unused(database))


def _opened(path: Path, busy_seconds: float) -> Database:
    database = connect(path, mode="rw", busy_seconds=busy_seconds)
    try:
        applied_versions(database)
        choose_journal(database)
        set_durability(database, "full")
    except BaseException:
        database.close()
        raise
    return database


def _empty_log(database: Database) -> None:
    (mode,) = database.row("PRAGMA journal_mode") or ("",)
    if mode == "wal":
        database.rows("PRAGMA wal_checkpoint(TRUNCATE)")


def _number(database: Database, pragma: str) -> int:
    (value,) = database.row(f"PRAGMA {pragma}") or (0,)
    return int(value)


def _size(database: Database) -> int:
    return _number(database, "page_count") * _number(database, "page_size")


def _unused(database: Database) -> int:
    return _number(database, "freelist_count") * _number(database, "page_size")
