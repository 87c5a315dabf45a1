"""Bodies in SQLite: the same as in memory whatever is done, and safe from a crash."""

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import attrs
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from eventsync_adapters.sqlite import open_stores
from eventsync_core.bodies import Standing, StubBodyReceiver, UploadFailure, UploadState
from eventsync_core.ledger import Act
from eventsync_core.receivers import RequestRule, Script
from eventsync_core.stores import MemoryStores, Stores
from eventsync_core.testing import (
    EPOCH,
    HOLDER,
    CrashError,
    CrashingStores,
    ManualClock,
    make_body,
    make_event,
    make_stub_target,
)
from eventsync_core.upload import Upload, upload
from tests.effort import examples

_NAMES = st.sampled_from(("a", "b", "c", "d"))
_STREAMS = st.sampled_from(("default", "other"))
_TARGETS = st.sampled_from([make_stub_target(name) for name in ("one", "two")])
_TIMES = st.integers(EPOCH - 3, EPOCH + 3)
_STANDINGS = st.builds(
    Standing,
    state=st.sampled_from(UploadState),
    attempts=st.integers(0, 3),
    failures=st.integers(0, 3),
    due_at=_TIMES,
    last_error=st.sampled_from(("", "server_error: 500")),
    asked_at=st.none() | _TIMES,
    settled_at=st.none() | _TIMES,
)


class BodiesMachine(RuleBasedStateMachine):
    """Drive bodies in SQLite and in memory alike; they must agree."""

    def __init__(self) -> None:
        super().__init__()
        self.model: Stores = MemoryStores()
        self.events = 0

    @initialize()
    def open(self) -> None:
        self.folder = TemporaryDirectory()
        self.subject = open_stores(Path(self.folder.name) / "x.db", durability="normal")
        for name in ("one", "two"):
            self.both(
                lambda stores, name=name: stores.targets.register(make_stub_target(name), at=EPOCH)
            )

    def teardown(self) -> None:
        if hasattr(self, "subject"):
            self.subject.close()
            self.folder.cleanup()

    def both(self, act: Any) -> None:
        assert act(self.model) == act(self.subject)

    @rule(
        name=_NAMES,
        stream=_STREAMS,
        content=st.sampled_from((None, "other")),
        at=_TIMES,
        retries=st.integers(0, 2),
    )
    def add(self, name: str, stream: str, content: str | None, at: int, retries: int) -> None:
        upload = make_body(
            name,
            content=content,
            content_hash="same",
            created_at=at,
            retry_count=retries,
            next_attempt_at=at,
        )
        self.both(lambda stores: stores.bodies.add(stream, upload, at=at))
        self.both(lambda stores: stores.bodies.get(upload.key))

    @rule(stream=_STREAMS)
    def capture(self, stream: str) -> None:
        self.events += 1
        event = make_event(f"e{self.events}")
        for stores in (self.model, self.subject):
            stores.journal.append(stream, [event], at=EPOCH)

    @rule(there=_TARGETS, stream=_STREAMS, above=st.integers(0, 3), at=_TIMES)
    def grant(self, there: Any, stream: str, above: int, at: int) -> None:
        self.both(
            lambda stores: stores.grants.grant(
                there.target_id,
                stream,
                from_position=0,
                actor="",
                reason="",
                at=at,
                from_body=above,
            )
        )

    @rule(there=_TARGETS, stream=_STREAMS)
    def revoke(self, there: Any, stream: str) -> None:
        self.both(
            lambda stores: stores.grants.revoke(
                there.target_id, stream, actor="", reason="", at=EPOCH
            )
        )

    @rule(there=_TARGETS, number=st.integers(1, 5), act=st.sampled_from(Act), at=_TIMES)
    def reopen(self, there: Any, number: int, act: Act, at: int) -> None:
        self.both(
            lambda stores: stores.bodies.reopen(there.target_id, number, act, actor="me", at=at)
        )
        self.both(lambda stores: stores.bodies.reopenings(there.target_id, number))

    @rule(there=_TARGETS, stream=_STREAMS)
    def owe(self, there: Any, stream: str) -> None:
        self.both(lambda stores: stores.bodies.owe(there.target_id, stream))

    @rule(there=_TARGETS, number=st.integers(1, 5), standing=_STANDINGS)
    def note(self, there: Any, number: int, standing: Standing) -> None:
        self.both(lambda stores: stores.bodies.note(there.target_id, number, standing))

    @rule(name=_NAMES, reason=st.sampled_from(("x", "y")), count=st.integers(1, 3), at=_TIMES)
    def log(self, name: str, reason: str, count: int, at: int) -> None:
        failure = UploadFailure(
            key=make_body(name).key,
            reason=reason,
            size_bytes=at - EPOCH + 3,
            count=count,
            first_failed_at=at,
            last_failed_at=at,
        )
        self.both(lambda stores: stores.bodies.log(failure))

    @rule(there=_TARGETS, stream=_STREAMS, now=_TIMES, after=st.tuples(_TIMES, st.integers(0, 4)))
    def look(self, there: Any, stream: str, now: int, after: tuple[int, int]) -> None:
        self.both(lambda stores: stores.bodies.page(there.target_id, stream))
        self.both(lambda stores: stores.bodies.page(there.target_id, after=after[1], limit=2))
        self.both(lambda stores: stores.bodies.counts(there.target_id))
        self.both(lambda stores: stores.bodies.counts())
        self.both(lambda stores: (stores.bodies.head(), stores.bodies.streams()))
        self.both(lambda stores: stores.bodies.waiting(there.target_id, stream))
        self.both(lambda stores: stores.bodies.failures(after=after[1], limit=2))

        def due(stores: Stores) -> Any:
            grant = stores.grants.get(there.target_id, stream)
            if grant is None:
                return None
            first = stores.bodies.next_due(grant, now=now)
            later = stores.bodies.next_due(grant, now=now, after=after)
            return first, later, stores.bodies.remaining(grant)

        self.both(due)


TestBodiesMachine = BodiesMachine.TestCase
TestBodiesMachine.settings = settings(
    max_examples=examples(40), stateful_step_count=30, deadline=None
)


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_upload_survives_a_crash_at_every_commit(
    tmp_path: Path, when: Literal["before", "after"]
) -> None:
    """Whatever was noted, the next upload ends with every body at the target, once."""
    for nth in range(1, 20):
        target, clock = make_stub_target(), ManualClock()
        receiver = StubBodyReceiver(target.target_id)
        receiver.script = Script(pushes=[RequestRule(status=400), RequestRule(status=500)])
        with open_stores(tmp_path / f"{nth}.db", durability="normal") as stores:
            stores.targets.register(target, at=clock())
            stores.grants.grant(
                target.target_id, "default", from_position=0, actor="", reason="", at=clock()
            )
            for name in "abc":
                stores.bodies.add("default", make_body(name), at=clock())
            task = Upload(
                stores=CrashingStores(stores, nth, when),
                target=target,
                receiver=receiver,
                clock=clock,
                holder=HOLDER,
            )
            has_crashed = False
            try:
                upload(task, ["default"])
            except CrashError:
                has_crashed = True
            for _ in range(2):
                clock.advance(90)
                upload(attrs.evolve(task, stores=stores), ["default"])
            states = [each.standing.state for each in stores.bodies.page(target.target_id)]
            failed = states.count(UploadState.FAILED)

            assert UploadState.QUEUED not in states
            assert len(receiver.received) == 3 - failed
            assert len(stores.bodies.failures()) == failed <= 1
        if not has_crashed:
            return
    raise AssertionError("it crashed every time")


def test_what_is_kept_cannot_be_changed(tmp_path: Path) -> None:
    """Not even by plain SQL."""
    with open_stores(tmp_path / "x.db") as stores:
        stores.bodies.add("default", make_body(), at=EPOCH)
        key = make_body().key
        stores.bodies.log(
            UploadFailure(
                key=key, reason="x", size_bytes=1, first_failed_at=EPOCH, last_failed_at=EPOCH
            )
        )
    with closing(sqlite3.connect(tmp_path / "x.db")) as database:
        for statement in (
            "DELETE FROM bodies",
            "UPDATE bodies SET artifact_path = 'other'",
            "DELETE FROM body_contents",
            "UPDATE body_contents SET content = 'other'",
            "DELETE FROM body_failures",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="never"):
                database.execute(statement)
