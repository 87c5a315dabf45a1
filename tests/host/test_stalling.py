"""A host says how long is too long for a target that is owed something."""

from pathlib import Path

import pytest

from eventsync import Kind, make_target, open_store
from eventsync_core.testing import ManualClock


@pytest.mark.parametrize(
    ("stall_after_seconds", "is_stalled"),
    [(None, False), (600, True), (1_200, False), (0, False)],
)
def test_how_long_is_too_long(
    tmp_path: Path, stall_after_seconds: int | None, *, is_stalled: bool
) -> None:
    """An hour where it says nothing; zero: no time is."""
    clock = ManualClock()
    store = open_store(tmp_path, clock=clock)
    target = make_target(Kind.EXTERNAL, "http://127.0.0.1:9/in")
    store.grant(target, actor="me")
    store.capture({"event_id": "e1"})
    clock.advance(900)

    standing = store.status(target, stall_after_seconds=stall_after_seconds)

    assert [reason.code for reason in standing.reasons] == ["stalled"] * is_stalled
    told = standing.document()["backlog"]["stall_after_seconds"]
    assert told == (3_600 if stall_after_seconds is None else stall_after_seconds)
