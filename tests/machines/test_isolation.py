"""Projects that look alike share nothing, and nothing goes where it was not granted."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsync_adapters.sqlite import open_stores
from eventsync_core.capture import Receipt, capture_many
from eventsync_core.dispatch import Drain, Report, drain
from eventsync_core.receivers import Batch, StubReceiver, Verdict
from eventsync_core.stores import MemoryStores, Stores
from eventsync_core.targets import Kind, Limits, Target, make_target
from eventsync_core.testing import HOLDER, ManualClock, make_envelope
from tests.effort import examples

# The second is what a drain goes through as well; of all three only the streams differ.
STREAMS = ("9b2f6c1e-0000-4000-8000-000000000001", "9b2f6c1e-0000-4000-8000-000000000002", "other")
TARGETS = tuple(
    make_target(Kind.TEAMSPACE, f"https://{name}.example", team="team", user="me@example.org")
    for name in ("one", "two")
)
_ALIKE = {
    "project_slug": "app",
    "aggregate_id": "WP01",
    "aggregate_type": "WorkPackage",
    "team_slug": "team",
    "user": "me@example.org",
}


@attrs.define
class Spy(StubReceiver):
    """Checks on arrival that every event may be here; ends grants while a request is under way."""

    world: "World" = attrs.field(kw_only=True)
    ends: list[tuple[Target, str]] = attrs.field(factory=list, kw_only=True)

    def deliver(self, batch: Batch) -> Verdict:
        """See `DeliveryReceiver.deliver`."""
        for event_id in batch.event_ids:
            self.world.check(self.target_id, event_id)
        verdict = super().deliver(batch)
        if self.ends:
            self.world.revoke(*self.ends.pop())
        return verdict


@attrs.define
class World:
    """A store, and what may go where as an onlooker knows it."""

    stores: Stores
    clock: ManualClock = attrs.field(factory=ManualClock)
    places: dict[str, tuple[str, int]] = attrs.field(factory=dict)
    reach: dict[tuple[str, str], int] = attrs.field(factory=dict)
    receivers: dict[str, Spy] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        for target in TARGETS:
            self.stores.targets.register(target, at=self.clock())
            self.stores.targets.observe(target.target_id, None, at=self.clock())
            spy = Spy(target.target_id, capacity=Limits(max_events=2), world=self)
            self.receivers[target.target_id] = spy

    def head(self, stream: str) -> int:
        """Return how many events the stream holds."""
        return sum(1 for where, _ in self.places.values() if where == stream)

    def capture(self, stream: str, count: int) -> None:
        """Capture events that differ from those of other projects in nothing but the project."""
        first = len(self.places) + 1
        texts = [
            make_envelope(f"e{number}", project_uuid=stream, **_ALIKE)
            for number in range(first, first + count)
        ]
        for result in capture_many(self.stores, texts, at=self.clock()):
            assert isinstance(result, Receipt)
            assert result.stream == stream
            self.places[result.event_id] = (stream, self.head(stream) + 1)

    def grant(self, target: Target, stream: str, *, from_now: bool) -> None:
        """Grant the stream from its beginning or from now on."""
        above = self.head(stream) if from_now else 0
        pair = (target.target_id, stream)
        self.stores.grants.grant(
            *pair, from_position=above, actor="me", reason="test", at=self.clock()
        )
        self.reach[pair] = min(above, self.reach.get(pair, above))

    def revoke(self, target: Target, stream: str) -> None:
        """End the grant, if there is one."""
        pair = (target.target_id, stream)
        self.stores.grants.revoke(*pair, actor="me", reason="test", at=self.clock())
        self.reach.pop(pair, None)

    def check(self, target_id: str, event_id: str) -> None:
        """Let an event only arrive while its own stream is granted, from its position on."""
        stream, position = self.places[event_id]
        reach = self.reach.get((target_id, stream))
        assert reach is not None
        assert position > reach

    def drain(self, target: Target, *ends: tuple[Target, str]) -> Report:
        """Offer the target everything, granted or not; end the grants *ends* meanwhile."""
        self.clock.advance(3_600)
        spy = self.receivers[target.target_id]
        spy.ends = list(ends)
        task = Drain(
            stores=self.stores, target=target, receiver=spy, clock=self.clock, holder=HOLDER
        )
        return drain(task, STREAMS)


@contextmanager
def memory() -> Iterator[Stores]:
    """Return a store in memory."""
    yield MemoryStores()


@contextmanager
def sqlite() -> Iterator[Stores]:
    """Return a store in a file."""
    with (
        TemporaryDirectory() as folder,
        open_stores(Path(folder) / "eventsync.db", durability="normal") as stores,
    ):
        yield stores


_TARGET, _STREAM = st.sampled_from(TARGETS), st.sampled_from(STREAMS)
_PAIR = st.tuples(_TARGET, _STREAM)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("capture"), _STREAM, st.integers(1, 5)),
        st.tuples(st.just("grant"), _TARGET, _STREAM, st.booleans()),
        st.tuples(st.just("revoke"), _TARGET, _STREAM),
        st.tuples(st.just("drain"), _TARGET, st.lists(_PAIR, max_size=2)),
    ),
    max_size=25,
)


def take(world: World, step: tuple[Any, ...]) -> None:
    """Take one step."""
    match step:
        case ("capture", stream, count):
            world.capture(stream, count)
        case ("grant", target, stream, from_now):
            world.grant(target, stream, from_now=from_now)
        case ("revoke", target, stream):
            world.revoke(target, stream)
        case ("drain", target, ends):
            world.drain(target, *ends)


@pytest.mark.parametrize("opened", [memory, sqlite])
@settings(max_examples=examples(80), deadline=None)
@given(steps=STEPS)
def test_nothing_goes_without_its_own_grant_and_all_goes_with_it(
    opened: Any, steps: list[tuple[Any, ...]]
) -> None:
    """However grants come and go, also while a request is on its way; and each only once."""
    with opened() as stores:
        world = World(stores)
        for step in steps:
            take(world, step)
        for target in TARGETS:
            for stream in STREAMS:
                world.grant(target, stream, from_now=False)
            assert world.drain(target).is_clean
            arrived = Counter(
                event_id
                for request in world.receivers[target.target_id].requests
                for event_id in request
            )
            assert arrived == Counter(dict.fromkeys(world.places, 1))


@pytest.mark.parametrize("opened", [memory, sqlite])
def test_what_was_on_its_way_when_its_grant_ended_is_not_lost(opened: Any) -> None:
    """It is on record above the cursor; what came before and after the renewal goes once."""
    with opened() as stores:
        world = World(stores)
        target, stream = TARGETS[0], STREAMS[0]
        world.grant(target, stream, from_now=False)
        world.capture(stream, 5)
        assert world.drain(target, (target, stream)).stopped_because == "no_grant"
        assert world.receivers[target.target_id].requests == [("e1", "e2")]
        world.capture(stream, 2)
        world.grant(target, stream, from_now=True)
        world.capture(stream, 2)
        assert world.drain(target).is_clean
        assert world.receivers[target.target_id].requests[1:] == [("e8", "e9")]

        world.grant(target, stream, from_now=False)

        assert world.drain(target).is_clean
        requests = world.receivers[target.target_id].requests
        assert requests[2:] == [("e3", "e4"), ("e5", "e6"), ("e7",)]
