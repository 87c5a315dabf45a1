import sqlite3
from pathlib import Path

from eventsync_adapters import machine
from eventsync_adapters.sqlite._connection import connect
from eventsync_adapters.sqlite._facts import StorageFacts
from eventsync_adapters.sqlite._migrate import applied_versions
from eventsync_adapters.sqlite._store import SqliteStores, is_exposed
from eventsync_core.errors import JournalModeRefusedError, StoreBusyError

_MODES = {"wal": "WAL", "truncate": "TRUNCATE"}


def set_journal_mode(path: Path, mode: str, *, busy_seconds: float = 5.0) -> StorageFacts:
    """
    Change the journal mode of the store at *path* to `wal` or `truncate`.

    Raises:
        JournalModeRefusedError: `wal` is not safe here.
        StoreBusyError: Another process has the store open.
        StoreError: It cannot be opened.
    """
    check_journal_mode(path, mode)
    database = connect(path, mode="rw", busy_seconds=busy_seconds)
    try:
        applied_versions(database)
        (taken,) = database.row(f"PRAGMA journal_mode = {_MODES[mode]}") or ("",)
        if taken != mode:
            raise StoreBusyError(f"{path} is open elsewhere, its journal mode stays {taken}")
        return SqliteStores(database).storage()
    finally:
        database.close()


def check_journal_mode(path: Path, mode: str) -> None:
    """
    Let only a journal mode pass that is safe at *path*, which need not exist yet.

    Raises:
        JournalModeRefusedError: `wal` is not safe here.
    """
    if mode != "wal":
        return
    if is_exposed(sqlite3.sqlite_version_info):
        why = f"SQLite {sqlite3.sqlite_version} can corrupt a WAL database with several writers"
    elif not machine.is_local_disk(path):
        why = f"{path} does not lie on a local disk"
    else:
        return
    raise JournalModeRefusedError(why)
