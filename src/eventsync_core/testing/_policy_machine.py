"""The part of the state machine in which families matter: what is local, what is dropped."""

from collections.abc import Callable
from typing import Any, Literal, Protocol

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from eventsync_core.capture import CaptureRules, capture_many
from eventsync_core.errors import EventSyncError
from eventsync_core.events import Families, Family
from eventsync_core.policy import Mode, OnDiscard
from eventsync_core.stores import Stores
from eventsync_core.testing._agreement import audit_of
from eventsync_core.testing._builders import ManualClock
from eventsync_core.testing._desk_machine import MACHINE_IDS
from eventsync_core.testing._faults import CrashingStores, run_until_crash
from eventsync_core.testing._strategies import envelopes

_LOCAL = CaptureRules(families=Families({"Started": Family.LOCAL_ONLY}))
_NOTHING_KEPT = [
    CaptureRules(mode=Mode.OPT_OUT, on_discard=on_discard, families=Families({"Started": family}))
    for on_discard in OnDiscard
    for family in (Family.DISCARDABLE, Family.LOCAL_ONLY)
]
_TEXTS = st.lists(envelopes(MACHINE_IDS), min_size=1, max_size=8)
_DROPPING = st.sampled_from(_NOTHING_KEPT)
_When = Literal["before", "after"]


class Side(Protocol):
    """One of the two stores that must agree, and its clock."""

    stores: Stores
    clock: ManualClock


def _capture(side: Side, stores: Stores, texts: list[str], rules: CaptureRules) -> list[object]:
    """Capture *texts* and say what came of each."""
    found = capture_many(stores, texts, at=side.clock(), rules=rules)
    return [
        (result.code, result.message)
        if isinstance(result, EventSyncError)
        else (result.event_id, result.stream, result.position, result.state)
        for result in found
    ]


class PolicyRules(RuleBasedStateMachine):
    """What families and a policy make of captures; a subclass has the two sides."""

    def alike(self, step: Callable[[Any], object]) -> None:
        """Take *step* with both sides; it must come to the same."""
        raise NotImplementedError

    def crash(self) -> None:
        """Drop the subject as a dying process does and open it again."""
        raise NotImplementedError

    def both(self) -> tuple[Side, Side]:
        """Return the model and the subject."""
        raise NotImplementedError

    @rule(texts=_TEXTS)
    def capture_local_ones(self, texts: list[str]) -> None:
        """Half of the events are local only: stored, and offered to nobody."""
        self.alike(lambda side: _capture(side, side.stores, texts, _LOCAL))

    @rule(texts=_TEXTS, rules=_DROPPING)
    def capture_nothing(self, texts: list[str], rules: CaptureRules) -> None:
        """Events are dropped, refused or put on record; known ones stay what they are."""
        self.alike(lambda side: _capture(side, side.stores, texts, rules))

    @rule(texts=_TEXTS, rules=_DROPPING, when=st.sampled_from(("before", "after")))
    def capture_nothing_and_crash(self, texts: list[str], rules: CaptureRules, when: _When) -> None:
        """All that was dropped is on record, or nothing was."""
        self.alike(
            lambda side: run_until_crash(
                lambda: _capture(side, CrashingStores(side.stores, 1, when), texts, rules)
            )
        )
        self.crash()

    @invariant()
    def audits_agree(self) -> None:
        """Both have the same on record."""
        model, subject = self.both()
        assert audit_of(model.stores) == audit_of(subject.stores)
