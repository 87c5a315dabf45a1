import pytest

from eventsync_core.census import Class
from eventsync_core.events import Hold, read_event
from eventsync_core.ledger import Holding
from eventsync_core.receivers import Outcome
from eventsync_core.stores import Stores
from eventsync_core.testing._builders import make_event, make_events, make_stub_target
from eventsync_core.testing._contracts._steps import (
    NOW,
    STREAM,
    TARGET_ID,
    answered,
    classes,
    due_positions,
    grant,
    granted,
    leased,
    opened,
    tail_positions,
    verdict,
)

_INVALID = read_event('{"event_id":"invalid","x":1,"x":2}')


def _hold(stores: Stores, *positions: int, reason: str = "wait", at: int = NOW) -> int:
    return stores.holds.hold(STREAM, positions, reason=reason, actor="me", at=at)


def _release(stores: Stores, *positions: int, at: int = NOW) -> int:
    return stores.holds.release(STREAM, positions, actor="you", at=at)


class HoldsContract:
    """Subclass, provide a `stores` fixture, and every promise of `Holds` is checked."""

    def test_a_held_entry_is_offered_to_nobody(self, stores: Stores) -> None:
        """Neither from the tail nor when it is due; it counts as held."""
        granted(stores, make_events(3))
        answered(stores, leased(stores), {1: Outcome.TRANSIENT})

        assert _hold(stores, 1, 2) == 2

        assert tail_positions(stores) == [3]
        assert due_positions(stores, now=NOW + 9) == []
        assert stores.backlog.deliverable(TARGET_ID, STREAM, [1, 2, 3]) == {3}
        assert classes(stores) == {Class.HELD: 2, Class.OWED: 1}

    def test_a_quarantined_entry_is_a_class_of_its_own(self, stores: Stores) -> None:
        """It is offered to nobody, however it came to stand there."""
        granted(stores, make_events(3))
        answered(stores, leased(stores), {1: Outcome.REJECTED})

        held = stores.holds.hold(
            STREAM, [1, 2], reason="x", actor="me", at=NOW, why=Hold.QUARANTINED
        )

        assert held == 2
        assert tail_positions(stores) == [3]
        assert stores.holds.held(STREAM, Hold.QUARANTINED) == [1, 2]
        assert classes(stores) == {Class.QUARANTINED: 2, Class.OWED: 1}

    def test_a_held_entry_says_why(self, stores: Stores) -> None:
        """Its event is otherwise what it was."""
        granted(stores, make_events(1))

        _hold(stores, 1, reason="look at it first")

        found = stores.journal.find("e1")
        assert found is not None
        assert (found.event.hold, found.event.hold_reason) == (Hold.OPERATOR, "look at it first")
        assert [found] == stores.journal.entries(STREAM)
        assert found.event.text == make_event("e1").text

    def test_a_delivered_entry_stays_delivered(self, stores: Stores) -> None:
        """A hold is for what may still be offered, here or elsewhere."""
        granted(stores, make_events(1))
        answered(stores, leased(stores), {1: Outcome.SUCCESS})

        assert _hold(stores, 1) == 1

        assert classes(stores) == {Class.DELIVERED: 1}

    def test_holding_twice_changes_nothing(self, stores: Stores) -> None:
        """The first reason stands, also that of capture."""
        granted(stores, [make_event("e1"), _INVALID])
        _hold(stores, 1, reason="first")
        before = stores.journal.entries(STREAM)

        assert _hold(stores, 1, 2, reason="second", at=NOW + 5) == 0

        assert before == stores.journal.entries(STREAM)
        assert [len(stores.holds.holdings(STREAM, place)) for place in (1, 2)] == [1, 1]

    def test_a_request_on_its_way_is_not_changed(self, stores: Stores) -> None:
        """What it carries is in flight, and its answer counts."""
        granted(stores, make_events(2))
        lease = leased(stores)
        request_id = opened(stores, lease, 1, 2)

        _hold(stores, 1, 2)
        assert classes(stores) == {Class.IN_FLIGHT: 2}

        said = verdict(Outcome.SUCCESS, Outcome.REJECTED)
        assert stores.ledger.close_request(lease, request_id, said, at=NOW)
        assert classes(stores) == {Class.DELIVERED: 1, Class.HELD: 1}

    def test_a_released_entry_is_deliverable(self, stores: Stores) -> None:
        """Above the cursor it is found there; it needs no row."""
        granted(stores, make_events(3))
        _hold(stores, 2)

        assert _release(stores, 2) == 1

        assert tail_positions(stores) == [1, 2, 3]
        assert stores.ledger.entry(TARGET_ID, STREAM, 2) is None
        assert classes(stores) == {Class.OWED: 3}

    def test_what_the_cursor_has_passed_is_owed(self, stores: Stores) -> None:
        """Due when it was released, to every target that passed it and has no row."""
        granted(stores, [make_event("e1"), _INVALID, make_event("e2")])
        lease = leased(stores)
        answered(stores, lease, {1: Outcome.SUCCESS, 3: Outcome.SUCCESS})
        stores.ledger.pass_over(lease, 3)
        other = stores.targets.register(make_stub_target("two"), at=NOW).target_id
        stores.grants.grant(other, STREAM, from_position=0, actor="", reason="", at=NOW)

        assert _release(stores, 2, at=NOW + 5) == 1

        assert tail_positions(stores) == []
        assert due_positions(stores, now=NOW + 4) == []
        assert due_positions(stores, now=NOW + 5) == [2]
        assert classes(stores) == {Class.DELIVERED: 2, Class.OWED: 1}
        assert stores.ledger.entry(other, STREAM, 2) is None

    def test_what_is_superseded_is_not_owed(self, stores: Stores) -> None:
        """Neither when it is released nor when the cursor passes it: it is never offered again."""
        granted(stores, [_INVALID, *make_events(2)])
        stores.superseding.supersede(STREAM, {1: "key", 2: "key", 3: "key"}, at=NOW)
        lease = leased(stores)
        answered(stores, lease, {3: Outcome.SUCCESS})
        stores.ledger.pass_over(lease, 3)

        assert _release(stores, 1) == 1

        assert due_positions(stores) == []
        assert [stores.ledger.entry(TARGET_ID, STREAM, place) for place in (1, 2)] == [None, None]
        assert classes(stores) == {Class.SUPERSEDED: 2, Class.DELIVERED: 1}

    def test_what_has_a_row_is_due_as_before(self, stores: Stores) -> None:
        """Being held does not change when it is due."""
        granted(stores, make_events(1))
        lease = leased(stores)
        answered(stores, lease, {1: Outcome.TRANSIENT})
        stores.ledger.pass_over(lease, 1)
        before = stores.ledger.entry(TARGET_ID, STREAM, 1)
        _hold(stores, 1)

        _release(stores, 1, at=NOW + 99)

        assert before == stores.ledger.entry(TARGET_ID, STREAM, 1)
        assert due_positions(stores, now=NOW + 1) == [1]

    def test_what_was_released_while_revoked_is_owed_later(self, stores: Stores) -> None:
        """A renewed grant keeps its cursor, and nothing is lost below it."""
        granted(stores, [_INVALID])
        stores.ledger.pass_over(leased(stores), 1)
        stores.grants.revoke(TARGET_ID, STREAM, actor="me", reason="test", at=NOW)

        _release(stores, 1)
        assert due_positions(stores) == []

        grant(stores)
        assert due_positions(stores) == [1]

    def test_releasing_what_is_not_held_changes_nothing(self, stores: Stores) -> None:
        """It is not counted."""
        granted(stores, make_events(2))
        stores.ledger.pass_over(leased(stores), 0)

        assert _release(stores, 1, 2) == 0

        assert stores.holds.holdings(STREAM, 1) == []

    def test_every_hold_is_on_record(self, stores: Stores) -> None:
        """Who, when and why, and when it ended; the last may still last."""
        granted(stores, [_INVALID])
        _release(stores, 1, at=NOW + 1)
        _hold(stores, 1, reason="again", at=NOW + 2)
        _release(stores, 1, at=NOW + 3)
        _hold(stores, 1, reason="once more", at=NOW + 4)

        first, second, third = stores.holds.holdings(STREAM, 1)

        assert first == Holding(
            hold=Hold.INVALID,
            reason=_INVALID.hold_reason or "",
            actor="",
            held_at=NOW,
            released_by="you",
            released_at=NOW + 1,
        )
        assert (second.reason, second.actor, second.released_at) == ("again", "me", NOW + 3)
        assert third == Holding(hold=Hold.OPERATOR, reason="once more", actor="me", held_at=NOW + 4)

    def test_held_entries_are_found_by_reason(self, stores: Stores) -> None:
        """In order, page by page, of this stream only."""
        events = [*make_events(3), _INVALID]
        granted(stores, events)
        stores.journal.append("other", [make_event("o1")], at=NOW)
        stores.holds.hold("other", [1], reason="", actor="", at=NOW)
        _hold(stores, 3, 1, 2)

        assert stores.holds.held(STREAM, Hold.OPERATOR, limit=2) == [1, 2]
        assert stores.holds.held(STREAM, Hold.OPERATOR, after=2) == [3]
        assert stores.holds.held(STREAM, Hold.INVALID) == [4]
        assert stores.holds.held(STREAM, Hold.LOCAL_ONLY) == []
        assert stores.holds.held("nowhere", Hold.OPERATOR) == []

    def test_a_failed_unit_leaves_holds_as_they_were(self, stores: Stores) -> None:
        """Held, released and owed: all of it is undone."""
        granted(stores, [make_event("e1"), _INVALID])
        stores.ledger.pass_over(leased(stores), 2)

        with pytest.raises(ZeroDivisionError), stores.atomic():  # noqa: PT012 - the unit is what fails
            _hold(stores, 1)
            _release(stores, 2)
            raise ZeroDivisionError

        assert [len(stores.holds.holdings(STREAM, place)) for place in (1, 2)] == [0, 1]
        assert stores.holds.held(STREAM, Hold.INVALID) == [2]
        assert classes(stores) == {Class.OWED: 1, Class.HELD: 1}
