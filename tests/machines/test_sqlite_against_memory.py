"""SQLite and the in-memory store agree, whatever happens to them."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings

from eventsync_adapters.sqlite import SqliteStores, open_stores
from eventsync_core.testing import StoresMachine
from tests.effort import examples


class SqliteMachine(StoresMachine):
    """One file, closed and opened again where the machine asks for it."""

    def __init__(self) -> None:
        self.folder = TemporaryDirectory()
        self.opened: list[SqliteStores] = []
        super().__init__()

    def open_subject(self) -> SqliteStores:
        """Open the file; what was open before is closed."""
        self.close()
        self.opened.append(
            open_stores(Path(self.folder.name) / "eventsync.db", durability="normal")
        )
        return self.opened[-1]

    def close(self) -> None:
        """Close whatever is open."""
        while self.opened:
            self.opened.pop().close()

    def teardown(self) -> None:
        """Leave nothing behind."""
        self.close()
        self.folder.cleanup()


class LongSqliteMachine(SqliteMachine):
    """The same, for longer."""


TestSqlite = SqliteMachine.TestCase
TestSqlite.settings = settings(
    max_examples=examples(20), stateful_step_count=25, deadline=None, print_blob=True
)

TestSqliteForLong = pytest.mark.long(pytest.mark.timeout(3_600)(LongSqliteMachine.TestCase))
TestSqliteForLong.settings = settings(
    max_examples=1_000, stateful_step_count=60, deadline=None, print_blob=True
)
