import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from eventsync_cli.compose._settings import Settings
from eventsync_core.clock import SECOND
from eventsync_core.errors import (
    OF_ODD_VALUES,
    EventSyncError,
    OutputUnusableError,
    SettingsError,
    StoreError,
    StoreUnreadableError,
)

if TYPE_CHECKING:
    from eventsync_adapters.files.revoked import Revocation, Revocations
    from eventsync_adapters.files.whole import WholeFile
    from eventsync_adapters.legacy_queues import Found
    from eventsync_adapters.logs import RowLog
    from eventsync_adapters.sqlite import SqliteStores, StorageFacts
    from eventsync_core.integrity import Verified
    from eventsync_core.stores import Stores

_URL = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]*://")
_KNOWN = ("sqlite", "memory")
_TAIL = re.compile(r"[?#]")
_WAL_FIX = "eventsync sync doctor --journal-mode truncate"


@attrs.define(kw_only=True)
class Stored(Settings):
    """
    Settings with the store they choose.

    `was_opened` says that a command opened the store, or tried to; `storage` describes the database
    once one was opened; `left_waiting` are the ids of targets that may have been owed something for
    too long when it was closed.
    """

    was_opened: bool = False
    storage: "StorageFacts | None" = None
    left_waiting: frozenset[str] = frozenset()

    @property
    def database(self) -> Path:
        """Where the database is, or would be."""
        named = self.environment.persist_db_path
        return Path(named) if named else self.home / "eventsync" / "eventsync.db"

    @property
    def shown_database(self) -> str:
        """The same as it may be shown: of a URL neither user nor password, nor its query."""
        named = self.environment.persist_db_path
        if self._is_url:
            from eventsync_core.targets import without_user_info

            return _TAIL.split(without_user_info(named))[0]
        if named and self.environment.persistence not in _KNOWN:
            # For another store it may hold a password, in a spelling that is not known here.
            return "<not a file>"
        return str(self.database)

    @property
    def has_store(self) -> bool:
        """There is a database already; one in memory never is."""
        if self.environment.persistence == "memory":
            return False
        if self._is_url:
            # Opening it tells what is wrong.
            return True
        try:
            found = self.database.stat()
            if found.st_size > 0 or not stat.S_ISREG(found.st_mode):
                return True
        except FileNotFoundError:
            from eventsync_adapters.machine import dangling

            if dangling(self.database) is not None:
                return True
        except OSError:
            # It may be there; opening it tells why it cannot be reached.
            return True
        from eventsync_adapters.lost import was_there

        return was_there(self.database)

    @contextmanager
    def stores(self) -> Iterator["Stores"]:
        """
        Open the store for writing, made if it is missing, for the length of the block.

        Raises:
            StoreError: It cannot be opened.
            SettingsError: PERSISTENCE names no store, or PERSIST_DB_PATH no file.
        """
        if self.environment.persistence == "memory":
            from eventsync_core.stores import MemoryStores

            yield MemoryStores()
            return
        self._require_sqlite()
        self.was_opened = True
        from eventsync_adapters.sqlite import open_stores

        with open_stores(self.database) as opened:
            self.storage = opened.storage()
            with self._noting_waiting(opened):
                yield opened

    @contextmanager
    def sending_stores(self) -> Iterator["Stores"]:
        """Open the store as `stores` does, revocations by file included."""
        from eventsync_adapters.files.heeding import heeding

        with self.stores() as opened:
            self.fold_in(opened, self.revocations().pending())
            yield heeding(opened, self.revocations())

    def fold_in(self, opened: "Stores", pending: "Iterable[Revocation]") -> None:
        """Note revocations in the store; see `eventsync_adapters.files.heeding.fold_in`."""
        from eventsync_adapters.files.heeding import fold_in

        fold_in(opened, self.revocations(), pending)

    @contextmanager
    def reading(self) -> Iterator["Stores | None"]:
        """
        Open the store for reading for the length of the block; None: there is none.

        Raises:
            StoreError: It exists, but cannot be read.
        """
        if self.environment.persistence == "memory":
            yield None
            return
        self._require_sqlite()
        self.was_opened = True
        from eventsync_adapters.files.heeding import heeding
        from eventsync_adapters.sqlite import open_for_reading

        opened = open_for_reading(self.database)
        if opened is None:
            yield None
            return
        with opened:
            self.storage = opened.storage()
            with self._noting_waiting(opened):
                yield heeding(opened, self.revocations())

    def glance(self) -> None:
        """See what the closing line tells, where that takes neither a wait nor a copy."""
        if self.environment.persistence != "sqlite" or self._is_url:
            return
        from eventsync_adapters.sqlite import open_at_once

        opened = open_at_once(self.database)
        if opened is not None:
            with suppress(StoreError), opened:
                self.storage = opened.storage()
                self._note_waiting(opened)

    @contextmanager
    def _noting_waiting(self, opened: "SqliteStores") -> Iterator[None]:
        try:
            yield
        except StoreError:
            # Whoever cannot use the store has waited long enough.
            raise
        except EventSyncError:
            self._note_waiting(opened)
            raise
        except OF_ODD_VALUES as error:
            self._blame_damage(opened, error)
            raise
        self._note_waiting(opened)

    def _blame_damage(self, opened: "SqliteStores", error: Exception) -> None:
        """Where the database holds what is never written to it, that is why *error* came."""
        flaws = opened.inspection.check(thorough=True).flaws
        if flaws:
            message = f"{self.database} holds what eventsync never writes: {flaws[0]}"
            raise StoreUnreadableError(message) from error

    def _note_waiting(self, opened: "SqliteStores") -> None:
        seconds = self.config.stall_after
        if seconds and self.config.problem is None:
            # Nobody is told of it who could not look: the command did what it was asked to do.
            with suppress(StoreError):
                self.left_waiting = opened.left_waiting(before=self.clock() - seconds * SECOND)

    def require_file(self) -> None:
        """
        Let only pass a store that is a file.

        Raises:
            SettingsError: PERSISTENCE or PERSIST_DB_PATH names none.
        """
        if self.environment.persistence == "memory":
            raise SettingsError(
                "PERSISTENCE=memory keeps nothing on disk",
                source="PERSISTENCE",
                code="persistence_memory",
            )
        self._require_sqlite()

    def _require_sqlite(self) -> None:
        named = self.environment.persistence
        if named != "sqlite":
            raise SettingsError(
                f"PERSISTENCE={named[:40]!r} is not available; sqlite and memory are",
                source="PERSISTENCE",
                code="persistence_unknown",
            )
        self._require_file()

    def _require_file(self) -> None:
        if self._is_url:
            raise SettingsError(
                "PERSIST_DB_PATH is a URL; it is the path of a file",
                source="PERSIST_DB_PATH",
                code="persistence_unknown",
            )

    @property
    def _is_url(self) -> bool:
        return _URL.match(self.environment.persist_db_path) is not None

    def revocations(self) -> "Revocations":
        """
        Return the revocations that stand in files beside the database.

        Raises:
            SettingsError: PERSIST_DB_PATH names no file.
        """
        self._require_file()
        from eventsync_adapters.files.revoked import Revocations

        return Revocations.of(self.database)

    def whole_file(self, path: Path, *, replace: bool) -> "AbstractContextManager[WholeFile]":
        """
        Make the file *path*, but never one of the database's or of the home's own; see the files
        adapter.

        Raises:
            OutputUnusableError: It cannot be made there; nothing was written.
        """
        from eventsync_adapters.files.whole import whole_file

        self.check_outside(path)
        return whole_file(path, replace=replace)

    def check_outside(self, path: Path) -> None:
        """
        Let only pass a file that is neither one of the database's nor the home's own.

        Raises:
            OutputUnusableError: It is one of these, or `-`.
        """
        if str(path) == "-":
            raise OutputUnusableError("what is made here is a file, and cannot go to -")
        if self._is_of_database(path):
            raise OutputUnusableError(f"{path} is a name of the database, and stays", is_ours=True)
        if self._is_of_home(path):
            raise OutputUnusableError(f"{path} is the home's own, and stays", is_ours=True)

    def _is_of_home(self, path: Path) -> bool:
        """The configuration, or anything in the folder where revocations stand too."""
        with suppress(OSError, RuntimeError, ValueError):
            place = path.resolve()
            if place == self.config.path.resolve():
                return True
            own = (self.home / "eventsync").resolve()
            return own in place.parents
        return False

    def _is_of_database(self, path: Path) -> bool:
        try:
            place, database = path.resolve(), self.database.resolve()
            is_named_so = place.name.casefold().startswith(database.name.casefold())
            return is_named_so and place.parent.samefile(database.parent)
        except (OSError, RuntimeError, ValueError):
            # Nothing is there, or nothing can be.
            return False

    def old_sources(self, more: "Sequence[Path]" = ()) -> "Found":
        """Return the files of old programs; see `eventsync_adapters.legacy_queues`."""
        from eventsync_adapters.legacy_queues import find_sources
        from eventsync_core.authority import hypotheses

        return find_sources(self.home, more, tried=cache(lambda: hypotheses(self.claims)))

    @property
    def legacy_queue_path(self) -> str:
        """Where the old queue that belonged to nobody is, or would be."""
        from eventsync_adapters.legacy_queues import place_of

        return place_of(self.home / "queue.db")

    def row_log(self) -> "AbstractContextManager[RowLog]":
        """Open the file that has one line for each row that came from an old program."""
        from eventsync_adapters.logs import row_log

        return row_log(self.home / "eventsync" / "migrated.log", self.clock)

    def log_act(self, command: str, values: "Mapping[str, object]") -> str:
        """
        Log the act that *command* was, where a log is wanted.

        Return why the line is missing, if it is; see the logs adapter.
        """
        path = self.home / "eventsync" / "acts.log"
        with suppress(OSError):
            if not path.is_file():
                return ""
        from eventsync_adapters.logs import log_act
        from eventsync_core.telemetry import ACTS

        return log_act(path, ACTS[command], values, at=self.clock())

    def verified(self) -> "dict[str, Verified]":
        """Return how far each stream was found good before; see the files adapter."""
        from eventsync_adapters.files.verified import read_verified

        return read_verified(self.database)

    def note_verified(self, found: "Mapping[str, Verified]") -> None:
        """
        Note how far each stream was found good; see the files adapter.

        Raises:
            OutputUnusableError: The file cannot be made there.
            OutputLostError: It could not be written to its end.
        """
        from eventsync_adapters.files.verified import write_verified

        write_verified(self.database, found)

    def closing_lines(self) -> list[str]:
        """Return what every command says at its end while the storage is at risk."""
        facts = self.storage
        if facts is None or not facts.is_exposed or facts.journal_mode != "wal":
            return []
        risk = f"SQLite {facts.sqlite_version} can damage a database in WAL mode"
        return [f"eventsync: {risk}; run: {self.chosen.spelt(_WAL_FIX)}"]

    def library(self) -> tuple[str, bool]:
        """Return SQLite's version, and whether it is exposed in WAL mode."""
        import sqlite3

        from eventsync_adapters.sqlite import is_exposed

        return sqlite3.sqlite_version, is_exposed(sqlite3.sqlite_version_info)

    def check_journal_mode(self, mode: str) -> None:
        """Refuse a journal mode that is not safe here; see the sqlite adapter."""
        self.require_file()
        from eventsync_adapters.sqlite import check_journal_mode

        check_journal_mode(self.database, mode)

    def set_journal_mode(self, mode: str) -> "StorageFacts":
        """Change the database's journal mode; see the sqlite adapter."""
        self.require_file()
        from eventsync_adapters.sqlite import set_journal_mode

        self.storage = set_journal_mode(self.database, mode)
        return self.storage
