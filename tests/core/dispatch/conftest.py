"""A granted target without network, and a few words to drive it."""

from collections.abc import Sequence

import attrs
import pytest

from eventsync_core.capture import capture_many
from eventsync_core.census import Class
from eventsync_core.dispatch import Alongside, Budget, Drain, Report, drain
from eventsync_core.receivers import Script, StubReceiver
from eventsync_core.stores import MemoryStores, Stores
from eventsync_core.targets import Limits, Target
from eventsync_core.testing import HOLDER, ManualClock, make_envelope, make_stub_target


@attrs.define
class World:
    """One store, one target, one clock."""

    stores: MemoryStores = attrs.field(factory=MemoryStores)
    clock: ManualClock = attrs.field(factory=ManualClock)
    target: Target = attrs.field(factory=make_stub_target)
    alongside: Alongside | None = None
    receiver: StubReceiver = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.receiver = StubReceiver(self.target.target_id)
        self.stores.targets.register(self.target, at=self.clock())
        self.stores.targets.observe(self.target.target_id, None, at=self.clock())
        self.grant()

    def grant(self, stream: str = "default", *, from_position: int = 0) -> None:
        """Grant the stream to the target."""
        self.stores.grants.grant(
            self.target.target_id,
            stream,
            from_position=from_position,
            actor="me",
            reason="test",
            at=self.clock(),
        )

    def capture(self, count: int, **members: object) -> list[str]:
        """Capture *count* events `e1`, `e2` and so on; return their ids."""
        ids = [f"e{number}" for number in range(1, count + 1)]
        self.capture_these([make_envelope(event_id, **members) for event_id in ids])
        return ids

    def capture_these(self, texts: Sequence[str]) -> None:
        """Capture *texts*; all must be new."""
        for result in capture_many(self.stores, texts, at=self.clock()):
            assert getattr(result, "state", "") in ("stored", "held")

    def drain(
        self,
        *streams: str,
        budget: Budget | None = None,
        stores: Stores | None = None,
    ) -> Report:
        """Drain as `sync now` would."""
        task = Drain(
            stores=stores or self.stores,
            target=self.target,
            receiver=self.receiver,
            clock=self.clock,
            holder=HOLDER,
            budget=budget or Budget(),
            alongside=self.alongside,
        )
        return drain(task, streams or ("default",))

    def tell(self, script: Script, *, capacity: Limits | None = None) -> None:
        """Let the target answer so from now on."""
        self.receiver.script = script
        self.receiver.capacity = capacity or self.receiver.capacity

    def sent(self) -> list[list[str]]:
        """Return the ids of each request that arrived since the last look."""
        found = [list(ids) for ids in self.receiver.requests]
        self.receiver.requests.clear()
        return found

    def classes(self) -> dict[Class, int]:
        """Return the classes that hold anything."""
        tally = self.stores.backlog.tally(self.target.target_id, "default", at=self.clock.now)
        assert tally.is_coherent
        return {name: count for name, count in tally.classes().items() if count}


@pytest.fixture
def world() -> World:
    """Return a granted target and an empty journal."""
    return World()
