import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eventsync_adapters import machine
from eventsync_adapters.schema import VERSIONS
from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._migrate import applied_versions
from eventsync_adapters.sqlite._store import SqliteStores
from eventsync_core.clock import Clock
from eventsync_core.errors import NothingOpenError, StoreUnreadableError


@contextmanager
def join_stores(
    connection: sqlite3.Connection, *, clock: Clock = machine.now
) -> Iterator[SqliteStores]:
    """
    Return the stores in the main database of *connection*, for the length of the block.

    Everything belongs to the transaction that is open there: nothing is committed, receipts say
    `durable=False`, and the promise starts when the host commits. An error undoes the part of the
    call that raised it. A full disk undoes the whole transaction, the host's part too; whatever is
    asked of the stores then, or after the block, raises `NothingOpenError`.

    The tables must be there: `open_stores` makes the file, and the host adds its own tables to it.

    Raises:
        NothingOpenError: No transaction is open, or the database is no file.
        StoreUnreadableError: The tables are missing, or of another version of this program.
    """
    if not connection.in_transaction:
        raise NothingOpenError("the connection has no transaction open that could be joined")
    factories = connection.row_factory, connection.text_factory
    connection.row_factory, connection.text_factory = None, str
    try:
        file = next(row[2] for row in connection.execute("PRAGMA database_list"))
        if not file:
            raise NothingOpenError("the database of the connection is no file")
        database = Database(connection, Path(file), busy_seconds=0)
        if applied_versions(database) != set(VERSIONS):
            raise StoreUnreadableError(f"{file} has no tables of this version of eventsync")
        with database.joining():
            yield SqliteStores(database, clock=clock)
    finally:
        connection.row_factory, connection.text_factory = factories
