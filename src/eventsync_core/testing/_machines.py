"""The whole life of a store, driven against the in-memory one: they must agree."""

from collections.abc import Callable
from copy import deepcopy
from typing import Literal

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from eventsync_core.capture import CaptureRules, capture_many
from eventsync_core.dispatch import Budget, Drain, Report, drain
from eventsync_core.errors import EventSyncError
from eventsync_core.events import KeyRules, Producer
from eventsync_core.receivers import Script, StubReceiver
from eventsync_core.stores import MemoryStores, Stores
from eventsync_core.targets import (
    BackOff,
    Deployment,
    Health,
    Limits,
    Target,
    next_back_off,
    probe,
)
from eventsync_core.testing._agreement import stream_of, targets_of, verified_head, view_of
from eventsync_core.testing._builders import HOLDER, ManualClock
from eventsync_core.testing._desk_machine import MACHINE_IDS as _IDS
from eventsync_core.testing._desk_machine import STREAMS as _STREAMS
from eventsync_core.testing._desk_machine import TARGETS as _TARGETS
from eventsync_core.testing._desk_machine import WHERE as _WHERE
from eventsync_core.testing._desk_machine import WHOM as _WHOM
from eventsync_core.testing._desk_machine import DeskRules
from eventsync_core.testing._faults import CrashError, CrashingStores, run_until_crash
from eventsync_core.testing._payload_machine import PayloadRules
from eventsync_core.testing._policy_machine import PolicyRules
from eventsync_core.testing._strategies import PROJECTS, envelopes, respell, scripts

_HEALTHS = (
    Health(deployment=Deployment(server_instance_id="s1"), limits=Limits(retry_most=5)),
    Health(deployment=Deployment(server_instance_id="s2", environment_name="prod")),
    Health(deployment=Deployment(environment_name="test", git_sha="abc")),
)
# Half of the events have a key by these, and share it with many others.
_KEYS: KeyRules = {"Started": (("aggregate_id",),)}
_SOMEBODY = (None, Producer(user="ann"), Producer(user="ann", team="one"))
_When = Literal["before", "after"]
_Results = list[tuple[str, ...]]


@attrs.define(kw_only=True)
class _Side:
    """One of the two: a store, its clock, and what its targets received."""

    stores: Stores
    clock: ManualClock = attrs.field(factory=ManualClock)
    receivers: dict[str, StubReceiver] = attrs.field(factory=dict)

    def capture(
        self, stores: Stores, texts: list[str], project: str | None, keys: KeyRules | None = None
    ) -> _Results:
        """Capture *texts* and say what came of each, in words."""
        found: _Results = []
        who = Producer(team=project) if project else _SOMEBODY[len(texts) % len(_SOMEBODY)]
        rules = CaptureRules(keys=keys, producer=who)
        for result in capture_many(stores, texts, at=self.clock(), project=project, rules=rules):
            if isinstance(result, EventSyncError):
                found.append((result.code, result.message))
            else:
                place = (result.event_id, result.stream, str(result.position))
                found.append((*place, result.state, str(result.superseded)))
        return found

    def drain(self, stores: Stores, plan: "_Plan") -> Report:
        """Drain every stream as *plan* says, with a script of its own."""
        receiver = self.receivers[plan.target.target_id]
        receiver.script, receiver.capacity = deepcopy(plan.script), plan.capacity
        task = Drain(
            stores=stores,
            target=plan.target,
            receiver=receiver,
            clock=self.clock,
            holder=HOLDER,
            budget=plan.budget,
        )
        return drain(task, _STREAMS)


@attrs.frozen(kw_only=True)
class _Plan:
    """One drain: to whom, what it answers, how much."""

    target: Target
    script: Script
    capacity: Limits
    budget: Budget


_NAMED = st.one_of(st.none(), st.sampled_from(("named", PROJECTS[0])))
_TEXTS = st.lists(envelopes(_IDS), min_size=1, max_size=8)
_SOME = st.one_of(st.none(), st.integers(1, 4))
_PLANS = st.builds(
    _Plan,
    target=_WHOM,
    script=scripts(_IDS),
    capacity=st.sampled_from((Limits(), Limits(max_events=2), Limits(max_bytes=90))),
    budget=st.builds(Budget, requests=_SOME, events=_SOME),
)


class StoresMachine(PayloadRules, PolicyRules, DeskRules):
    """
    Drive a subject and `MemoryStores` alike; after every step they hold the same.

    A binding overrides `open_subject`, and `crash` where a dying process leaves more behind
    than an undone unit of work. To run it: `TestThing = ThingMachine.TestCase`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.model = _Side(stores=MemoryStores())
        self.subject = _Side(stores=self.open_subject())
        self.texts: list[str] = []
        for target in _TARGETS:
            for side in (self.model, self.subject):
                side.stores.targets.register(target, at=side.clock())
                side.receivers[target.target_id] = StubReceiver(target.target_id)

    def open_subject(self) -> Stores:
        """Return the store under test: an empty one at first, then again the one left behind."""
        raise NotImplementedError

    def reopen(self) -> None:
        """Close the subject in order and open it again."""
        self.subject.stores = self.open_subject()

    def crash(self) -> None:
        """Drop the subject as a dying process does and open it again."""
        self.reopen()

    def both(self) -> tuple[_Side, _Side]:
        """Return the model and the subject."""
        return self.model, self.subject

    def drain_plainly(self) -> None:
        """Drain everything to the first target, which takes it."""
        plan = _Plan(target=_TARGETS[0], script=Script(), capacity=Limits(), budget=Budget())
        self.drain(plan=plan)

    def alike(self, step: Callable[[_Side], object]) -> None:
        """Take *step* with both; it must come to the same."""
        expected = step(self.model)
        assert expected == step(self.subject)

    @initialize(texts=_TEXTS)
    def begin(self, texts: list[str]) -> None:
        """Something is captured, and one target is granted all of it."""
        self.capture(texts=texts, project=None)
        self.grant_everything(to=_TARGETS[0])

    @rule(texts=_TEXTS, project=_NAMED)
    def capture(self, texts: list[str], project: str | None) -> None:
        """Several events in one call, known ids with other content among them."""
        self.texts += texts
        self.alike(lambda side: side.capture(side.stores, texts, project))

    @precondition(lambda self: self.texts)
    @rule(pick=st.integers(0, 50), is_respelt=st.booleans(), project=_NAMED)
    def capture_again(self, pick: int, is_respelt: bool, project: str | None) -> None:  # noqa: FBT001
        """A text that came before, byte for byte or in another spelling."""
        text = self.texts[pick % len(self.texts)]
        again = respell(text) if is_respelt else text
        self.alike(lambda side: side.capture(side.stores, [again], project))

    @rule(texts=_TEXTS, project=_NAMED)
    def capture_keyed(self, texts: list[str], project: str | None) -> None:
        """The same, with later events superseding earlier ones."""
        self.texts += texts
        self.alike(lambda side: side.capture(side.stores, texts, project, _KEYS))

    @rule(texts=_TEXTS, when=st.sampled_from(("before", "after")))
    def capture_keyed_and_crash(self, texts: list[str], when: _When) -> None:
        """An event and what it supersedes are stored together, or neither is."""
        self.alike(
            lambda side: run_until_crash(
                lambda: side.capture(CrashingStores(side.stores, 1, when), texts, None, _KEYS)
            )
        )
        self.crash()

    @rule(plan=_PLANS, old=_TEXTS, new=_TEXTS)
    def supersede_what_failed(self, plan: _Plan, old: list[str], new: list[str]) -> None:
        """Drain keyed events, supersede those that nobody has seen, and drain again."""
        self.capture_keyed(texts=old, project=None)
        self.drain(plan=plan)
        self.capture_keyed(texts=new, project=None)
        self.drain(plan=plan)

    @rule(texts=_TEXTS)
    def capture_in_a_unit_that_fails(self, texts: list[str]) -> None:
        """An inner unit fails and is undone alone, then the outer one is."""

        def step(side: _Side) -> object:
            said: list[_Results] = []

            def work() -> None:
                with side.stores.atomic():
                    said.append(side.capture(side.stores, texts[:1], None))
                    run_until_crash(lambda: inner(said))
                    said.append(side.capture(side.stores, texts, None))
                    raise CrashError

            def inner(said: list[_Results]) -> None:
                with side.stores.atomic():
                    said.append(side.capture(side.stores, texts[1:], None))
                    raise CrashError

            run_until_crash(work)
            return said

        self.alike(step)

    @rule(texts=_TEXTS, when=st.sampled_from(("before", "after")))
    def capture_and_crash(self, texts: list[str], when: _When) -> None:
        """The process dies right before or right after the commit."""
        self.alike(
            lambda side: run_until_crash(
                lambda: side.capture(CrashingStores(side.stores, 1, when), texts, None)
            )
        )
        self.crash()

    @rule(to=_WHOM, stream=_WHERE, from_now=st.booleans())
    def grant(self, to: Target, stream: str, from_now: bool) -> None:  # noqa: FBT001
        """Grant a stream, from its beginning or from now on."""

        def step(side: _Side) -> object:
            heads = {head.stream: head.position for head in side.stores.journal.heads()}
            return side.stores.grants.grant(
                to.target_id,
                stream,
                from_position=heads.get(stream, 0) if from_now else 0,
                actor="somebody",
                reason="asked",
                at=side.clock(),
            )

        self.alike(step)

    @rule(to=_WHOM)
    def grant_everything(self, to: Target) -> None:
        """Grant every stream from its beginning, and let the target go on."""
        for stream in _STREAMS:
            self.grant(to=to, stream=stream, from_now=False)
        self.alike(lambda side: side.stores.targets.pause(to.target_id, ""))

    @rule(to=_WHOM, health=st.none() | st.sampled_from(_HEALTHS))
    def hear_of(self, to: Target, health: Health | None) -> None:
        """The target says something of itself, or does not answer."""

        def step(side: _Side) -> object:
            targets, at = side.stores.targets, side.clock()
            return attrs.asdict(targets.observe(to.target_id, health, at=at))

        self.alike(step)

    @rule(to=_WHOM, chance=st.sampled_from((0.0, 0.5)), is_over=st.booleans())
    def fail_or_recover(self, to: Target, chance: float, is_over: bool) -> None:  # noqa: FBT001
        """A fault is noted, or an operator lets the target go on."""

        def step(side: _Side) -> object:
            targets, at = side.stores.targets, side.clock()
            before = targets.get(to.target_id).back_off
            after = next_back_off(probe(before, at=at) or before, at=at, chance=chance, reason="x")
            targets.set_back_off(to.target_id, BackOff() if is_over else after)
            if is_over:
                targets.settle_reset(to.target_id)
                for stream in _STREAMS:
                    side.stores.grants.resume(
                        to.target_id, stream, actor="me", reason="test", at=side.clock()
                    )
            return targets.get(to.target_id).back_off

        self.alike(step)

    @rule(to=_WHOM, stream=_WHERE)
    def begin_anew(self, to: Target, stream: str) -> None:
        """Revoke a grant and renew it from now on: what was not sent is passed over."""
        self.revoke(to=to, stream=stream)
        self.grant(to=to, stream=stream, from_now=True)

    @rule(to=_WHOM, stream=_WHERE)
    def revoke(self, to: Target, stream: str) -> None:
        """End a grant, live or not, there or not."""
        self.alike(
            lambda side: side.stores.grants.revoke(
                to.target_id, stream, actor="me", reason="test", at=side.clock()
            )
        )

    @rule(stream=_WHERE, seen=st.integers(0, 9))
    def reserve_a_clock(self, stream: str, seen: int) -> None:
        """Take the next lamport clock."""
        self.alike(lambda side: side.stores.journal.next_lamport(stream, seen=seen))

    @rule(plan=_PLANS)
    def drain(self, plan: _Plan) -> None:
        """Drain to a receiver that answers as it is told."""
        self.alike(lambda side: side.drain(side.stores, plan))

    @rule(plan=_PLANS, texts=_TEXTS)
    def drain_what_is_new(self, plan: _Plan, texts: list[str]) -> None:
        """Drain, capture and drain again before anything that waits is due."""
        self.drain(plan=plan)
        self.capture(texts=texts, project=None)
        self.drain(plan=plan)

    @rule(plan=_PLANS, old=_TEXTS, new=_TEXTS)
    def pass_over_and_widen(self, plan: _Plan, old: list[str], new: list[str]) -> None:
        """What the cursor passed becomes deliverable when the grant is widened."""
        self.capture(texts=old, project=None)
        self.begin_anew(to=plan.target, stream=_STREAMS[0])
        self.capture(texts=new, project=None)
        self.drain(plan=plan)
        self.grant_everything(to=plan.target)
        self.drain(plan=plan)

    @rule(plan=_PLANS, nth=st.integers(1, 4), when=st.sampled_from(("before", "after")))
    def drain_and_crash(self, plan: _Plan, nth: int, when: _When) -> None:
        """The process dies at one of the drain's commits; its lease and request stay open."""
        self.alike(
            lambda side: run_until_crash(
                lambda: side.drain(CrashingStores(side.stores, nth, when), plan)
            )
        )
        self.crash()

    @rule(seconds=st.sampled_from((1, 14, 16, 301, 86_400)))
    def advance(self, seconds: int) -> None:
        """Let time pass: less than a lease, more than one, a pending wait, a day."""
        self.alike(lambda side: side.clock.advance(seconds))

    @rule()
    def open_again(self) -> None:
        """Close the subject and open it again."""
        self.reopen()

    @invariant()
    def times_agree(self) -> None:
        """Both were asked the time equally often."""
        assert self.model.clock.now == self.subject.clock.now

    @invariant()
    def journals_agree(self) -> None:
        """Entries and history are equal; positions and chain verify."""
        heads = {head.stream: head for head in self.model.stores.journal.heads()}
        assert list(heads.values()) == self.subject.stores.journal.heads()
        for stream in _STREAMS:
            expected = stream_of(self.model.stores, stream)
            assert expected == stream_of(self.subject.stores, stream)
            if stream in heads:
                lamport = heads[stream].lamport
                assert verified_head(stream, expected.entries, lamport=lamport) == heads[stream]

    @invariant()
    def targets_agree(self) -> None:
        """Classes, rows, requests and grants are equal; every tally is coherent."""
        assert targets_of(self.model.stores) == targets_of(self.subject.stores)
        at = self.model.clock.now
        for target in _TARGETS:
            for stream in _STREAMS:
                expected = view_of(self.model.stores, target.target_id, stream, at=at)
                assert expected.is_coherent
                assert sum(expected.classes.values()) == expected.captured
                assert expected == view_of(self.subject.stores, target.target_id, stream, at=at)

    @invariant()
    def receivers_agree(self) -> None:
        """Both targets saw the same requests and hold the same texts."""
        assert self.model.receivers == self.subject.receivers
