"""What the desk leaves in a file: nothing is rewritten, and looking for work stays cheap."""

import sqlite3
from contextlib import closing

import pytest

from eventsync_core.desk import Order, Selection, hold, release, reopen
from eventsync_core.ledger import Act, Lane
from eventsync_core.receivers import Outcome
from eventsync_core.testing import HOLDER
from tests.sqlite.conftest import World

_DELIVERED = frozenset({Outcome.SUCCESS, Outcome.DUPLICATE})


def _replay(world: World) -> int:
    order = Order(
        act=Act.DELIVERED_BEFORE,
        target_id=world.target.target_id,
        selection=Selection(outcomes=_DELIVERED),
        actor="me",
    )
    done = reopen(world.stores, order, ["default"], clock=world.clock, holder=HOLDER)
    return done.changed.total()


@pytest.mark.parametrize(
    "statement", ["DELETE FROM released_holds", "UPDATE released_holds SET reason = ''"]
)
def test_a_hold_that_is_over_stays_on_record(world: World, statement: str) -> None:
    """Neither changed nor removed, by whatever program."""
    world.capture(1)
    hold(world.stores, ["e1"], reason="look", actor="me", at=world.clock())
    release(world.stores, ["e1"], actor="me", at=world.clock())

    with (
        closing(sqlite3.connect(world.path)) as connection,
        pytest.raises(sqlite3.IntegrityError, match="released holds"),
    ):
        connection.execute(statement)


def test_a_replay_changes_no_event(world: World) -> None:
    """Bytes, digests and chain are what they were; a drain leaves nothing due behind."""
    world.capture(1_200)
    world.drain()
    before = world.stores.journal.entries("default", limit=2_000)

    assert _replay(world) == 1_200
    assert world.drain().counts()["duplicate"] == 1_200

    assert before == world.stores.journal.entries("default", limit=2_000)
    for lane in Lane:
        found = world.stores.backlog.due(
            world.target.target_id,
            "default",
            lane,
            now=2**60,
            after=(-1, 0),
            max_events=10,
            max_bytes=10**6,
        )
        assert found == []


def test_tallies_are_kept_with_every_act(world: World) -> None:
    """Counted from the rows, the counters say the same."""
    world.capture(30)
    world.drain()
    _replay(world)
    world.capture(10, first=31)
    hold(world.stores, ["e1", "e35"], reason="", actor="me", at=world.clock())
    world.drain()
    release(world.stores, ["e1", "e35"], actor="me", at=world.clock())

    with closing(sqlite3.connect(world.path)) as connection:
        counted = connection.execute(
            "SELECT outcome, COUNT(*) FROM ledger GROUP BY outcome ORDER BY outcome"
        ).fetchall()
        kept = connection.execute(
            "SELECT outcome, entries FROM tallies WHERE entries > 0 ORDER BY outcome"
        ).fetchall()
        due = connection.execute("SELECT COUNT(*) FROM due").fetchone()

    assert counted == kept
    assert dict(kept)["owed"] == due[0] == 2
