"""Whatever happened before: what any target still wants stays, and what went comes back whole."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsync_adapters.sqlite import open_stores
from eventsync_core import desk
from eventsync_core.census import remaining
from eventsync_core.desk import Order, Selection
from eventsync_core.dispatch import Drain, drain
from eventsync_core.ledger import Act as DeskAct
from eventsync_core.payloads import Act, Deed
from eventsync_core.portability import Taking, TakingRules, export
from eventsync_core.receivers import Outcome, Script, StubReceiver
from eventsync_core.retention import (
    ArchiveFile,
    Choice,
    archive,
    collect,
    plan_archive,
    preview,
)
from eventsync_core.stores import MemoryStores, Stores
from eventsync_core.testing import HOLDER, ManualClock, make_event, make_stub_target

STREAM = "default"
NAMES = ("one", "two", "three")
DELIVERED = Selection(outcomes=frozenset({Outcome.SUCCESS, Outcome.DUPLICATE}))


@attrs.define
class World:
    """A store, and who has what as an onlooker knows it from what arrived where."""

    stores: Stores
    clock: ManualClock = attrs.field(factory=ManualClock)
    texts: dict[str, str] = attrs.field(factory=dict)
    gone: set[str] = attrs.field(factory=set)
    has: dict[str, set[str]] = attrs.field(factory=dict)
    receivers: dict[str, StubReceiver] = attrs.field(factory=dict)
    files: list[list[str]] = attrs.field(factory=list)

    def capture(self, count: int) -> None:
        """Store more events."""
        events = [make_event(f"e{len(self.texts) + n}") for n in range(count)]
        self.stores.journal.append(STREAM, events, at=self.clock())
        self.texts |= {event.event_id: event.text for event in events}

    def choose(self, name: str, *, from_now: bool) -> None:
        """Register a target and grant it the stream."""
        target = self.stores.targets.register(make_stub_target(name), at=self.clock())
        self.has.setdefault(target.target_id, set())
        self.receivers.setdefault(target.target_id, StubReceiver(target.target_id))
        desk.grant(
            self.stores,
            target,
            STREAM,
            from_now=from_now,
            actor="me",
            reason="test",
            at=self.clock(),
        )

    def drain(self, name: str, refused: int) -> None:
        """Let a target have what it may; it refuses every so-manieth id."""
        target = make_stub_target(name)
        receiver = self.receivers.get(target.target_id)
        if receiver is None:
            return
        bad = {each for each in self.texts if refused and int(each[1:]) % refused == 0}
        receiver.script = Script(events={each: {"status": "rejected"} for each in bad})
        seen = len(receiver.requests)
        self.clock.advance(100_000)
        drain(
            Drain(
                stores=self.stores,
                target=target,
                receiver=receiver,
                clock=self.clock,
                holder=HOLDER,
            ),
            [STREAM],
        )
        for request in receiver.requests[seen:]:
            self.has[target.target_id].update(set(request) - bad)

    def replay(self, name: str) -> None:
        """Let a target have again what it has and may still have."""
        target = make_stub_target(name)
        given = self.stores.grants.get(target.target_id, STREAM)
        if given is None or not given.is_live:
            return
        again = {
            each
            for each in self.has[target.target_id] - self.gone
            if int(each[1:]) + 1 > given.from_position
        }
        order = Order(
            act=DeskAct.DELIVERED_BEFORE,
            target_id=target.target_id,
            selection=DELIVERED,
            actor="me",
        )
        account = desk.reopen(self.stores, order, [STREAM], clock=self.clock, holder=HOLDER)
        assert account.changed.total() == len(again)
        self.has[target.target_id] -= again

    def stop(self, name: str, *, for_good: bool) -> None:
        """Pause a target, or end its grant."""
        target_id = make_stub_target(name).target_id
        if target_id not in self.has:
            return
        if for_good:
            self.stores.grants.revoke(target_id, STREAM, actor="me", reason="test", at=self.clock())
        else:
            self.stores.targets.pause(target_id, "test")

    @property
    def everywhere(self) -> set[str]:
        """What every target has; nothing without one."""
        return set.intersection(*self.has.values()) if self.has else set()

    def collect(self) -> None:
        """Let go what may go: all that every target has, and nothing else."""
        expected = self.everywhere - self.gone
        foreseen = preview(self.stores, Choice(), None, at=self.clock())
        done = collect(self.stores, Choice(), None, self.deed(Act.GC), self.clock)
        assert (foreseen.purged, foreseen.size) == (done.purged, done.size)
        assert done.purged == len(expected)
        assert done.stayed == foreseen.stayed
        assert not done.owed
        assert not foreseen.owed
        self.gone |= expected

    def archive(self, *, include: bool) -> None:
        """Move into a file what may go, or all that is here."""
        lines: list[str] = []

        @contextmanager
        def opened() -> Iterator[Callable[[str], object]]:
            yield lines.append

        here = set(self.texts) - self.gone
        expected = here if include else here & self.everywhere
        foreseen = plan_archive(self.stores, Choice(), None, at=self.clock())
        assert foreseen.undelivered == len(here - self.everywhere)
        still_owed = self.owed()
        assert foreseen.collected.owed == still_owed
        file = ArchiveFile(opened=opened, read_back=lambda: "".join(lines).splitlines())
        done = archive(
            self.stores,
            Choice(),
            None,
            self.deed(Act.ARCHIVE),
            self.clock,
            file,
            include_undelivered=include,
        )
        assert done.collected.purged == len(expected)
        assert done.collected.owed == (still_owed if include else {})
        assert done.written == len(expected)
        assert not done.damaged.count
        self.gone |= expected
        self.files.append("".join(lines).splitlines())

    def owed(self) -> dict[str, int]:
        """Return how many events each target that is owed any still waits for."""
        found = {
            target_id: remaining(
                self.stores.backlog.tally(target_id, STREAM, at=self.clock()).classes()
            )
            for target_id in self.has
        }
        return {target_id: count for target_id, count in found.items() if count}

    def bring_back(self, share: int) -> None:
        """Take an archive in again; all that it holds is here then, and nothing twice."""
        if not self.files:
            return
        lines = self.files[share % len(self.files)]
        states = take(self.stores, lines, self.deed(Act.IMPORT))
        held = {each for each in self.gone if f'"{each}"' in "".join(lines)}
        assert states.count("brought_back") == len(held)
        assert "stored" not in states
        self.gone -= held

    def deed(self, act: Act) -> Deed:
        """Return an act of now."""
        return Deed(act=act, actor="me", at=self.clock())

    def check(self) -> None:
        """What is here is what was captured, byte for byte; what is owed somewhere is here."""
        entries = self.stores.journal.entries(STREAM)
        assert {entry.event.event_id for entry in entries if entry.is_purged} == self.gone
        for entry in entries:
            if entry.has_text:
                assert entry.event.text == self.texts[entry.event.event_id]


def take(stores: Stores, lines: Sequence[str], deed: Deed) -> list[str]:
    """Take the lines in, some at a time, and return what became of each."""
    taking = Taking(stores, TakingRules(deed=deed), is_preview=False)
    found: list[str] = []
    for start in range(0, len(lines), 7):
        some = list(enumerate(lines[start : start + 7], start + 1))
        found += [each.state for each in taking.take(some, at=deed.at)]
    return found


STEP = st.one_of(
    st.tuples(st.just("capture"), st.integers(1, 12)),
    st.tuples(st.just("choose"), st.sampled_from(NAMES), st.booleans()),
    st.tuples(st.just("drain"), st.sampled_from(NAMES), st.sampled_from((0, 0, 3))),
    st.tuples(st.just("replay"), st.sampled_from(NAMES)),
    st.tuples(st.just("stop"), st.sampled_from(NAMES), st.booleans()),
    st.tuples(st.just("collect")),
    st.tuples(st.just("archive"), st.booleans()),
    st.tuples(st.just("bring_back"), st.integers(0, 3)),
)


def act(world: World, steps: Sequence[tuple[object, ...]]) -> None:
    """Take *steps*, looking at the store after each."""
    verbs: dict[object, Callable[..., None]] = {
        "capture": world.capture,
        "choose": lambda name, now: world.choose(name, from_now=now),
        "drain": world.drain,
        "replay": world.replay,
        "stop": lambda name, good: world.stop(name, for_good=good),
        "collect": world.collect,
        "archive": lambda include: world.archive(include=include),
        "bring_back": world.bring_back,
    }
    for verb, *words in steps:
        verbs[verb](*words)
        world.check()
    world.collect()
    world.check()
    for share in range(len(world.files)):
        world.bring_back(share)
    world.check()
    check_copies(world)


def check_copies(world: World) -> None:
    """What went out comes in elsewhere as it was: into nothing, and beside some of it."""
    whole: list[str] = []
    export(world.stores.journal, whole.append)
    lines = "".join(whole).splitlines()
    for some in ([], lines[::2]):
        other = MemoryStores()
        deed = Deed(act=Act.IMPORT, actor="me", at=1)
        take(other, some, deed)
        states = take(other, lines, deed)
        assert (states.count("duplicate"), states.count("stored")) == (
            len(some),
            len(lines) - len(some),
        )
        again: list[str] = []
        export(other.journal, again.append)
        assert sorted("".join(again).splitlines()) == sorted(lines)


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(STEP, max_size=14))
def test_in_memory(steps: list[tuple[object, ...]]) -> None:
    """Against who has what, as it was seen from outside."""
    act(World(MemoryStores()), steps)


@settings(max_examples=12, deadline=None)
@given(steps=st.lists(STEP, min_size=6, max_size=14))
def test_in_sqlite(steps: list[tuple[object, ...]]) -> None:
    """As in memory."""
    with TemporaryDirectory() as place:
        clock = ManualClock()
        with open_stores(Path(place) / "a.db", durability="normal", clock=clock) as stores:
            act(World(stores, clock), steps)
