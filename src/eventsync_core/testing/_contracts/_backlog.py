import pytest

from eventsync_core.census import Class
from eventsync_core.clock import DAY, SECOND
from eventsync_core.events import Event, read_event
from eventsync_core.journal import chain_next, chain_start
from eventsync_core.ledger import Candidate, Lane
from eventsync_core.receivers import Outcome
from eventsync_core.stores import Stores
from eventsync_core.testing._builders import make_event, make_events, make_stub_target
from eventsync_core.testing._contracts._steps import (
    NOW,
    NOWHERE,
    PLENTY,
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
)

_SIZE = make_event().size


def _first_chain(event: Event) -> bytes:
    return chain_next(chain_start(STREAM), 1, event.event_id, event.digest)


def _tail(stores: Stores, events: int = 9, size: int = PLENTY) -> tuple[list[int], int]:
    found, upto = stores.backlog.tail(TARGET_ID, STREAM, max_events=events, max_bytes=size)
    return [candidate.position for candidate in found], upto


def _due(
    stores: Stores,
    *,
    after: tuple[int, int] = NOWHERE,
    events: int = 9,
    size: int = PLENTY,
) -> list[int]:
    found = stores.backlog.due(
        TARGET_ID, STREAM, Lane.FIRST, now=NOW, after=after, max_events=events, max_bytes=size
    )
    return [candidate.position for candidate in found]


class BacklogContract:
    """Subclass, provide a `stores` fixture, and every promise of `Backlog` is checked."""

    def test_the_tail_comes_in_order(self, stores: Stores) -> None:
        """All that was never offered, and the position up to which that is all."""
        granted(stores, make_events(3))

        assert _tail(stores) == ([1, 2, 3], 3)

    def test_a_candidate_has_all_that_packing_needs(self, stores: Stores) -> None:
        """Position, id, exact text, size, digest, chain and aggregate."""
        event = read_event('{"event_id":"e1", "n":1.50,"aggregate_id":"ü"}')
        granted(stores, [event])

        found, _ = stores.backlog.tail(TARGET_ID, STREAM, max_events=1, max_bytes=1)

        assert [
            Candidate(
                position=1,
                event_id="e1",
                text=event.text,
                size=event.size,
                digest=event.digest,
                chain=_first_chain(event),
                aggregate=":ü",
            )
        ] == found

    @pytest.mark.parametrize(
        ("events", "size", "expected"),
        [(2, PLENTY, [1, 2]), (9, 2 * _SIZE + 2, [1, 2]), (9, 2 * _SIZE + 1, [1]), (9, 1, [1])],
    )
    def test_the_tail_is_bounded(
        self, stores: Stores, events: int, size: int, expected: list[int]
    ) -> None:
        """By number and by bytes, but there is at least one; the rest is not passed over."""
        granted(stores, make_events(3))

        assert (expected, len(expected)) == _tail(stores, events, size)

    def test_without_a_grant_there_is_no_tail(self, stores: Stores) -> None:
        """A revoked one counts as none."""
        granted(stores, make_events(1))
        stores.grants.revoke(TARGET_ID, STREAM, actor="me", reason="test", at=NOW)
        assert tail_positions(stores) == []

    def test_an_unknown_target_is_owed_nothing(self, stores: Stores) -> None:
        """Nothing is offered to it, and all is counted as not granted."""
        stores.journal.append(STREAM, make_events(2), at=NOW)

        assert tail_positions(stores) == due_positions(stores) == []
        assert classes(stores) == {Class.NOT_GRANTED: 2}

    def test_the_tail_begins_above_the_grant(self, stores: Stores) -> None:
        """What lies below it is not offered."""
        granted(stores, make_events(3), from_position=2)

        assert _tail(stores) == ([3], 3)

    def test_the_tail_begins_above_the_cursor(self, stores: Stores) -> None:
        """What was passed over is not looked at again."""
        granted(stores, make_events(3))
        stores.ledger.pass_over(leased(stores), 1)

        assert _tail(stores) == ([2, 3], 3)

    def test_held_entries_are_not_in_the_tail(self, stores: Stores) -> None:
        """They may be passed over, at the front, between and at the end."""
        held = [read_event(f'{{"event_id":"h{n}","x":1,"x":2}}') for n in range(3)]
        granted(stores, [held[0], make_event("e1"), held[1], make_event("e2"), held[2]])

        assert _tail(stores) == ([2, 4], 5)
        assert _tail(stores, 1) == ([2], 3)

    def test_only_held_entries_are_passed_over(self, stores: Stores) -> None:
        """The cursor may then stand at the end."""
        granted(stores, [read_event('{"event_id":"h","x":1,"x":2}')])

        assert _tail(stores) == ([], 1)

    def test_entries_with_a_row_are_not_in_the_tail(self, stores: Stores) -> None:
        """Answered or waiting ones are found when they are due."""
        granted(stores, make_events(3))
        lease = leased(stores)
        answered(stores, lease, {1: Outcome.TRANSIENT})
        stores.ledger.let_wait(lease, {2: NOW})

        assert _tail(stores) == ([3], 3)

    @pytest.mark.requirement("FR-005")
    def test_each_target_has_a_tail_of_its_own(self, stores: Stores) -> None:
        """What one target has is still to be offered to another."""
        granted(stores, make_events(1))
        lease = leased(stores)
        answered(stores, lease, {1: Outcome.SUCCESS})
        stores.ledger.pass_over(lease, 1)

        assert (tail_positions(stores), due_positions(stores)) == ([], [])
        other = stores.targets.register(make_stub_target("two"), at=NOW).target_id
        stores.grants.grant(other, STREAM, from_position=0, actor="", reason="", at=NOW)
        found, _ = stores.backlog.tail(other, STREAM, max_events=1, max_bytes=1)
        assert [candidate.position for candidate in found] == [1]

    def test_due_entries_come_in_order_of_time(self, stores: Stores) -> None:
        """The earliest first, of equal ones the lowest position."""
        granted(stores, make_events(4))
        stores.ledger.let_wait(leased(stores), {1: NOW, 2: NOW - 1, 3: NOW + 1, 4: NOW - 1})

        assert _due(stores) == [2, 4, 1]

    def test_a_due_candidate_says_since_when(self, stores: Stores) -> None:
        """Beside what every candidate says."""
        granted(stores, make_events(1))
        stores.ledger.let_wait(leased(stores), {1: NOW - 7})

        (found,) = stores.backlog.due(
            TARGET_ID, STREAM, Lane.FIRST, now=NOW, after=NOWHERE, max_events=1, max_bytes=1
        )

        event = make_event()
        assert found == Candidate(
            position=1,
            event_id="e1",
            text=event.text,
            size=event.size,
            digest=event.digest,
            chain=_first_chain(event),
            due_at=NOW - 7,
        )

    def test_due_entries_are_paged(self, stores: Stores) -> None:
        """A page begins above the time and position of the last."""
        granted(stores, make_events(4))
        stores.ledger.let_wait(leased(stores), {1: NOW, 2: NOW - 1, 3: NOW, 4: NOW - 1})

        assert _due(stores, after=(NOW - 1, 2)) == [4, 1, 3]
        assert _due(stores, after=(NOW, 1)) == [3]

    @pytest.mark.parametrize(
        ("events", "size", "expected"),
        [(2, PLENTY, [1, 2]), (9, 2 * _SIZE + 2, [1, 2]), (9, 2 * _SIZE + 1, [1]), (9, 1, [1])],
    )
    def test_due_entries_are_bounded(
        self, stores: Stores, events: int, size: int, expected: list[int]
    ) -> None:
        """By number and by bytes, but there is at least one."""
        granted(stores, make_events(3))
        stores.ledger.let_wait(leased(stores), dict.fromkeys((1, 2, 3), NOW))

        assert expected == _due(stores, events=events, size=size)

    def test_rejected_entries_have_a_lane_of_their_own(self, stores: Stores) -> None:
        """All others are in the first; none is in both."""
        granted(stores, make_events(5))
        answers = (
            Outcome.REJECTED,
            Outcome.TRANSIENT,
            Outcome.UNKNOWN_EFFECT,
            Outcome.PENDING,
            Outcome.REJECTED,
        )
        answered(stores, leased(stores), dict(enumerate(answers, start=1)))

        later = NOW + 301 * SECOND
        assert due_positions(stores, now=later) == [2, 3, 4]
        assert due_positions(stores, now=later, lane=Lane.REJECTED) == [1, 5]

    def test_settled_entries_are_never_due(self, stores: Stores) -> None:
        """Delivered and terminally failed ones are done with."""
        granted(stores, make_events(3))
        settled = (Outcome.SUCCESS, Outcome.DUPLICATE, Outcome.TERMINAL_FAILED)
        answered(stores, leased(stores), dict(enumerate(settled, start=1)))

        for lane in Lane:
            assert due_positions(stores, now=NOW + 10**15, lane=lane) == []

    def test_what_is_not_granted_is_not_due(self, stores: Stores) -> None:
        """Neither without a live grant nor below its position."""
        granted(stores, make_events(2))
        answered(stores, leased(stores), {1: Outcome.TRANSIENT, 2: Outcome.TRANSIENT})
        stores.grants.revoke(TARGET_ID, STREAM, actor="me", reason="test", at=NOW)
        assert due_positions(stores, now=NOW + 1) == []

        grant(stores, from_position=1)
        assert due_positions(stores, now=NOW + 1) == [2]

    def test_transient_unknown_and_owed_entries_make_others_wait(self, stores: Stores) -> None:
        """Per aggregate, in order of position, each with its due time."""
        granted(stores, make_events(4, aggregate_id="a"))
        lease = leased(stores)
        answered(stores, lease, {2: Outcome.TRANSIENT, 1: Outcome.UNKNOWN_EFFECT})
        stores.ledger.let_wait(lease, {3: NOW + 7})

        found = stores.backlog.waiting(TARGET_ID, STREAM, [":a", ":b"], most=9)

        assert {name: list(places) for name, places in found.items()} == {
            ":a": [(1, NOW + SECOND), (2, NOW + 1), (3, NOW + 7)]
        }

    def test_answered_entries_make_none_wait(self, stores: Stores) -> None:
        """Delivered, pending, rejected and failed ones let the next go."""
        granted(stores, make_events(5, aggregate_id="a"))
        answers = (
            Outcome.SUCCESS,
            Outcome.DUPLICATE,
            Outcome.PENDING,
            Outcome.REJECTED,
            Outcome.TERMINAL_FAILED,
        )
        answered(stores, leased(stores), dict(enumerate(answers, start=1)))

        assert dict(stores.backlog.waiting(TARGET_ID, STREAM, [":a"], most=9)) == {}

    def test_at_most_the_first_few_are_named(self, stores: Stores) -> None:
        """Each aggregate has its own allowance."""
        granted(stores, [make_event(f"e{n}", aggregate_id="ab"[n % 2]) for n in range(6)])
        answered(stores, leased(stores), dict.fromkeys(range(1, 7), Outcome.TRANSIENT))

        found = stores.backlog.waiting(TARGET_ID, STREAM, [":a", ":b"], most=2)

        assert {name: [position for position, _ in places] for name, places in found.items()} == {
            ":a": [1, 3],
            ":b": [2, 4],
        }

    def test_only_the_aggregates_asked_for_are_named(self, stores: Stores) -> None:
        """Others, and entries without one, do not show."""
        granted(stores, [make_event("e1", aggregate_id="a"), make_event("e2")])
        answered(stores, leased(stores), {1: Outcome.TRANSIENT, 2: Outcome.TRANSIENT})

        assert dict(stores.backlog.waiting(TARGET_ID, STREAM, [":b"], most=9)) == {}

    def test_what_is_not_granted_makes_none_wait(self, stores: Stores) -> None:
        """It will not be offered, so nothing can wait for it."""
        granted(stores, make_events(2, aggregate_id="a"))
        answered(stores, leased(stores), {1: Outcome.TRANSIENT})
        stores.grants.revoke(TARGET_ID, STREAM, actor="me", reason="test", at=NOW)
        grant(stores, from_position=1)

        assert dict(stores.backlog.waiting(TARGET_ID, STREAM, [":a"], most=9)) == {}

    def test_an_empty_stream_has_nothing_to_count(self, stores: Stores) -> None:
        """Its tally is coherent."""
        granted(stores)

        assert classes(stores) == {}

    def test_every_entry_is_counted_once(self, stores: Stores) -> None:
        """One of each class that can be had, in one stream."""
        held = read_event('{"event_id":"held","x":1,"x":2}')
        granted(stores, [*make_events(9), held], from_position=1)
        lease = leased(stores)
        answers = [
            Outcome.SUCCESS,
            Outcome.DUPLICATE,
            Outcome.TERMINAL_FAILED,
            Outcome.UNKNOWN_EFFECT,
            Outcome.PENDING,
            Outcome.REJECTED,
            Outcome.TRANSIENT,
        ]
        answered(stores, lease, dict(enumerate(answers, start=2)))
        opened(stores, lease, 9)
        stores.journal.append(STREAM, [make_event("e10")], at=NOW)

        assert classes(stores) == {
            Class.NOT_GRANTED: 1,
            Class.DELIVERED: 2,
            Class.TERMINAL_FAILED: 1,
            Class.UNKNOWN_EFFECT: 1,
            Class.PENDING: 1,
            Class.REJECTED: 1,
            Class.IN_BACKOFF: 1,
            Class.IN_FLIGHT: 1,
            Class.HELD: 1,
            Class.OWED: 1,
        }

    def test_without_a_grant_all_is_not_granted(self, stores: Stores) -> None:
        """What was delivered before a revoke stays delivered."""
        granted(stores, make_events(3))
        answered(stores, leased(stores), {1: Outcome.SUCCESS, 2: Outcome.TRANSIENT})
        stores.grants.revoke(TARGET_ID, STREAM, actor="me", reason="test", at=NOW)

        assert classes(stores) == {Class.DELIVERED: 1, Class.NOT_GRANTED: 2}

    def test_waiting_entries_are_owed(self, stores: Stores) -> None:
        """A row without an answer does not change the class."""
        granted(stores, make_events(2))
        stores.ledger.let_wait(leased(stores), {1: NOW})

        assert classes(stores) == {Class.OWED: 2}

    def test_what_a_dead_lease_carries_is_of_unknown_effect(self, stores: Stores) -> None:
        """It is in flight until the lease has run out."""
        granted(stores, make_events(2))
        opened(stores, leased(stores), 1)

        expiry = NOW + 15 * SECOND
        assert classes(stores, at=expiry - 1) == {Class.IN_FLIGHT: 1, Class.OWED: 1}
        assert classes(stores, at=expiry) == {Class.UNKNOWN_EFFECT: 1, Class.OWED: 1}

    def test_counting_changes_nothing(self, stores: Stores) -> None:
        """A dead lease is counted, not taken."""
        granted(stores, make_events(1))
        opened(stores, leased(stores), 1)

        classes(stores, at=NOW + 60 * SECOND)

        assert stores.ledger.entry(TARGET_ID, STREAM, 1) is None

    def test_the_tail_can_go_on_behind_what_is_on_its_way(self, stores: Stores) -> None:
        """Above *after* only, and never below the cursor."""
        granted(stores, make_events(4))

        found, upto = stores.backlog.tail(
            TARGET_ID, STREAM, max_events=9, max_bytes=PLENTY, after=2
        )

        assert ([candidate.position for candidate in found], upto) == ([3, 4], 4)
        assert stores.backlog.tail(TARGET_ID, STREAM, max_events=9, max_bytes=9, after=4) == ([], 0)

    def test_what_may_still_be_offered_can_be_asked(self, stores: Stores) -> None:
        """Not what is settled, held or beyond the grant; nothing once it is revoked."""
        invalid = read_event('{"event_id":"e5","a":1,"a":2}')
        granted(stores, [*make_events(4), invalid], from_position=1)
        outcomes = {2: Outcome.SUCCESS, 3: Outcome.REJECTED}
        answered(stores, leased(stores), outcomes)

        assert stores.backlog.deliverable(TARGET_ID, STREAM, [1, 2, 3, 4, 5]) == {3, 4}
        stores.grants.revoke(TARGET_ID, STREAM, actor="me", reason="test", at=NOW)
        assert stores.backlog.deliverable(TARGET_ID, STREAM, [3, 4]) == set()

    def test_a_clock_that_was_set_back_hides_nothing(self, stores: Stores) -> None:
        """What is due later than anything is ever made due, is due now, and comes last."""
        granted(stores, make_events(3))
        lease = leased(stores)
        answered(stores, lease, {1: Outcome.TRANSIENT}, at=NOW + 400 * DAY)
        answered(stores, lease, {2: Outcome.PENDING}, at=NOW)
        answered(stores, lease, {3: Outcome.TRANSIENT}, at=NOW - SECOND)

        assert _due(stores) == [3, 1]
        assert _due(stores, events=1) == [3]
        assert _due(stores, after=(NOW, 3)) == [1]
