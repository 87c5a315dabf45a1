"""The part of the state machine in which payloads go on record, and come back."""

from collections.abc import Callable
from typing import Any, Literal, Protocol

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from eventsync_core.events import read_event
from eventsync_core.payloads import Act, Deed
from eventsync_core.stores import Stores
from eventsync_core.testing._builders import ManualClock
from eventsync_core.testing._desk_machine import STREAMS, WHERE
from eventsync_core.testing._faults import CrashingStores, run_until_crash

_When = Literal["before", "after"]
_ACTS = st.sampled_from((Act.GC, Act.ARCHIVE))
_SOME = st.lists(st.integers(1, 8), min_size=1, max_size=5, unique=True)


class Side(Protocol):
    """One of the two stores that must agree, and its clock."""

    stores: Stores
    clock: ManualClock


def _purge(side: Side, stores: Stores, stream: str, positions: list[int], act: Act) -> object:
    deed = Deed(act=act, actor="me", at=side.clock())
    with stores.atomic():
        return stores.payloads.purge(stream, positions, deed)


class PayloadRules(RuleBasedStateMachine):
    """What becomes of texts; a subclass has the two sides and lets both drain."""

    def __init__(self) -> None:
        super().__init__()
        self.gone: dict[str, str] = {}

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

    def _remember(self, stream: str) -> None:
        model, _ = self.both()
        for entry in model.stores.journal.entries(stream):
            if entry.has_text:
                self.gone[entry.event.event_id] = entry.event.text

    @rule(stream=WHERE, positions=_SOME, act=_ACTS)
    def purge(self, stream: str, positions: list[int], act: Act) -> None:
        """Some payloads go, delivered or not."""
        self._remember(stream)
        self.alike(lambda side: _purge(side, side.stores, stream, positions, act))

    @rule(stream=WHERE, positions=_SOME, when=st.sampled_from(("before", "after")))
    def purge_and_crash(self, stream: str, positions: list[int], when: _When) -> None:
        """The process dies right before or right after the commit."""
        self._remember(stream)
        self.alike(
            lambda side: run_until_crash(
                lambda: _purge(
                    side, CrashingStores(side.stores, 1, when), stream, positions, Act.GC
                )
            )
        )
        self.crash()

    @rule(share=st.integers(1, 3))
    def restore(self, share: int) -> None:
        """Some of what went comes back."""
        events = [read_event(text) for text in list(self.gone.values())[::share]]

        def step(side: Side) -> object:
            deed = Deed(act=Act.IMPORT, actor="me", at=side.clock())
            return side.stores.payloads.restore(events, deed)

        self.alike(step)

    @rule(stream=WHERE, positions=_SOME)
    def purge_drain_and_restore(self, stream: str, positions: list[int]) -> None:
        """What was passed over while it was gone is offered once it is back."""
        self.purge(stream=stream, positions=positions, act=Act.GC)
        self.drain_plainly()
        self.restore(share=1)
        self.drain_plainly()

    @invariant()
    def payloads_agree(self) -> None:
        """Both kept the same, and have the same on record."""
        model, subject = self.both()
        assert model.stores.payloads.purges() == subject.stores.payloads.purges()
        for stream in ("", *STREAMS):
            expected = model.stores.payloads.counts(stream)
            assert expected == subject.stores.payloads.counts(stream)
        for stream in STREAMS:
            kept = model.stores.payloads.kept(stream, after=0, upto=1 << 40)
            assert kept == subject.stores.payloads.kept(stream, after=0, upto=1 << 40)
