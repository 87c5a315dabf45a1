import pytest

from eventsync_core.census import Class
from eventsync_core.clock import SECOND
from eventsync_core.ledger import Busy, Holder, Lease
from eventsync_core.receivers import Outcome
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
    opening,
    tail_positions,
    verdict,
)

_OTHER = Holder(pid=2, started_at=2, boot="elsewhere")
_EXPIRY = NOW + 15 * SECOND


class LeasesContract:
    """Subclass, provide a `stores` fixture, and every promise of `Leases` is checked."""

    @pytest.fixture
    def lease(self, stores: Stores) -> Lease:
        """Return the lease of a granted stream of three entries."""
        granted(stores, make_events(3))
        return leased(stores)

    def test_a_lease_lasts_15_seconds(self, lease: Lease) -> None:
        """It names its holder, what it is for and when it ends."""
        assert (lease.target_id, lease.stream, lease.holder) == (TARGET_ID, STREAM, HOLDER)
        assert lease.expires_at == _EXPIRY

    def test_a_second_holder_is_told_who_has_it(self, stores: Stores, lease: Lease) -> None:
        """Until the last microsecond it is busy."""
        found = stores.leases.acquire(TARGET_ID, STREAM, _OTHER, at=_EXPIRY - 1)

        assert Busy(lease.holder, lease.expires_at) == found

    def test_an_expired_lease_is_taken_with_a_higher_token(
        self, stores: Stores, lease: Lease
    ) -> None:
        """From its end on anyone may have it."""
        found = stores.leases.acquire(TARGET_ID, STREAM, _OTHER, at=_EXPIRY)

        assert isinstance(found, Lease)
        assert (_OTHER, lease.token + 1) == (found.holder, found.token)

    @pytest.mark.usefixtures("lease")
    def test_leases_of_other_pairs_are_free(self, stores: Stores) -> None:
        """Another stream and another target each have a lease of their own."""
        assert isinstance(stores.leases.acquire(TARGET_ID, "other", _OTHER, at=NOW), Lease)
        other = stores.targets.register(make_stub_target("two"), at=NOW).target_id
        assert isinstance(stores.leases.acquire(other, STREAM, _OTHER, at=NOW), Lease)

    def test_a_lease_given_back_is_free_at_once(self, stores: Stores, lease: Lease) -> None:
        """The next one still carries a higher token."""
        stores.leases.release(lease)

        assert lease.token < leased(stores).token

    def test_renewing_gives_15_more_seconds(self, stores: Stores, lease: Lease) -> None:
        """They count from the time of renewal, with the same token."""
        renewed = stores.leases.renew(lease, at=NOW + SECOND)

        assert renewed is not None
        assert (_EXPIRY + SECOND, lease.token) == (renewed.expires_at, renewed.token)
        assert isinstance(stores.leases.acquire(TARGET_ID, STREAM, _OTHER, at=_EXPIRY), Busy)

    def test_a_lease_that_was_taken_is_not_renewed(self, stores: Stores, lease: Lease) -> None:
        """The new holder keeps it."""
        taken = leased(stores, at=_EXPIRY)

        assert stores.leases.renew(lease, at=_EXPIRY) is None
        found = stores.leases.acquire(TARGET_ID, STREAM, _OTHER, at=_EXPIRY)
        assert Busy(taken.holder, taken.expires_at) == found

    def test_a_lease_nobody_took_is_renewed_late(self, stores: Stores, lease: Lease) -> None:
        """Only another holder ends it for good."""
        assert stores.leases.renew(lease, at=_EXPIRY + SECOND) is not None

    def test_giving_back_a_lease_that_was_taken_does_nothing(
        self, stores: Stores, lease: Lease
    ) -> None:
        """The new holder keeps it."""
        leased(stores, at=_EXPIRY)

        stores.leases.release(lease)

        assert isinstance(stores.leases.acquire(TARGET_ID, STREAM, _OTHER, at=_EXPIRY), Busy)

    def test_an_open_request_of_a_replaced_holder_is_closed(
        self, stores: Stores, lease: Lease
    ) -> None:
        """It is lost: its answer was never noted, and it has no closing time."""
        request_id = opened(stores, lease, 1, 2)

        leased(stores, at=_EXPIRY)

        (request,) = stores.ledger.requests(TARGET_ID, STREAM)
        assert (request_id, "lost", None) == (
            request.request_id,
            request.answer,
            request.closed_at,
        )

    def test_what_a_lost_request_carried_is_of_unknown_effect(
        self, stores: Stores, lease: Lease
    ) -> None:
        """It is due at once and counts an attempt; the request says that it was lost."""
        opened(stores, lease, 1, 2)

        leased(stores, at=_EXPIRY)

        assert classes(stores, at=_EXPIRY) == {Class.UNKNOWN_EFFECT: 2, Class.OWED: 1}
        assert due_positions(stores, now=_EXPIRY) == [1, 2]
        row = stores.ledger.entry(TARGET_ID, STREAM, 1)
        assert row is not None
        assert (row.attempts, row.seen) == (1, True)
        (request,) = stores.ledger.requests(TARGET_ID, STREAM)
        assert (request.answer, request.closed_at) == ("lost", None)
        assert stores.ledger.history(STREAM, 1) == []

    def test_a_lost_request_does_not_reopen_what_is_settled(
        self, stores: Stores, lease: Lease
    ) -> None:
        """A delivered entry stays so, and its history says nothing new."""
        answered(stores, lease, {1: Outcome.SUCCESS})
        opened(stores, lease, 1)

        leased(stores, at=_EXPIRY)

        assert Class.DELIVERED in classes(stores, at=_EXPIRY)
        assert stores.ledger.history(STREAM, 1) == []

    def test_a_request_left_open_is_lost_though_the_lease_was_given_back(
        self, stores: Stores, lease: Lease
    ) -> None:
        """An interrupted sender gives the lease back and leaves its request."""
        opened(stores, lease, 1)
        stores.leases.release(lease)

        leased(stores)

        assert due_positions(stores) == [1]

    def test_a_closed_request_is_not_lost(self, stores: Stores, lease: Lease) -> None:
        """What it was told stands when somebody else takes the lease."""
        answered(stores, lease, {1: Outcome.SUCCESS})

        leased(stores, at=_EXPIRY)

        assert classes(stores, at=_EXPIRY) == {Class.DELIVERED: 1, Class.OWED: 2}

    def test_a_lease_of_a_clock_that_was_set_back_is_free(
        self, stores: Stores, lease: Lease
    ) -> None:
        """It would end an hour from now; nobody waits that long for a holder not known to live."""
        found = stores.leases.acquire(TARGET_ID, STREAM, _OTHER, at=NOW - 3_600 * SECOND)

        assert isinstance(found, Lease)
        assert lease.token < found.token

    def test_the_store_can_be_written_while_a_lease_is_kept(
        self, stores: Stores, lease: Lease
    ) -> None:
        """By the holder, too, and the lease is its own afterwards."""
        with stores.leases.kept(lease):
            stores.journal.append(STREAM, [make_event("e9")], at=NOW)
            request_id = opened(stores, lease, 1)

        said = verdict(Outcome.SUCCESS)
        assert stores.ledger.close_request(lease, request_id, said, at=NOW)
        assert classes(stores) == {Class.DELIVERED: 1, Class.OWED: 3}

    def test_a_lease_taken_while_it_is_kept_stays_taken(self, stores: Stores, lease: Lease) -> None:
        """Keeping it renews nothing that somebody else has."""
        with stores.leases.kept(lease):
            taken = leased(stores, at=_EXPIRY)

        assert stores.leases.renew(lease, at=_EXPIRY) is None
        found = stores.leases.acquire(TARGET_ID, STREAM, _OTHER, at=_EXPIRY)
        assert Busy(taken.holder, taken.expires_at) == found

    def test_keeping_a_lease_ends_with_an_error(self, stores: Stores, lease: Lease) -> None:
        """It comes out as it is, and the lease can be given back."""
        with pytest.raises(KeyboardInterrupt), stores.leases.kept(lease):
            raise KeyboardInterrupt
        stores.leases.release(lease)

        assert isinstance(stores.leases.acquire(TARGET_ID, STREAM, _OTHER, at=NOW), Lease)

    @pytest.mark.usefixtures("lease")
    def test_new_events_do_not_need_the_lease(self, stores: Stores) -> None:
        """Capture goes on while somebody sends."""
        stores.journal.append(STREAM, [make_event("e9")], at=NOW)

        assert classes(stores) == {Class.OWED: 4}

    def test_a_stale_holder_changes_nothing_but_deliveries(
        self, stores: Stores, lease: Lease
    ) -> None:
        """Its late acknowledgement is a fact and is kept; its late rejection is not."""
        request_id = opened(stores, lease, 1, 2)
        leased(stores, at=_EXPIRY)

        said = verdict(Outcome.SUCCESS, Outcome.REJECTED)
        assert not stores.ledger.close_request(lease, request_id, said, at=_EXPIRY)

        assert classes(stores, at=_EXPIRY) == {
            Class.DELIVERED: 1,
            Class.UNKNOWN_EFFECT: 1,
            Class.OWED: 1,
        }

    def test_a_late_acknowledgement_outlives_a_newer_request(
        self, stores: Stores, lease: Lease
    ) -> None:
        """It comes while the new holder's request is open, whose answer reopens nothing."""
        old = opened(stores, lease, 1, 2)
        newer = leased(stores, at=_EXPIRY)
        request_id = opened(stores, newer, 1, 2, at=_EXPIRY)

        said = verdict(Outcome.SUCCESS, Outcome.REJECTED)
        assert not stores.ledger.close_request(lease, old, said, at=_EXPIRY)
        assert classes(stores, at=_EXPIRY)[Class.DELIVERED] == 1
        said = verdict(Outcome.TRANSIENT, Outcome.TRANSIENT)
        assert stores.ledger.close_request(newer, request_id, said, at=_EXPIRY)

        assert classes(stores, at=_EXPIRY) == {
            Class.DELIVERED: 1,
            Class.IN_BACKOFF: 1,
            Class.OWED: 1,
        }

    def test_a_stale_holder_opens_nothing_and_makes_nothing_wait(
        self, stores: Stores, lease: Lease
    ) -> None:
        """The entries stay as the new holder finds them."""
        leased(stores, at=_EXPIRY)

        assert stores.ledger.open_request(lease, opening(1), at=_EXPIRY) is None
        stores.ledger.let_wait(lease, {2: _EXPIRY})

        assert stores.ledger.requests(TARGET_ID, STREAM) == []
        assert stores.ledger.entry(TARGET_ID, STREAM, 2) is None

    def test_a_lease_that_was_given_back_fences_too(self, stores: Stores, lease: Lease) -> None:
        """Once the next holder has it."""
        stores.leases.release(lease)
        taken = leased(stores)

        assert stores.leases.renew(lease, at=NOW) is None
        assert stores.ledger.open_request(lease, opening(1), at=NOW) is None
        assert stores.ledger.open_request(taken, opening(1), at=NOW)

    def test_what_a_dead_sender_carried_does_not_overtake(self, stores: Stores) -> None:
        """The cursor rises to it: an earlier entry that becomes deliverable has a row then, too."""
        granted(stores, make_events(5, aggregate_id="a"), from_position=3)
        opened(stores, leased(stores), 4, 5)
        late = _EXPIRY
        leased(stores, at=late)

        grant(stores)

        assert tail_positions(stores) == []
        assert set(due_positions(stores, now=late)) == {1, 2, 3, 4, 5}

    def test_what_is_on_its_way_can_be_asked(self, stores: Stores, lease: Lease) -> None:
        """Until the lease has run out; then it is as the sender's end will be noted."""
        opened(stores, lease, 2, 3)

        assert stores.leases.in_flight(STREAM, at=_EXPIRY - 1) == {2, 3}
        assert stores.leases.in_flight(STREAM, at=_EXPIRY) == set()
        assert stores.leases.in_flight("other", at=NOW) == set()

    def test_an_open_request_of_a_living_sender_stays(self, stores: Stores, lease: Lease) -> None:
        """Nothing changes, for it or for its entries."""
        request_id = opened(stores, lease, 1)

        stores.leases.give_up(STREAM, at=_EXPIRY - 1)
        stores.leases.give_up("other", at=_EXPIRY)

        assert classes(stores) == {Class.IN_FLIGHT: 1, Class.OWED: 2}
        assert stores.ledger.close_request(lease, request_id, verdict(Outcome.SUCCESS), at=NOW)

    def test_an_open_request_of_a_sender_that_is_gone_is_given_up(
        self, stores: Stores, lease: Lease
    ) -> None:
        """As by whoever takes the lease: it is lost, and only good news is still heard."""
        request_id = opened(stores, lease, 1, 2)

        stores.leases.give_up(STREAM, at=_EXPIRY)

        (request,) = stores.ledger.requests(TARGET_ID, STREAM)
        assert (request.answer, request.closed_at) == ("lost", None)
        assert classes(stores, at=_EXPIRY) == {Class.UNKNOWN_EFFECT: 2, Class.OWED: 1}
        assert stores.leases.renew(lease, at=_EXPIRY) is None
        said = verdict(Outcome.SUCCESS, Outcome.REJECTED)
        assert not stores.ledger.close_request(lease, request_id, said, at=_EXPIRY)
        assert classes(stores) == {Class.DELIVERED: 1, Class.UNKNOWN_EFFECT: 1, Class.OWED: 1}
        assert leased(stores, at=_EXPIRY).token == lease.token + 2
