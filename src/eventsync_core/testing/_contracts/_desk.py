import attrs
import pytest

from eventsync_core.census import Class
from eventsync_core.clock import SECOND
from eventsync_core.events import read_event
from eventsync_core.ledger import Act, Busy, HistoryItem, Lane, Lease, LedgerEntry, Standing
from eventsync_core.receivers import Detail, Effect, Next, Outcome, Verdict
from eventsync_core.stores import Stores
from eventsync_core.testing._builders import HOLDER, make_event, make_events, make_stub_target
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

_EXPIRY = NOW + 15 * SECOND
_UNSETTLED = (Outcome.REJECTED, Outcome.TRANSIENT, Outcome.UNKNOWN_EFFECT, Outcome.PENDING)
_DELIVERED = (Outcome.SUCCESS, Outcome.DUPLICATE)


def _row(stores: Stores, position: int = 1) -> LedgerEntry:
    row = stores.ledger.entry(TARGET_ID, STREAM, position)
    assert row is not None
    return row


def _standings(
    stores: Stores, *outcomes: Outcome, after: int = 0, upto: int = 99, at: int = NOW
) -> list[Standing]:
    return stores.desk.standings(
        TARGET_ID, STREAM, outcomes or tuple(Outcome), after=after, upto=upto, at=at
    )


def _reopen(stores: Stores, lease: Lease, act: Act, *positions: int, at: int = NOW) -> set[int]:
    return stores.desk.reopen(lease, positions, act, actor="me", at=at)


class DeskContract:
    """Subclass, provide a `stores` fixture, and every promise of `Desk` is checked."""

    @pytest.fixture
    def lease(self, stores: Stores) -> Lease:
        """Return the lease of a granted stream of four entries."""
        granted(stores, make_events(4, event_type="Started", aggregate_id="a"))
        return leased(stores)

    def test_answered_entries_are_found_by_outcome(self, stores: Stores, lease: Lease) -> None:
        """In order of position, those asked for and no other."""
        answered(stores, lease, {3: Outcome.REJECTED, 1: Outcome.REJECTED, 2: Outcome.SUCCESS})

        assert [each.position for each in _standings(stores, Outcome.REJECTED)] == [1, 3]
        assert [each.position for each in _standings(stores)] == [1, 2, 3]
        assert _standings(stores, Outcome.PENDING) == []

    def test_only_the_positions_asked_for_are_looked_at(self, stores: Stores, lease: Lease) -> None:
        """Above the first, up to and with the second."""
        answered(stores, lease, dict.fromkeys(range(1, 5), Outcome.REJECTED))

        assert [each.position for each in _standings(stores, after=1, upto=3)] == [2, 3]

    def test_what_was_never_answered_does_not_stand_there(
        self, stores: Stores, lease: Lease
    ) -> None:
        """Nor does what waits behind another, nor anything of other targets and streams."""
        stores.ledger.let_wait(lease, {1: NOW})

        assert _standings(stores) == []
        everything = tuple(Outcome)
        for place in ((TARGET_ID, "other"), ("tgt_other", STREAM)):
            assert stores.desk.standings(*place, everything, after=0, upto=9, at=NOW) == []

    def test_a_standing_says_what_filters_ask(self, stores: Stores, lease: Lease) -> None:
        """Id, type, time of capture, row and the words of the last answer."""
        request_id = opened(stores, lease, 1)
        said = verdict(Outcome.REJECTED, reasons={0: "no such thing"})
        stores.ledger.close_request(lease, request_id, said, at=NOW)

        (found,) = _standings(stores)

        assert found == Standing(
            position=1,
            event_id="e1",
            event_type="Started",
            captured_at=NOW,
            row=_row(stores),
            said="no such thing\nword",
        )

    def test_only_the_last_answer_is_told(self, stores: Stores, lease: Lease) -> None:
        """What was said of a whole batch later stands instead of an earlier reason."""
        request_id = opened(stores, lease, 1)
        said = verdict(Outcome.REJECTED, reasons={0: "no such thing"})
        stores.ledger.close_request(lease, request_id, said, at=NOW)
        request_id = opened(stores, lease, 1)
        later = Verdict(
            outcomes=(Outcome.TRANSIENT,),
            next=Next.BACK_OFF,
            effect=Effect.NONE,
            guidance="come back later",
        )
        stores.ledger.close_request(lease, request_id, later, at=NOW)

        assert [each.said for each in _standings(stores)] == ["come back later"]

    def test_an_act_is_no_answer(self, stores: Stores, lease: Lease) -> None:
        """The words of the last answer stay when an operator retried it."""
        request_id = opened(stores, lease, 1)
        said = verdict(Outcome.REJECTED, reasons={0: "no such thing"})
        stores.ledger.close_request(lease, request_id, said, at=NOW)
        _reopen(stores, lease, Act.RETRIED, 1)

        assert [each.said for each in _standings(stores)] == ["no such thing\nword"]

    def test_a_held_entry_says_so(self, stores: Stores, lease: Lease) -> None:
        """It is found all the same."""
        answered(stores, lease, {1: Outcome.REJECTED, 2: Outcome.REJECTED})
        stores.holds.hold(STREAM, [2], reason="", actor="me", at=NOW)

        assert [each.is_held for each in _standings(stores)] == [False, True]

    def test_what_a_dead_sender_carries_is_of_unknown_effect(
        self, stores: Stores, lease: Lease
    ) -> None:
        """It stands so before anybody takes the lease, and just so afterwards."""
        answered(stores, lease, {1: Outcome.REJECTED, 4: Outcome.SUCCESS})
        opened(stores, lease, 1, 2, 4)
        alive = _standings(stores, at=NOW)
        assert [each.row.outcome for each in alive] == [Outcome.REJECTED, Outcome.SUCCESS]

        before = _standings(stores, at=_EXPIRY)
        leased(stores, at=_EXPIRY)

        unknown = Outcome.UNKNOWN_EFFECT
        assert [each.row.outcome for each in before] == [unknown, unknown, Outcome.SUCCESS]
        assert before[0].said
        assert before[:2] == _standings(stores, unknown, at=_EXPIRY)

    def test_looking_changes_nothing(self, stores: Stores, lease: Lease) -> None:
        """A dead sender's request stays open."""
        opened(stores, lease, 1)

        _standings(stores, at=_EXPIRY)

        assert stores.ledger.entry(TARGET_ID, STREAM, 1) is None
        assert stores.ledger.requests(TARGET_ID, STREAM)[0].answer == ""

    def test_who_holds_the_lease_is_known(self, stores: Stores, lease: Lease) -> None:
        """Until it is given back or has run out, when it was left behind."""
        opened(stores, lease, 1, 2)
        assert stores.desk.busy(TARGET_ID, "other", at=NOW) is None
        held = stores.desk.busy(TARGET_ID, STREAM, at=_EXPIRY - 1)
        assert held == Busy(HOLDER, _EXPIRY)
        assert stores.desk.busy(TARGET_ID, STREAM, at=_EXPIRY) is None
        left = stores.desk.abandoned(TARGET_ID, STREAM, at=_EXPIRY)
        assert left is not None
        assert (left.holder, left.carried) == (HOLDER, 2)
        assert stores.desk.abandoned(TARGET_ID, STREAM, at=_EXPIRY - 1) is None

        stores.leases.release(lease)

        assert stores.desk.busy(TARGET_ID, STREAM, at=NOW) is None
        assert stores.desk.abandoned(TARGET_ID, STREAM, at=_EXPIRY) is None

    @pytest.mark.requirement("L5")
    def test_a_retried_failure_is_owed_again(self, stores: Stores, lease: Lease) -> None:
        """Due at once in the first lane, in its round, and what was said stays on record."""
        stores.ledger.park(lease, 1, Detail("too large"), at=NOW)
        assert classes(stores) == {Class.TERMINAL_FAILED: 1, Class.OWED: 3}

        assert _reopen(stores, lease, Act.RETRIED, 1, at=NOW + 5) == {1}

        assert classes(stores) == {Class.OWED: 4}
        assert (_row(stores).outcome, _row(stores).round) == (None, 1)
        assert due_positions(stores, now=NOW + 4) == []
        assert due_positions(stores, now=NOW + 5) == [1]
        first, second = stores.ledger.history(STREAM, 1)
        assert (first.reason, first.act) == ("too large", None)
        assert (second.outcome, second.act, second.actor, second.at) == (
            Outcome.TERMINAL_FAILED,
            Act.RETRIED,
            "me",
            NOW + 5,
        )
        assert stores.ledger.terminal(TARGET_ID, STREAM) == []

    def test_one_that_failed_twice_is_listed_once(self, stores: Stores, lease: Lease) -> None:
        """With what was said the last time."""
        stores.ledger.park(lease, 1, Detail("too large"), at=NOW)
        _reopen(stores, lease, Act.RETRIED, 1)
        stores.ledger.park(lease, 1, Detail("still too large"), at=NOW + 1)

        found = stores.ledger.terminal(TARGET_ID, STREAM)

        assert [(position, item.reason) for position, item in found] == [(1, "still too large")]

    def test_a_reopened_entry_makes_its_aggregate_wait(self, stores: Stores, lease: Lease) -> None:
        """Later events of the aggregate go after it."""
        stores.ledger.park(lease, 1, Detail("too large"), at=NOW)

        _reopen(stores, lease, Act.RETRIED, 1)

        found = stores.backlog.waiting(TARGET_ID, STREAM, [":a"], most=9)
        assert {name: list(places) for name, places in found.items()} == {":a": [(1, NOW)]}

    @pytest.mark.parametrize("outcome", _UNSETTLED)
    def test_retried_others_are_due_at_once(
        self, stores: Stores, lease: Lease, outcome: Outcome
    ) -> None:
        """With the outcome, the lane and the counts they have."""
        answered(stores, lease, {1: outcome})
        before = _row(stores)

        assert _reopen(stores, lease, Act.RETRIED, 1) == {1}

        after = _row(stores)
        assert (after.outcome, after.attempts) == (outcome, 1)
        assert (after.rejections, after.seen) == (before.rejections, before.seen)
        lane = Lane.REJECTED if outcome is Outcome.REJECTED else Lane.FIRST
        assert due_positions(stores, lane=lane) == [1]

    @pytest.mark.parametrize("outcome", _DELIVERED)
    def test_a_delivered_entry_is_not_retried(
        self, stores: Stores, lease: Lease, outcome: Outcome
    ) -> None:
        """Nor is one that was never answered."""
        answered(stores, lease, {1: outcome})
        stores.ledger.let_wait(lease, {2: NOW + 9})
        before = (_row(stores), _row(stores, 2), stores.ledger.history(STREAM, 1))

        assert _reopen(stores, lease, Act.RETRIED, 1, 2, 3) == set()

        assert before == (_row(stores), _row(stores, 2), stores.ledger.history(STREAM, 1))
        assert stores.ledger.entry(TARGET_ID, STREAM, 3) is None

    @pytest.mark.parametrize("outcome", _DELIVERED)
    def test_a_replayed_entry_is_owed_in_a_new_round(
        self, stores: Stores, lease: Lease, outcome: Outcome
    ) -> None:
        """That it was delivered before stands in its history."""
        request_id = answered(stores, lease, {1: outcome})

        assert _reopen(stores, lease, Act.DELIVERED_BEFORE, 1, at=NOW + 5) == {1}

        row = _row(stores)
        assert (row.outcome, row.round, row.attempts, row.due_at) == (None, 2, 1, NOW + 5)
        assert due_positions(stores, now=NOW + 5) == [1]
        item = stores.ledger.history(STREAM, 1)[-1]
        assert (item.target_id, item.request_id, item.at) == (TARGET_ID, request_id, NOW + 5)
        assert (item.outcome, item.act, item.actor) == (outcome, Act.DELIVERED_BEFORE, "me")
        assert classes(stores) == {Class.OWED: 4}

    @pytest.mark.parametrize("outcome", [*_UNSETTLED, Outcome.TERMINAL_FAILED])
    def test_only_what_was_delivered_is_replayed(
        self, stores: Stores, lease: Lease, outcome: Outcome
    ) -> None:
        """Anything else stays in its round."""
        answered(stores, lease, {1: outcome})
        before = _row(stores)

        assert _reopen(stores, lease, Act.DELIVERED_BEFORE, 1, 2) == set()

        assert before == _row(stores)

    @pytest.mark.requirement("L11")
    def test_a_replayed_entry_is_delivered_again(self, stores: Stores, lease: Lease) -> None:
        """Its attempts count on, and a late answer does not undo the second delivery."""
        answered(stores, lease, {1: Outcome.SUCCESS})
        _reopen(stores, lease, Act.DELIVERED_BEFORE, 1)

        answered(stores, lease, {1: Outcome.DUPLICATE})
        answered(stores, lease, {1: Outcome.PENDING})

        row = _row(stores)
        assert (row.outcome, row.round, row.attempts) == (Outcome.DUPLICATE, 2, 3)
        assert classes(stores) == {Class.DELIVERED: 1, Class.OWED: 3}

    def test_without_the_lease_nothing_is_opened_again(self, stores: Stores, lease: Lease) -> None:
        """The token fences a stale holder."""
        answered(stores, lease, {1: Outcome.SUCCESS, 2: Outcome.TERMINAL_FAILED})
        leased(stores, at=_EXPIRY)

        assert _reopen(stores, lease, Act.DELIVERED_BEFORE, 1, at=_EXPIRY) == set()
        assert _reopen(stores, lease, Act.RETRIED, 2, at=_EXPIRY) == set()

        assert classes(stores) == {Class.DELIVERED: 1, Class.TERMINAL_FAILED: 1, Class.OWED: 2}
        assert [item.act for item in stores.ledger.history(STREAM, 2)] == [None]

    def test_other_targets_keep_what_they_have(self, stores: Stores, lease: Lease) -> None:
        """A replay is for one target."""
        other = stores.targets.register(make_stub_target("two"), at=NOW).target_id
        second = stores.leases.acquire(other, STREAM, HOLDER, at=NOW)
        assert isinstance(second, Lease)
        answered(stores, lease, {1: Outcome.SUCCESS})
        answered(stores, second, {1: Outcome.SUCCESS})

        _reopen(stores, lease, Act.DELIVERED_BEFORE, 1)

        row = stores.ledger.entry(other, STREAM, 1)
        assert row is not None
        assert row.outcome is Outcome.SUCCESS

    def test_the_requests_of_an_entry_are_told(self, stores: Stores, lease: Lease) -> None:
        """Newest last, at most as many as asked for, beside their exact count."""
        ids = [
            answered(stores, lease, dict.fromkeys(positions, Outcome.REJECTED))
            for positions in ((1, 2, 3), (3, 1), (2,), (2, 4))
        ]

        found, count = stores.desk.requests_with(TARGET_ID, STREAM, 2, limit=2)

        assert ([request.request_id for request in found], count) == (ids[2:], 3)
        whole, count = stores.desk.requests_with(TARGET_ID, STREAM, 2)
        assert whole[0] in stores.ledger.requests(TARGET_ID, STREAM)
        assert ([request.request_id for request in whole], count) == ([ids[0], *ids[2:]], 3)
        assert stores.desk.requests_with(TARGET_ID, "other", 2) == ([], 0)
        assert stores.desk.requests_with("tgt_other", STREAM, 2) == ([], 0)

    def test_what_is_released_while_it_is_passed_over_is_owed(self, stores: Stores) -> None:
        """An entry that was held when the tail was looked at is not lost under the cursor."""
        held = read_event('{"event_id":"h","x":1,"x":2}')
        granted(stores, [make_event("e1"), held, make_event("e2")])
        lease = leased(stores)
        answered(stores, lease, {1: Outcome.SUCCESS, 3: Outcome.SUCCESS})
        stores.holds.release(STREAM, [2], actor="me", at=NOW)
        assert tail_positions(stores) == [2]

        stores.ledger.pass_over(lease, 3)

        assert tail_positions(stores) == []
        assert due_positions(stores) == [2]

    def test_what_is_granted_while_it_is_passed_over_is_owed(self, stores: Stores) -> None:
        """A grant that was widened during a request leaves nothing behind under the cursor."""
        granted(stores, make_events(3), from_position=2)
        lease = leased(stores)
        request_id = opened(stores, lease, 3)
        grant(stores, from_position=0)
        said = verdict(Outcome.SUCCESS)
        assert stores.ledger.close_request(lease, request_id, said, at=NOW)

        stores.ledger.pass_over(lease, 3)

        assert tail_positions(stores) == []
        assert due_positions(stores) == [1, 2]

    def test_without_a_live_grant_the_cursor_stays(self, stores: Stores, lease: Lease) -> None:
        """What becomes deliverable while it is revoked is found once it is renewed."""
        stores.grants.revoke(TARGET_ID, STREAM, actor="me", reason="test", at=NOW)

        stores.ledger.pass_over(lease, 4)
        grant(stores)

        assert tail_positions(stores) == [1, 2, 3, 4]

    def test_a_late_acknowledgement_does_not_settle_a_new_round(
        self, stores: Stores, lease: Lease
    ) -> None:
        """A request that left before the replay says nothing of it."""
        late = opened(stores, lease, 1)
        now = leased(stores, at=_EXPIRY)
        answered(stores, now, {1: Outcome.SUCCESS}, at=_EXPIRY)
        _reopen(stores, now, Act.DELIVERED_BEFORE, 1, at=_EXPIRY)

        stores.ledger.close_request(lease, late, verdict(Outcome.SUCCESS), at=_EXPIRY)

        assert (_row(stores).outcome, _row(stores).round) == (None, 2)
        answered(stores, now, {1: Outcome.DUPLICATE}, at=_EXPIRY + SECOND)
        assert _row(stores).outcome is Outcome.DUPLICATE

    def test_what_another_home_told_is_taken_over(self, stores: Stores) -> None:
        """Only what is settled, and where nothing is known; it names no request."""
        granted(stores, make_events(3))
        answered(stores, leased(stores), {3: Outcome.REJECTED})
        row = LedgerEntry(outcome=Outcome.DUPLICATE, attempts=2, request_id=9, due_at=NOW, round=2)
        said = HistoryItem(target_id=TARGET_ID, request_id=9, at=NOW, outcome=Outcome.DUPLICATE)
        transient = LedgerEntry(outcome=Outcome.TRANSIENT, due_at=NOW)

        assert stores.desk.adopt(TARGET_ID, STREAM, 1, row, [said], at=NOW)
        assert not stores.desk.adopt(TARGET_ID, STREAM, 1, row, [said], at=NOW)
        assert not stores.desk.adopt(TARGET_ID, STREAM, 2, transient, [], at=NOW)
        assert not stores.desk.adopt(TARGET_ID, STREAM, 3, row, [], at=NOW)
        assert not stores.desk.adopt(TARGET_ID, STREAM, 4, row, [], at=NOW)

        own = attrs.evolve(row, request_id=0, due_at=None)
        assert stores.ledger.entry(TARGET_ID, STREAM, 1) == own
        assert stores.ledger.history(STREAM, 1) == [attrs.evolve(said, request_id=0)]
        assert classes(stores) == {Class.DELIVERED: 1, Class.OWED: 1, Class.REJECTED: 1}
