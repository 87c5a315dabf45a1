"""The part of the state machine that is the operator's: retry, replay, hold, release."""

from collections.abc import Callable
from typing import Any, Literal, Protocol

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from eventsync_core.clock import MINUTE
from eventsync_core.desk import (
    Account,
    Order,
    Selection,
    hold,
    preview,
    release,
    release_all,
    reopen,
)
from eventsync_core.errors import NotGrantedError, UnknownEventError
from eventsync_core.events import Hold
from eventsync_core.ledger import Act
from eventsync_core.receivers import Outcome
from eventsync_core.stores import Stores
from eventsync_core.testing._agreement import (
    delivered_of,
    forgotten_of,
    lost_of,
    stream_of,
    view_of,
)
from eventsync_core.testing._builders import EPOCH, HOLDER, ManualClock, make_stub_target
from eventsync_core.testing._faults import CrashingStores, run_until_crash
from eventsync_core.testing._strategies import IDS

MACHINE_IDS = (*IDS, *(f"e{number}" for number in range(7, 17)))
STREAMS = ("default", "named", "p1", "p2")
TARGETS = (make_stub_target("one"), make_stub_target("two"))
# The first of each comes more often: most of what can go wrong needs many steps in one place.
WHOM = st.sampled_from((TARGETS[0], *TARGETS))
WHERE = st.sampled_from((STREAMS[0], *STREAMS))

_When = Literal["before", "after"]
_WHENS: st.SearchStrategy[_When] = st.sampled_from(("before", "after"))
_SOME_IDS = st.lists(st.sampled_from(MACHINE_IDS), min_size=1, max_size=3, unique=True)
_OUTCOMES = st.frozensets(st.sampled_from(list(Outcome)), min_size=1)
_ORDERS = st.builds(
    Order,
    act=st.sampled_from(list(Act)),
    target_id=WHOM.map(lambda target: target.target_id),
    selection=st.builds(
        Selection,
        outcomes=st.one_of(st.just(frozenset(Outcome)), _OUTCOMES),
        types=st.sampled_from((frozenset(), frozenset(), frozenset({"Started"}))),
        reason=st.sampled_from(("", "", "FIT", "died")),
        captured_until=st.sampled_from((None, None, EPOCH + 60 * MINUTE)),
    ),
    actor=st.just("me"),
)


class Side(Protocol):
    """One of the two stores that must agree, and its clock."""

    stores: Stores
    clock: ManualClock


def _order(side: Side, stores: Stores, order: Order, stream: str) -> Account | str:
    """Do as *order* says; the preview must have said the same."""
    try:
        expected = preview(stores, order, [stream], clock=side.clock)
        done = reopen(stores, order, [stream], clock=side.clock, holder=HOLDER)
    except NotGrantedError as error:
        return error.message
    assert expected == done
    return done


def _move(side: Side, stores: Stores, event_ids: list[str], why: str) -> object:
    """Hold the events for the reason *why*, or without one release them."""
    try:
        if why:
            return hold(stores, event_ids, reason=why, actor="me", at=side.clock())
        return release(stores, event_ids, actor="me", at=side.clock())
    except UnknownEventError as error:
        return error.event_ids


class DeskRules(RuleBasedStateMachine):
    """What an operator does; a subclass has the two sides and lets both drain."""

    def __init__(self) -> None:
        super().__init__()
        self.delivered: dict[tuple[str, str], set[int]] = {}

    def alike(self, step: Callable[[Any], object]) -> None:
        """Take *step* with both sides; it must come to the same."""
        raise NotImplementedError

    def crash(self) -> None:
        """Drop the subject as a dying process does and open it again."""
        raise NotImplementedError

    def drain_plainly(self) -> None:
        """Drain everything to the first target, which takes it."""
        raise NotImplementedError

    def both(self) -> tuple[Side, Side]:
        """Return the model and the subject."""
        raise NotImplementedError

    @rule(order=_ORDERS, stream=WHERE)
    def order(self, order: Order, stream: str) -> None:
        """An operator retries or replays; the preview says what the act does."""
        self.alike(lambda side: _order(side, side.stores, order, stream))

    @rule(order=_ORDERS, is_whole=st.booleans())
    def order_and_drain(self, order: Order, is_whole: bool) -> None:  # noqa: FBT001
        """Once no lease is in the way, what was opened again is delivered."""
        if is_whole:
            order = attrs.evolve(order, selection=Selection(outcomes=frozenset(Outcome)))
        self.alike(lambda side: side.clock.advance(16))
        self.order(order=attrs.evolve(order, target_id=TARGETS[0].target_id), stream=STREAMS[0])
        self.drain_plainly()

    @rule(order=_ORDERS, stream=WHERE, nth=st.integers(1, 3), when=_WHENS)
    def order_and_crash(self, order: Order, stream: str, nth: int, when: _When) -> None:
        """The process dies at one of the commits; its lease stays."""
        self.alike(
            lambda side: run_until_crash(
                lambda: _order(side, CrashingStores(side.stores, nth, when), order, stream)
            )
        )
        self.crash()

    @rule(event_ids=_SOME_IDS, why=st.sampled_from(("", "look", "again")))
    def move(self, event_ids: list[str], why: str) -> None:
        """Hold or release some events; unknown ones are named, and nothing changes."""
        self.alike(lambda side: _move(side, side.stores, event_ids, why))

    @rule(event_ids=_SOME_IDS, why=st.sampled_from(("", "look")), when=_WHENS)
    def move_and_crash(self, event_ids: list[str], why: str, when: _When) -> None:
        """The process dies right before or right after the commit."""
        self.alike(
            lambda side: run_until_crash(
                lambda: _move(side, CrashingStores(side.stores, 1, when), event_ids, why)
            )
        )
        self.crash()

    @rule(event_id=st.sampled_from(MACHINE_IDS))
    def hold_pass_over_and_release(self, event_id: str) -> None:
        """What was held while the cursor passed it is offered once it is released."""
        self.move(event_ids=[event_id], why="look")
        self.drain_plainly()
        self.move(event_ids=[event_id], why="")
        self.drain_plainly()

    @rule(stream=WHERE, why=st.sampled_from(list(Hold)))
    def release_all(self, stream: str, why: Hold) -> None:
        """Release all that is held for one reason."""
        self.alike(lambda side: release_all(side.stores, stream, why, actor="me", clock=side.clock))

    @invariant()
    def nothing_is_lost(self) -> None:
        """Selection finds all that is deliverable."""
        for side in self.both():
            for target in TARGETS:
                for stream in STREAMS:
                    assert lost_of(side.stores, target.target_id, stream) == set()

    @invariant()
    def nothing_is_forgotten(self) -> None:
        """What was delivered is delivered, or its history says that it was before."""
        model, _ = self.both()
        for stream in STREAMS:
            history = stream_of(model.stores, stream).history
            for target_id in (target.target_id for target in TARGETS):
                view = view_of(model.stores, target_id, stream, at=model.clock.now)
                delivered = self.delivered.setdefault((target_id, stream), set())
                assert forgotten_of(view, history, target_id, delivered) == set()
                delivered |= delivered_of(view)
