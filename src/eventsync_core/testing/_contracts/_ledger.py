import pytest

from eventsync_core.census import Class
from eventsync_core.clock import MINUTE, SECOND
from eventsync_core.ledger import Lane, Lease, LedgerEntry, Request
from eventsync_core.receivers import Detail, Effect, Next, Outcome, Verdict
from eventsync_core.stores import Stores
from eventsync_core.testing._builders import make_event, make_events, make_stub_target
from eventsync_core.testing._contracts._steps import (
    NOW,
    STREAM,
    TARGET_ID,
    answered,
    classes,
    due_positions,
    granted,
    leased,
    opened,
    opening,
    tail_positions,
    verdict,
)

_LATER = NOW + 15 * SECOND


def _row(stores: Stores, position: int = 1) -> LedgerEntry:
    row = stores.ledger.entry(TARGET_ID, STREAM, position)
    assert row is not None
    return row


class LedgerContract:
    """Subclass, provide a `stores` fixture, and every promise of `Ledger` is checked."""

    @pytest.fixture
    def lease(self, stores: Stores) -> Lease:
        """Return the lease of a granted stream of four entries."""
        granted(stores, make_events(4))
        return leased(stores)

    def test_a_withheld_request_changes_no_entry(self, stores: Stores, lease: Lease) -> None:
        """It never left: nothing is noted of its entries, and nothing is in flight."""
        request_id = opened(stores, lease, 1, 2)
        withheld = Verdict(
            outcomes=(Outcome.TRANSIENT,) * 2, next=Next.WITHHELD, effect=Effect.NONE
        )

        assert stores.ledger.close_request(lease, request_id, withheld, at=NOW)

        assert stores.ledger.entry(TARGET_ID, STREAM, 1) is None
        assert stores.backlog.tally(TARGET_ID, STREAM, at=NOW).classes()[Class.IN_FLIGHT] == 0

    def test_terminal_failures_are_listed_newest_first(self, stores: Stores, lease: Lease) -> None:
        """Only those of the target and stream, with the reason that made them so."""
        answered(stores, lease, {1: Outcome.SUCCESS})
        stores.ledger.park(lease, 2, Detail("too large", "oversized_event"), at=NOW)
        stores.ledger.park(lease, 3, Detail("larger still"), at=NOW + 1)

        found = stores.ledger.terminal(TARGET_ID, STREAM)

        assert [(place, item.reason) for place, item in found] == [
            (3, "larger still"),
            (2, "too large"),
        ]
        assert stores.ledger.terminal(TARGET_ID, STREAM, limit=1) == found[:1]
        assert stores.ledger.terminal(TARGET_ID, "other") == []
        assert stores.ledger.terminal("tgt_other", STREAM) == []

    def test_what_was_never_offered_has_no_row(self, stores: Stores, lease: Lease) -> None:
        """Nor has it a history, nor its target a delivery."""
        assert stores.ledger.entry(lease.target_id, STREAM, 1) is None
        assert stores.ledger.history(STREAM, 1) == []
        assert stores.ledger.requests(TARGET_ID, STREAM) == []
        assert stores.ledger.last_delivery_at(TARGET_ID) is None

    def test_request_ids_grow(self, stores: Stores, lease: Lease) -> None:
        """Every request has a larger id than the one before."""
        ids = [answered(stores, lease, {1: Outcome.REJECTED}) for _ in range(3)]

        assert sorted(set(ids)) == ids

    def test_an_open_request_is_in_flight(self, stores: Stores, lease: Lease) -> None:
        """What it carries is until it is closed."""
        request_id = opened(stores, lease, 1, 2)
        assert classes(stores) == {Class.IN_FLIGHT: 2, Class.OWED: 2}

        stores.ledger.close_request(
            lease, request_id, verdict(Outcome.SUCCESS, Outcome.REJECTED), at=NOW
        )
        assert classes(stores) == {Class.DELIVERED: 1, Class.REJECTED: 1, Class.OWED: 2}

    def test_without_the_lease_no_request_is_opened(self, stores: Stores, lease: Lease) -> None:
        """The stale holder is told None, and nothing is noted."""
        leased(stores, at=_LATER)

        assert stores.ledger.open_request(lease, opening(1), at=_LATER) is None
        assert stores.ledger.requests(TARGET_ID, STREAM) == []

    def test_a_request_is_kept_as_it_left(self, stores: Stores, lease: Lease) -> None:
        """Positions, count, size, digest and time stand in history while it is open."""
        request_id = opened(stores, lease, 1, 2, 4, at=NOW + 3)

        assert [
            Request(
                request_id=request_id,
                target_id=TARGET_ID,
                stream=STREAM,
                positions="1-2,4",
                event_count=3,
                body_bytes=10,
                digest=b"d" * 32,
                opened_at=NOW + 3,
            )
        ] == stores.ledger.requests(TARGET_ID, STREAM)

    def test_a_closed_request_says_what_was_answered(self, stores: Stores, lease: Lease) -> None:
        """Status, next step and time of the answer stand with it."""
        answered(stores, lease, {1: Outcome.SUCCESS}, at=NOW + 3)

        (request,) = stores.ledger.requests(TARGET_ID, STREAM)
        assert (request.status, request.answer, request.closed_at) == (200, "go_on", NOW + 3)

    def test_requests_come_newest_first(self, stores: Stores, lease: Lease) -> None:
        """At most as many as asked for, and no more."""
        ids = [answered(stores, lease, {1: Outcome.REJECTED}) for _ in range(3)]

        found = stores.ledger.requests(TARGET_ID, STREAM, limit=2)
        assert [ids[2], ids[1]] == [request.request_id for request in found]

    def test_all_requests_are_counted(self, stores: Stores, lease: Lease) -> None:
        """Of this stream and target, open ones included."""
        assert stores.ledger.request_count(TARGET_ID, STREAM) == 0
        answered(stores, lease, {1: Outcome.REJECTED})
        opened(stores, lease, 1)

        assert stores.ledger.request_count(TARGET_ID, STREAM) == 2
        assert stores.ledger.request_count(TARGET_ID, "other") == 0
        assert stores.ledger.request_count("tgt_other", STREAM) == 0

    def test_outcomes_follow_the_order_of_the_request(self, stores: Stores, lease: Lease) -> None:
        """The first outcome is of the first position carried, whatever the order."""
        answered(stores, lease, {3: Outcome.REJECTED, 1: Outcome.PENDING, 2: Outcome.SUCCESS})

        assert [_row(stores, position).outcome for position in (1, 2, 3)] == [
            Outcome.PENDING,
            Outcome.SUCCESS,
            Outcome.REJECTED,
        ]

    @pytest.mark.parametrize("outcome", list(Outcome))
    def test_every_outcome_is_noted(self, stores: Stores, lease: Lease, outcome: Outcome) -> None:
        """The row names it, the request and one attempt."""
        request_id = answered(stores, lease, {1: outcome})

        row = _row(stores)
        assert (outcome, request_id, 1) == (row.outcome, row.request_id, row.attempts)

    def test_attempts_and_rejections_are_counted_apart(self, stores: Stores, lease: Lease) -> None:
        """A transient answer counts as an attempt only."""
        for outcome in (Outcome.REJECTED, Outcome.TRANSIENT, Outcome.REJECTED):
            answered(stores, lease, {1: outcome})

        assert (_row(stores).attempts, _row(stores).rejections) == (3, 2)

    def test_a_pending_wait_doubles(self, stores: Stores, lease: Lease) -> None:
        """Five minutes at first, then ten."""
        waits = []
        for _ in range(2):
            answered(stores, lease, {1: Outcome.PENDING})
            due_at = _row(stores).due_at
            assert due_at is not None
            waits.append(due_at - NOW)

        assert waits == [5 * MINUTE, 10 * MINUTE]

    def test_an_attempt_without_effect_is_not_seen(self, stores: Stores, lease: Lease) -> None:
        """One of unknown effect is, and stays so."""
        seen = []
        for effect in (Effect.NONE, Effect.UNKNOWN, Effect.NONE):
            request_id = opened(stores, lease, 1)
            said = verdict(Outcome.TRANSIENT, effect=effect)
            stores.ledger.close_request(lease, request_id, said, at=NOW)
            seen.append(_row(stores).seen)

        assert seen == [False, True, True]

    @pytest.mark.parametrize("late", [o for o in Outcome if o is not Outcome.SUCCESS])
    def test_no_answer_reopens_a_delivered_entry(
        self, stores: Stores, lease: Lease, late: Outcome
    ) -> None:
        """It stays delivered and is never due, whatever came late."""
        answered(stores, lease, {1: Outcome.SUCCESS})

        answered(stores, lease, {1: late})

        assert (_row(stores).outcome, _row(stores).due_at) == (Outcome.SUCCESS, None)

    def test_a_parked_entry_needs_no_request(self, stores: Stores, lease: Lease) -> None:
        """It is terminal_failed without an attempt, and history says why."""
        stores.ledger.park(lease, 1, Detail("too large", "oversized_event"), at=NOW)

        assert (
            _row(stores).outcome,
            _row(stores).attempts,
            _row(stores).request_id,
        ) == (Outcome.TERMINAL_FAILED, 0, 0)
        (item,) = stores.ledger.history(STREAM, 1)
        assert (
            item.target_id,
            item.request_id,
            item.at,
            item.outcome,
            item.reason,
            item.category,
        ) == (TARGET_ID, 0, NOW, Outcome.TERMINAL_FAILED, "too large", "oversized_event")

    def test_waiting_entries_are_due_when_told(self, stores: Stores, lease: Lease) -> None:
        """They are owed, counted without an attempt, and no longer above the cursor."""
        stores.ledger.let_wait(lease, {2: NOW + 5, 3: NOW + 6})

        assert due_positions(stores, now=NOW + 5) == [2]
        assert due_positions(stores, now=NOW + 6) == [2, 3]
        assert tail_positions(stores) == [1, 4]
        assert LedgerEntry(outcome=None, due_at=NOW + 5) == _row(stores, 2)

    def test_waiting_keeps_what_was_answered(self, stores: Stores, lease: Lease) -> None:
        """Only the due time of a rejected entry moves."""
        answered(stores, lease, {1: Outcome.REJECTED})

        stores.ledger.let_wait(lease, {1: NOW + 9})

        row = _row(stores)
        assert (row.outcome, row.rejections, row.due_at) == (Outcome.REJECTED, 1, NOW + 9)
        assert due_positions(stores, now=NOW + 9, lane=Lane.REJECTED) == [1]

    def test_a_settled_entry_does_not_wait(self, stores: Stores, lease: Lease) -> None:
        """Told to wait, it stays settled and is never due."""
        answered(stores, lease, {1: Outcome.SUCCESS})

        stores.ledger.let_wait(lease, {1: NOW})

        assert due_positions(stores) == []

    def test_the_cursor_never_falls(self, stores: Stores, lease: Lease) -> None:
        """A lower position changes nothing."""
        stores.ledger.pass_over(lease, 3)
        stores.ledger.pass_over(lease, 1)

        assert tail_positions(stores) == [4]

    def test_history_comes_oldest_first(self, stores: Stores, lease: Lease) -> None:
        """It says which target, request, time, outcome and reason."""
        for number, reason in enumerate(("first", "second")):
            request_id = opened(stores, lease, 1)
            said = verdict(Outcome.REJECTED, reasons={0: reason})
            stores.ledger.close_request(lease, request_id, said, at=NOW + number)

        items = stores.ledger.history(STREAM, 1)

        assert [(item.reason, item.at) for item in items] == [("first", NOW), ("second", NOW + 1)]
        assert {(TARGET_ID, Outcome.REJECTED, "word")} == {
            (item.target_id, item.outcome, item.category) for item in items
        }

    def test_plain_success_leaves_no_history(self, stores: Stores, lease: Lease) -> None:
        """A duplicate does."""
        answered(stores, lease, {1: Outcome.SUCCESS, 2: Outcome.DUPLICATE})

        assert stores.ledger.history(STREAM, 1) == []
        assert [item.outcome for item in stores.ledger.history(STREAM, 2)] == [Outcome.DUPLICATE]

    def test_history_joins_all_targets(self, stores: Stores, lease: Lease) -> None:
        """Each item names the target it is of."""
        answered(stores, lease, {1: Outcome.REJECTED})
        other = stores.targets.register(make_stub_target("two"), at=NOW).target_id
        second = stores.leases.acquire(other, STREAM, lease.holder, at=NOW)
        assert isinstance(second, Lease)
        answered(stores, second, {1: Outcome.REJECTED})

        items = stores.ledger.history(STREAM, 1)

        assert [TARGET_ID, other] == [item.target_id for item in items]

    @pytest.mark.parametrize("outcome", [Outcome.SUCCESS, Outcome.DUPLICATE])
    def test_the_last_delivery_is_known(
        self, stores: Stores, lease: Lease, outcome: Outcome
    ) -> None:
        """Later answers that deliver nothing do not move it."""
        answered(stores, lease, {1: outcome}, at=NOW + 1)
        answered(stores, lease, {2: Outcome.REJECTED}, at=NOW + 2)

        assert stores.ledger.last_delivery_at(TARGET_ID) == NOW + 1

    def test_each_target_has_rows_of_its_own(self, stores: Stores, lease: Lease) -> None:
        """What one was told is nothing to another."""
        answered(stores, lease, {1: Outcome.SUCCESS})

        other = stores.targets.register(make_stub_target("two"), at=NOW).target_id

        assert stores.ledger.entry(other, STREAM, 1) is None
        assert stores.ledger.requests(other, STREAM) == []
        assert stores.ledger.last_delivery_at(other) is None

    def test_each_stream_has_rows_of_its_own(self, stores: Stores, lease: Lease) -> None:
        """Equal positions of two streams are two entries."""
        stores.journal.append("other", [make_event("o1")], at=NOW)
        answered(stores, lease, {1: Outcome.REJECTED})

        assert stores.ledger.entry(TARGET_ID, "other", 1) is None
        assert stores.ledger.requests(TARGET_ID, "other") == []
        assert stores.ledger.history("other", 1) == []

    def test_of_an_unknown_target_nothing_is_known(self, stores: Stores) -> None:
        """Asking for one that was never registered is no error."""
        assert stores.ledger.entry("tgt_other", STREAM, 1) is None
        assert stores.ledger.requests("tgt_other", STREAM) == []
        assert stores.ledger.last_delivery_at("tgt_other") is None

    def test_a_stale_holder_s_acknowledgement_is_kept(self, stores: Stores, lease: Lease) -> None:
        """The target has the event, whoever sent it."""
        request_id = opened(stores, lease, 1, 2)
        leased(stores, at=_LATER)

        said = verdict(Outcome.DUPLICATE, Outcome.TERMINAL_FAILED)
        assert not stores.ledger.close_request(lease, request_id, said, at=_LATER)

        assert (
            _row(stores, 1).outcome,
            _row(stores, 2).outcome,
        ) == (Outcome.DUPLICATE, Outcome.UNKNOWN_EFFECT)
        assert stores.ledger.last_delivery_at(TARGET_ID) == _LATER

    def test_a_request_that_is_not_there_changes_nothing(
        self, stores: Stores, lease: Lease
    ) -> None:
        """Whoever sent it is told so, though it holds the lease; what is open stays so."""
        request_id = opened(stores, lease, 1)

        said = verdict(Outcome.SUCCESS)
        assert not stores.ledger.close_request(lease, request_id + 1, said, at=NOW)

        assert classes(stores) == {Class.IN_FLIGHT: 1, Class.OWED: 3}
        assert stores.ledger.last_delivery_at(TARGET_ID) is None
        assert stores.ledger.close_request(lease, request_id, said, at=NOW)

    def test_a_stale_holder_parks_and_passes_nothing(self, stores: Stores, lease: Lease) -> None:
        """The token fences all it would write."""
        leased(stores, at=_LATER)

        stores.ledger.park(lease, 1, Detail("too large"), at=_LATER)
        stores.ledger.let_wait(lease, {2: _LATER})
        stores.ledger.pass_over(lease, 4)

        assert tail_positions(stores) == [1, 2, 3, 4]
        assert stores.ledger.history(STREAM, 1) == []

    def test_a_large_request_is_folded_whole(self, stores: Stores) -> None:
        """A thousand entries get a thousand rows."""
        granted(stores, make_events(1_000))
        lease = leased(stores)

        answered(stores, lease, dict.fromkeys(range(1, 1_001), Outcome.SUCCESS))

        assert classes(stores) == {Class.DELIVERED: 1_000}
