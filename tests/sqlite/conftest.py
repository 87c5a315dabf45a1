"""A store on a file of its own, and a target that takes what it is sent."""

from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest

from eventsync_adapters.sqlite import SqliteStores, open_stores
from eventsync_core.capture import Receipt, capture_many
from eventsync_core.dispatch import Drain, Report, drain
from eventsync_core.receivers import StubReceiver
from eventsync_core.targets import Target
from eventsync_core.testing import HOLDER, ManualClock, make_envelope, make_stub_target
from tests.templates import put_new_database


@attrs.define
class World:
    """One SQLite store, one granted target, one clock."""

    path: Path
    stores: SqliteStores
    clock: ManualClock = attrs.field(factory=ManualClock)
    target: Target = attrs.field(factory=make_stub_target)
    receiver: StubReceiver = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.receiver = StubReceiver(self.target.target_id)

    def grant(self) -> None:
        """Let the stream `default` go to the target."""
        self.stores.targets.register(self.target, at=self.clock())
        self.stores.grants.grant(
            self.target.target_id,
            "default",
            from_position=0,
            actor="me",
            reason="",
            at=self.clock(),
        )

    def capture(self, count: int, *, first: int = 1, **members: object) -> None:
        """Capture *count* events with the numbers from *first* as their ids."""
        texts = [make_envelope(f"e{number}", **members) for number in range(first, first + count)]
        for receipt in capture_many(self.stores, texts, at=self.clock()):
            assert isinstance(receipt, Receipt)

    def drain(self) -> Report:
        """Drain as `sync now` would."""
        task = Drain(
            stores=self.stores,
            target=self.target,
            receiver=self.receiver,
            clock=self.clock,
            holder=HOLDER,
        )
        return drain(task, ["default"])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is, once something was stored."""
    return tmp_path / "home" / "eventsync" / "eventsync.db"


@pytest.fixture
def open_world(path: Path) -> Iterator[Callable[[], World]]:
    """Return what opens the store, with a short busy time-out."""
    opened: list[SqliteStores] = []

    def start() -> World:
        put_new_database(path)
        opened.append(open_stores(path, busy_seconds=0))
        return World(path, opened[-1])

    yield start
    for stores in opened:
        stores.close()


@pytest.fixture
def world(open_world: Callable[[], World]) -> World:
    """Return an empty store with a granted target."""
    found = open_world()
    found.grant()
    return found
