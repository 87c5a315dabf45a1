import pytest

from eventsync_core.census import Class, remaining
from eventsync_core.clock import SECOND
from eventsync_core.ledger import LEASE_LENGTH, Link
from eventsync_core.receivers import Effect, Outcome
from eventsync_core.stores import Stores
from eventsync_core.testing._builders import make_event, make_stub_target
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

_OTHER = "p1"


def _keyed(stores: Stores, *keys: str, stream: str = STREAM, at: int = NOW) -> dict[int, int]:
    """Append one event per key, all in one unit; return what superseded how many."""
    have = sum(head.position for head in stores.journal.heads())
    names = range(have + 1, have + len(keys) + 1)
    events = [make_event(f"k{number}", aggregate_id="a") for number in names]
    with stores.atomic():
        positions = [item.position for item in stores.journal.append(stream, events, at=at)]
        pairs = dict(zip(positions, keys, strict=True))
        return dict(stores.superseding.supersede(stream, pairs, at=at))


def _superseded(stores: Stores, *, stream: str = STREAM) -> dict[int, int]:
    """Return which positions are superseded, and by which."""
    found = stores.superseding.superseded(stream, range(1, 10))
    return {position: link.by for position, link in found.items()}


def _offered(stores: Stores) -> list[int]:
    """Return what may be offered, by every road that asks."""
    later = NOW + 3_600 * SECOND
    found = sorted({*due_positions(stores, now=later), *tail_positions(stores)})
    head = stores.journal.heads()[0].position
    waiting = stores.backlog.waiting(TARGET_ID, STREAM, [":a"], most=9).get(":a", ())
    assert {position for position, _ in waiting} <= set(found)
    assert set(found) <= stores.backlog.deliverable(TARGET_ID, STREAM, range(1, head + 1))
    return found


def _failed_unsent(stores: Stores, position: int) -> None:
    """Let a request with the entry fail before it left."""
    lease = leased(stores)
    request_id = opened(stores, lease, position)
    failed = verdict(Outcome.TRANSIENT, effect=Effect.NONE)
    assert stores.ledger.close_request(lease, request_id, failed, at=NOW)
    stores.leases.release(lease)


class SupersedingContract:
    """Subclass, provide a `stores` fixture, and every promise of `Superseding` is checked."""

    def test_the_first_with_a_key_supersedes_nothing(self, stores: Stores) -> None:
        """It is offered as any other."""
        granted(stores)

        assert _keyed(stores, "a") == {}
        assert (_superseded(stores), _offered(stores)) == ({}, [1])

    def test_a_later_one_supersedes_the_earlier(self, stores: Stores) -> None:
        """The link says by which and when, from both ends."""
        granted(stores)
        _keyed(stores, "a")

        assert _keyed(stores, "a", at=NOW + 5) == {2: 1}
        link = Link(1, 2, NOW + 5)
        assert {1: link} == stores.superseding.superseded(STREAM, [1, 2])
        assert [link] == list(stores.superseding.supersedes(STREAM, 2))
        assert list(stores.superseding.supersedes(STREAM, 1)) == []
        assert _offered(stores) == [2]

    def test_of_several_at_once_the_last_stands_for_all(self, stores: Stores) -> None:
        """Each supersedes the one before it; other keys are left alone."""
        granted(stores)
        _keyed(stores, "a", "b")

        assert _keyed(stores, "a", "c", "a") == {3: 1, 5: 1}
        assert _superseded(stores) == {1: 3, 3: 5}
        assert _offered(stores) == [2, 4, 5]

    def test_what_has_no_key_is_never_superseded(self, stores: Stores) -> None:
        """It was never handed in here."""
        granted(stores, [make_event("e1"), make_event("e2")])
        _keyed(stores, "a")

        assert (_superseded(stores), _offered(stores)) == ({}, [1, 2, 3])

    def test_streams_do_not_share_keys(self, stores: Stores) -> None:
        """An equal key of another stream is another key."""
        granted(stores)
        _keyed(stores, "a")

        assert _keyed(stores, "a", stream=_OTHER) == {}
        assert _superseded(stores) == _superseded(stores, stream=_OTHER) == {}

    @pytest.mark.parametrize("outcome", [None, Outcome.TRANSIENT, Outcome.TERMINAL_FAILED])
    def test_an_attempt_without_effect_does_not_protect(
        self, stores: Stores, outcome: Outcome | None
    ) -> None:
        """Nobody has seen it: never answered, failed before it was sent, or parked."""
        granted(stores)
        _keyed(stores, "a")
        lease = leased(stores)
        if outcome is None:
            stores.ledger.let_wait(lease, {1: NOW + 1})
        else:
            request_id = opened(stores, lease, 1)
            said = verdict(outcome, effect=Effect.NONE)
            assert stores.ledger.close_request(lease, request_id, said, at=NOW)

        assert _keyed(stores, "a") == {2: 1}
        assert _offered(stores) == [2]

    @pytest.mark.parametrize(
        "outcome",
        [outcome for outcome in Outcome if outcome is not Outcome.TERMINAL_FAILED],
    )
    def test_what_may_have_been_seen_stays(self, stores: Stores, outcome: Outcome) -> None:
        """By any target; the newcomer has a row of its own, and a third leaves it alone too."""
        granted(stores)
        _keyed(stores, "a")
        before = stores.journal.entries(STREAM)
        answered(stores, leased(stores), {1: outcome})

        assert _keyed(stores, "a") == {}
        assert _keyed(stores, "a") == {3: 1}
        assert _superseded(stores) == {2: 3}
        assert before == stores.journal.entries(STREAM, limit=1)

    def test_what_one_target_has_seen_stays_for_all(self, stores: Stores) -> None:
        """Another target is still offered the very event."""
        stores.targets.register(make_stub_target("two"), at=NOW)
        granted(stores)
        _keyed(stores, "a")
        answered(stores, leased(stores), {1: Outcome.SUCCESS})
        other = make_stub_target("two").target_id
        stores.grants.grant(other, STREAM, from_position=0, actor="me", reason="", at=NOW)

        _keyed(stores, "a")

        found, _ = stores.backlog.tail(other, STREAM, max_events=9, max_bytes=1_000)
        assert [candidate.position for candidate in found] == [1, 2]

    def test_a_superseded_one_is_skipped_for_every_target(self, stores: Stores) -> None:
        """Also for one that comes later."""
        _keyed(stores, "a", "a")
        granted(stores)

        assert _offered(stores) == [2]

    @pytest.mark.parametrize("is_dead", [False, True])
    def test_what_is_in_flight_stays(self, stores: Stores, *, is_dead: bool) -> None:
        """Whether its sender lives or not; answered without effect it may be superseded later."""
        granted(stores)
        _keyed(stores, "a")
        lease = leased(stores)
        request_id = opened(stores, lease, 1)
        later = NOW + LEASE_LENGTH + 1 if is_dead else NOW

        assert _keyed(stores, "a", at=later) == {}
        withheld = verdict(Outcome.TRANSIENT, effect=Effect.NONE)
        assert stores.ledger.close_request(lease, request_id, withheld, at=NOW)
        assert _keyed(stores, "a") == {3: 2}
        assert _superseded(stores) == {1: 3, 2: 3}

    def test_what_a_dead_sender_carried_stays(self, stores: Stores) -> None:
        """Its effect is unknown once another sender took over."""
        granted(stores)
        _keyed(stores, "a")
        opened(stores, leased(stores), 1)
        leased(stores, at=NOW + LEASE_LENGTH + 1)

        assert _keyed(stores, "a") == {}

    def test_the_tail_passes_superseded_ones_over(self, stores: Stores) -> None:
        """At the front, between and at the end of what it looks at."""
        granted(stores)
        _keyed(stores, "a", "b", "a", "b", "a", "b")

        found, upto = stores.backlog.tail(TARGET_ID, STREAM, max_events=1, max_bytes=1)

        assert ([candidate.position for candidate in found], upto) == ([5], 5)

    def test_a_page_that_was_read_ahead_is_looked_at_again(self, stores: Stores) -> None:
        """What was superseded since is not deliverable any more."""
        granted(stores)
        _keyed(stores, "a")
        ahead = tail_positions(stores)
        _keyed(stores, "a")

        assert ahead == [1]
        assert stores.backlog.deliverable(TARGET_ID, STREAM, [1, 2]) == {2}

    def test_a_superseded_one_makes_nobody_wait(self, stores: Stores) -> None:
        """Later events of its aggregate may go."""
        granted(stores)
        _keyed(stores, "a")
        _failed_unsent(stores, 1)
        assert stores.backlog.waiting(TARGET_ID, STREAM, [":a"], most=9)

        _keyed(stores, "a")

        assert stores.backlog.waiting(TARGET_ID, STREAM, [":a"], most=9) == {}
        assert due_positions(stores, now=NOW + 3_600 * SECOND) == []

    def test_a_wait_noted_late_changes_nothing(self, stores: Stores) -> None:
        """A drain that read ahead may let it wait; it is not offered all the same."""
        granted(stores)
        _keyed(stores, "a", "a")
        stores.ledger.let_wait(leased(stores), {1: NOW})

        assert _offered(stores) == [2]
        assert classes(stores) == {Class.SUPERSEDED: 1, Class.OWED: 1}

    def test_a_widened_grant_owes_none_of_it(self, stores: Stores) -> None:
        """What was passed over and superseded is not offered."""
        granted(stores)
        _keyed(stores, "a", "b", "a")
        stores.grants.revoke(TARGET_ID, STREAM, actor="me", reason="test", at=NOW)
        grant(stores, from_position=3)
        stores.ledger.pass_over(leased(stores), 3)
        grant(stores)

        assert _offered(stores) == [2, 3]
        assert stores.ledger.entry(TARGET_ID, STREAM, 1) is None

    def test_what_the_cursor_passes_is_not_owed(self, stores: Stores) -> None:
        """It was not deliverable, and never will be."""
        granted(stores)
        _keyed(stores, "a", "b", "a")

        stores.ledger.pass_over(leased(stores), 3)

        assert [stores.ledger.entry(TARGET_ID, STREAM, each) is None for each in (1, 2, 3)] == [
            True,
            False,
            False,
        ]

    def test_a_release_does_not_bring_it_back(self, stores: Stores) -> None:
        """Held or not, it is superseded, and owed to nobody."""
        granted(stores)
        _keyed(stores, "a")
        stores.holds.hold(STREAM, [1], reason="", actor="me", at=NOW)
        assert _keyed(stores, "a") == {2: 1}
        stores.ledger.pass_over(leased(stores), 2)

        assert classes(stores) == {Class.SUPERSEDED: 1, Class.OWED: 1}
        stores.holds.release(STREAM, [1], actor="me", at=NOW)
        assert classes(stores) == {Class.SUPERSEDED: 1, Class.OWED: 1}
        assert _offered(stores) == [2]

    def test_superseded_ones_are_a_class(self, stores: Stores) -> None:
        """They are counted once, whatever else is true of them, and are not owed."""
        granted(stores)
        _keyed(stores, "a", "b")
        _failed_unsent(stores, 1)
        assert classes(stores) == {Class.IN_BACKOFF: 1, Class.OWED: 1}

        _keyed(stores, "a", "b")

        found = classes(stores)
        assert found == {Class.SUPERSEDED: 2, Class.OWED: 2}
        assert remaining({**dict.fromkeys(Class, 0), **found}) == 2

    @pytest.mark.parametrize("reach", [None, 0, 1, 2, 4])
    def test_they_are_counted_whatever_is_granted(self, stores: Stores, reach: int | None) -> None:
        """A position below the grant is superseded all the same."""
        stores.targets.register(make_stub_target(), at=NOW)
        if reach is not None:
            grant(stores, from_position=reach)
        _keyed(stores, "a", "a", "b", "b")

        assert classes(stores)[Class.SUPERSEDED] == 2

    def test_a_settled_one_is_counted_as_settled(self, stores: Stores) -> None:
        """Parked for one target, it is superseded for the others only."""
        granted(stores)
        _keyed(stores, "a")
        answered(stores, leased(stores), {1: Outcome.TERMINAL_FAILED})

        assert _keyed(stores, "a") == {2: 1}
        assert classes(stores) == {Class.TERMINAL_FAILED: 1, Class.OWED: 1}
        (standing,) = stores.desk.standings(
            TARGET_ID, STREAM, {Outcome.TERMINAL_FAILED}, after=0, upto=2, at=NOW
        )
        assert standing.is_superseded

    def test_a_unit_that_fails_supersedes_nothing(self, stores: Stores) -> None:
        """Neither the link nor the key is left; what comes next finds what stood before."""
        granted(stores)
        _keyed(stores, "a")
        with pytest.raises(ZeroDivisionError), stores.atomic():  # noqa: PT012
            _keyed(stores, "a")
            raise ZeroDivisionError

        assert (_superseded(stores), _offered(stores)) == ({}, [1])
        assert _keyed(stores, "b", "a") == {3: 1}
