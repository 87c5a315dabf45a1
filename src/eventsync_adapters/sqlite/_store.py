import errno
import sqlite3
from contextlib import AbstractContextManager
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from eventsync_adapters import machine
from eventsync_adapters.lost import check_not_lost
from eventsync_adapters.sqlite._connection import (
    Database,
    choose_journal,
    configured_journal,
    connect,
    set_durability,
    taken_journal,
)
from eventsync_adapters.sqlite._facts import StorageFacts
from eventsync_adapters.sqlite._journal import SqliteJournal
from eventsync_adapters.sqlite._keys import Keys
from eventsync_adapters.sqlite._migrate import applied_versions, migrate
from eventsync_adapters.sqlite._stalls import left_waiting
from eventsync_core.clock import Clock
from eventsync_core.errors import (
    StoreError,
    StoreFullError,
    StoreNotWritableError,
    StoreUnreadableError,
)

if TYPE_CHECKING:
    from eventsync_adapters.sqlite._audit import SqliteAudit
    from eventsync_adapters.sqlite._backlog import SqliteBacklog
    from eventsync_adapters.sqlite._bodies import SqliteBodies
    from eventsync_adapters.sqlite._desk import SqliteDesk
    from eventsync_adapters.sqlite._erasing import SqliteErasing
    from eventsync_adapters.sqlite._grants import SqliteGrants
    from eventsync_adapters.sqlite._holds import SqliteHolds
    from eventsync_adapters.sqlite._inspection import SqliteInspection
    from eventsync_adapters.sqlite._leases import SqliteLeases
    from eventsync_adapters.sqlite._ledger import SqliteLedger
    from eventsync_adapters.sqlite._legacy import SqliteLegacy
    from eventsync_adapters.sqlite._measures import SqliteMeasures
    from eventsync_adapters.sqlite._past import SqlitePast
    from eventsync_adapters.sqlite._payloads import SqlitePayloads
    from eventsync_adapters.sqlite._superseding import SqliteSuperseding
    from eventsync_adapters.sqlite._targets import SqliteTargetRegistry
    from eventsync_adapters.sqlite._traces import SqliteTraces

_PAGE_BYTES = 8_192


class SqliteStores:
    """
    `Stores` over one SQLite file and one connection; use it in the thread that opened it.

    A second one on the same file joins a unit of work that is open in the same thread.
    """

    def __init__(
        self, database: Database, *, durability: str = "full", clock: Clock = machine.now
    ) -> None:
        self._database = database
        self._clock = clock
        self._durability = durability
        self._keys = Keys(database)
        self.journal = SqliteJournal(database, self._keys)

    @cached_property
    def targets(self) -> "SqliteTargetRegistry":
        """See `Stores`."""
        from eventsync_adapters.sqlite._targets import SqliteTargetRegistry

        return SqliteTargetRegistry(self._database)

    @cached_property
    def grants(self) -> "SqliteGrants":
        """See `Stores`."""
        from eventsync_adapters.sqlite._grants import SqliteGrants

        return SqliteGrants(self._database, self._keys)

    @cached_property
    def ledger(self) -> "SqliteLedger":
        """See `Stores`."""
        from eventsync_adapters.sqlite._ledger import SqliteLedger

        return SqliteLedger(self._database, self._keys)

    @cached_property
    def leases(self) -> "SqliteLeases":
        """See `Stores`."""
        from eventsync_adapters.sqlite._leases import SqliteLeases

        return SqliteLeases(
            self._database,
            self._keys,
            boot=machine.boot_name,
            is_alive=machine.is_alive,
            clock=self._clock,
        )

    @cached_property
    def backlog(self) -> "SqliteBacklog":
        """See `Stores`."""
        from eventsync_adapters.sqlite._backlog import SqliteBacklog

        return SqliteBacklog(self._database, self._keys, self.leases)

    @cached_property
    def desk(self) -> "SqliteDesk":
        """See `Stores`."""
        from eventsync_adapters.sqlite._desk import SqliteDesk

        return SqliteDesk(self._database, self._keys, self.leases)

    @cached_property
    def holds(self) -> "SqliteHolds":
        """See `Stores`."""
        from eventsync_adapters.sqlite._holds import SqliteHolds

        return SqliteHolds(self._database, self._keys)

    @cached_property
    def superseding(self) -> "SqliteSuperseding":
        """See `Stores`."""
        from eventsync_adapters.sqlite._superseding import SqliteSuperseding

        return SqliteSuperseding(self._database, self._keys)

    @cached_property
    def legacy(self) -> "SqliteLegacy":
        """See `Stores`."""
        from eventsync_adapters.sqlite._legacy import SqliteLegacy

        return SqliteLegacy(self._database)

    @cached_property
    def past(self) -> "SqlitePast":
        """See `Stores`."""
        from eventsync_adapters.sqlite._past import SqlitePast

        return SqlitePast(self._database, self._keys, self.leases)

    @cached_property
    def audit(self) -> "SqliteAudit":
        """See `Stores`."""
        from eventsync_adapters.sqlite._audit import SqliteAudit

        return SqliteAudit(self._database)

    @cached_property
    def bodies(self) -> "SqliteBodies":
        """See `Stores`."""
        from eventsync_adapters.sqlite._bodies import SqliteBodies

        return SqliteBodies(self._database, self._keys)

    @cached_property
    def traces(self) -> "SqliteTraces":
        """See `Stores`."""
        from eventsync_adapters.sqlite._traces import SqliteTraces

        return SqliteTraces(self._database, self._keys)

    @cached_property
    def measures(self) -> "SqliteMeasures":
        """See `Stores`."""
        from eventsync_adapters.sqlite._measures import SqliteMeasures

        return SqliteMeasures(self._database, self._keys, self.storage)

    @cached_property
    def inspection(self) -> "SqliteInspection":
        """See `Stores`."""
        from eventsync_adapters.sqlite._inspection import SqliteInspection

        return SqliteInspection(self._database)

    @cached_property
    def payloads(self) -> "SqlitePayloads":
        """See `Stores`."""
        from eventsync_adapters.sqlite._payloads import SqlitePayloads

        return SqlitePayloads(self._database, self._keys)

    @cached_property
    def erasing(self) -> "SqliteErasing":
        """See `Stores`."""
        from eventsync_adapters.sqlite._erasing import SqliteErasing

        return SqliteErasing(self._database, self._keys, self.payloads)

    @property
    def is_durable(self) -> bool:
        """See `Stores.is_durable`."""
        return self._durability == "full" and not self._database.is_in_unit

    @property
    def is_in_unit(self) -> bool:
        """See `Stores.is_in_unit`."""
        return self._database.is_in_unit

    def atomic(self) -> AbstractContextManager[None]:
        """See `Stores.atomic`."""
        return self._database.write()

    def storage(self) -> StorageFacts:
        """Return how the database is stored."""
        return StorageFacts(
            path=str(self._database.path),
            sqlite_version=sqlite3.sqlite_version,
            is_exposed=is_exposed(sqlite3.sqlite_version_info),
            journal_mode=taken_journal(self._database),
            configured_mode=configured_journal(self._database),
            file_bytes=self._database.path.stat().st_size,
        )

    def left_waiting(self, *, before: int) -> frozenset[str]:
        """Return the targets that may have been left waiting; see `_stalls.left_waiting`."""
        return left_waiting(self._database, before=before)

    def close(self) -> None:
        """Close the database; closing twice is fine."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def is_exposed(version: tuple[int, ...]) -> bool:
    """
    Say whether SQLite *version* can corrupt a WAL database that has several writers.

    Fixed in 3.51.3, and in 3.50.7 and 3.44.6 of their series (sqlite.org, WAL-reset bug).
    """
    if version >= (3, 51, 3):
        return False
    series = version[:2]
    return not (
        (series == (3, 50) and version >= (3, 50, 7))
        or (series == (3, 44) and version >= (3, 44, 6))
    )


def open_stores(
    path: Path,
    *,
    durability: str = "full",
    busy_seconds: float = 5.0,
    clock: Clock = machine.now,
) -> SqliteStores:
    """
    Open the store at *path*, which is made if it is missing: folders 0700, file 0600.

    A new file uses a rollback journal (TRUNCATE); an existing WAL file stays as it is.
    *durability* `full` survives power loss, `normal` only the end of the process. *clock* is the
    one that drains are given; a lease is renewed by it.

    Raises:
        StoreError: It cannot be opened, written or understood; nothing was changed.
    """
    link = machine.dangling(path)
    if link is not None:
        raise StoreUnreadableError(f"{link} is a link to what is not there")
    check_not_lost(path)
    try:
        machine.make_private_folder(path.parent)
        machine.create_private_file(path)
    except OSError as error:
        raise not_made(path, error) from error
    database = connect(path, mode="rw", busy_seconds=busy_seconds)
    try:
        database.prepare(partial(_prepare, durability=durability))
    except BaseException:
        database.close()
        raise
    return SqliteStores(database, durability=durability, clock=clock)


def not_made(path: Path, error: OSError | ValueError) -> StoreError:
    """Return the error for a store that cannot be made at *path*."""
    is_full = getattr(error, "errno", None) == errno.ENOSPC
    kind = StoreFullError if is_full else StoreNotWritableError
    reason = getattr(error, "strerror", None) or type(error).__name__
    return kind(f"{path} cannot be made: {reason}")


def _prepare(database: Database, *, durability: str) -> None:
    is_new = applied_versions(database) is None
    if is_new:
        database.run(f"PRAGMA page_size = {_PAGE_BYTES}")
        # Only before there are tables: later it takes a rewrite of the whole file.
        database.run("PRAGMA auto_vacuum = INCREMENTAL")
    choose_journal(database)
    set_durability(database, durability)
    migrate(database)
