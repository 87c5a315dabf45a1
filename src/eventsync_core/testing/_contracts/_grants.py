import itertools

import attrs
import pytest

from eventsync_core.census import Class
from eventsync_core.egress import Grant, GrantVerb, unrecorded
from eventsync_core.errors import UnknownTargetError
from eventsync_core.receivers import Outcome
from eventsync_core.stores import Stores
from eventsync_core.testing._builders import make_events, make_stub_target
from eventsync_core.testing._contracts._steps import (
    NOW,
    STREAM,
    TARGET_ID,
    answered,
    due_positions,
    grant,
    granted,
    leased,
    tail_positions,
)


def _current(stores: Stores) -> Grant:
    found = stores.grants.get(TARGET_ID, STREAM)
    assert found is not None
    return found


class GrantsContract:
    """Subclass, provide a `stores` fixture, and every promise of `Grants` is checked."""

    def test_a_grant_is_returned_and_found(self, stores: Stores) -> None:
        """It says who permitted what, why and when."""
        stores.targets.register(make_stub_target(), at=NOW)

        made = stores.grants.grant(
            TARGET_ID, STREAM, from_position=3, actor="me", reason="asked", at=NOW
        )

        assert made == Grant(
            target_id=TARGET_ID,
            stream=STREAM,
            from_position=3,
            generation=1,
            actor="me",
            reason="asked",
            granted_at=NOW,
        )
        assert made == _current(stores)

    def test_an_unknown_target_is_not_granted(self, stores: Stores) -> None:
        """The error leaves no grant behind."""
        with pytest.raises(UnknownTargetError):
            grant(stores)

        assert stores.grants.get(TARGET_ID, STREAM) is None

    def test_without_a_grant_there_is_none(self, stores: Stores) -> None:
        """A registered target has no grant of its own accord."""
        stores.targets.register(make_stub_target(), at=NOW)

        assert stores.grants.get(TARGET_ID, STREAM) is None
        assert stores.grants.grants(TARGET_ID) == []

    def test_a_live_grant_is_widened(self, stores: Stores) -> None:
        """A lower position holds from now on, with a new generation and the old facts."""
        granted(stores, from_position=5)
        before = _current(stores)

        made = stores.grants.grant(
            TARGET_ID, STREAM, from_position=2, actor="other", reason="more", at=NOW + 9
        )

        assert (2, before.generation + 1) == (made.from_position, made.generation)
        assert (made.actor, made.reason, made.granted_at) == ("me", "test", NOW)

    def test_a_live_grant_is_never_narrowed(self, stores: Stores) -> None:
        """A higher position changes nothing, not even the generation."""
        granted(stores, from_position=2)
        before = _current(stores)

        grant(stores, from_position=5)

        assert before == _current(stores)

    def test_what_was_passed_over_is_owed_when_a_grant_is_widened(self, stores: Stores) -> None:
        """Entries below the cursor become due at once."""
        granted(stores, make_events(4), from_position=2)
        lease = leased(stores)
        answered(stores, lease, {3: Outcome.SUCCESS, 4: Outcome.SUCCESS})
        stores.ledger.pass_over(lease, 4)

        grant(stores, from_position=0)

        assert due_positions(stores) == [1, 2]
        assert tail_positions(stores) == []

    def test_what_was_not_passed_over_is_not_owed(self, stores: Stores) -> None:
        """Entries above the cursor are found there, once."""
        granted(stores, make_events(3), from_position=3)

        grant(stores, from_position=0)

        assert tail_positions(stores) == [1, 2, 3]
        assert due_positions(stores) == []

    def test_what_was_passed_over_is_owed_when_a_grant_is_renewed(self, stores: Stores) -> None:
        """A renewed grant that reaches further down counts as widened; its cursor stays."""
        granted(stores, make_events(3), from_position=2)
        lease = leased(stores)
        answered(stores, lease, {3: Outcome.SUCCESS})
        stores.ledger.pass_over(lease, 3)
        stores.grants.revoke(TARGET_ID, STREAM, actor="me", reason="test", at=NOW)

        grant(stores, from_position=1)

        assert due_positions(stores) == [2]
        assert tail_positions(stores) == []

    def test_what_has_a_row_is_not_owed_again(self, stores: Stores) -> None:
        """A delivered entry stays delivered when a grant reaches it again."""
        granted(stores, make_events(2))
        lease = leased(stores)
        answered(stores, lease, {1: Outcome.SUCCESS, 2: Outcome.SUCCESS})
        stores.ledger.pass_over(lease, 2)
        stores.grants.revoke(TARGET_ID, STREAM, actor="me", reason="test", at=NOW)
        grant(stores, from_position=2)

        grant(stores, from_position=0)

        assert due_positions(stores) == []

    def test_a_revoked_grant_is_kept_but_not_live(self, stores: Stores) -> None:
        """It says when it ended, by whom and why, and its generation grew."""
        granted(stores)
        before = _current(stores)

        stores.grants.revoke(TARGET_ID, STREAM, actor="me", reason="test", at=NOW + 5)

        after = _current(stores)
        assert (after.is_live, after.revoked_at) == (False, NOW + 5)
        assert (after.revoked_by, after.revoked_reason) == ("me", "test")
        assert (after.actor, after.reason, after.granted_at) == ("me", "test", NOW)
        assert before.generation < after.generation

    def test_revoking_twice_changes_nothing(self, stores: Stores) -> None:
        """The first end stands."""
        granted(stores)
        stores.grants.revoke(TARGET_ID, STREAM, actor="me", reason="test", at=NOW + 5)
        before = _current(stores)

        stores.grants.revoke(TARGET_ID, STREAM, actor="me", reason="test", at=NOW + 9)

        assert before == _current(stores)

    def test_revoking_without_a_grant_changes_nothing(self, stores: Stores) -> None:
        """No grant appears, and no error."""
        stores.grants.revoke(TARGET_ID, STREAM, actor="me", reason="test", at=NOW)

        assert stores.grants.get(TARGET_ID, STREAM) is None

    def test_a_revoked_grant_is_renewed_as_asked(self, stores: Stores) -> None:
        """Even a higher position holds then, with a generation never seen before."""
        granted(stores, from_position=2)
        stores.grants.revoke(TARGET_ID, STREAM, actor="me", reason="test", at=NOW + 5)
        revoked = _current(stores)

        made = stores.grants.grant(
            TARGET_ID, STREAM, from_position=7, actor="other", reason="again", at=NOW + 9
        )

        assert (
            made.from_position,
            made.actor,
            made.reason,
            made.granted_at,
        ) == (7, "other", "again", NOW + 9)
        assert (made.is_live, made.revoked_by, made.revoked_reason) == (True, "", "")
        assert revoked.generation < made.generation
        assert made == _current(stores)

    def test_a_grant_rests_for_a_reason(self, stores: Stores) -> None:
        """The reason stands on it, and its generation grew."""
        granted(stores)
        before = _current(stores)

        stores.grants.pause(TARGET_ID, STREAM, "not admitted", actor="me", at=NOW)

        after = _current(stores)
        assert (after.paused, after.is_live) == ("not admitted", True)
        assert before.generation < after.generation

    def test_granting_again_ends_a_rest(self, stores: Stores) -> None:
        """The grant is otherwise what it was, with a new generation."""
        granted(stores, from_position=2)
        stores.grants.pause(TARGET_ID, STREAM, "not admitted", actor="me", at=NOW)
        paused = _current(stores)

        grant(stores, from_position=4)

        after = _current(stores)
        assert (after.paused, after.from_position) == ("", 2)
        assert paused.generation < after.generation

    def test_a_rest_is_ended_without_granting_again(self, stores: Stores) -> None:
        """All else of the grant stays, with a new generation."""
        granted(stores, from_position=2)
        before = _current(stores)
        stores.grants.pause(TARGET_ID, STREAM, "not admitted", actor="me", at=NOW)
        paused = _current(stores)

        stores.grants.resume(TARGET_ID, STREAM, actor="me", reason="test", at=NOW)

        after = _current(stores)
        assert paused.generation < after.generation
        assert attrs.evolve(before, generation=after.generation) == after

    def test_what_is_said_of_a_rest_decides_nothing(self, stores: Stores) -> None:
        """One in the words of a grant that is not on record ends as any other does."""
        granted(stores)
        why = unrecorded(_current(stores)).paused
        stores.grants.pause(TARGET_ID, STREAM, why, actor="me", at=NOW)
        assert (_current(stores).paused, _current(stores).is_on_record) == (why, True)

        stores.grants.resume(TARGET_ID, STREAM, actor="me", reason="test", at=NOW)

        assert not _current(stores).paused

    def test_resuming_what_does_not_rest_changes_nothing(self, stores: Stores) -> None:
        """Neither a grant that goes on, nor a revoked one, nor one that is not there."""
        stores.targets.register(make_stub_target(), at=NOW)
        stores.grants.resume(TARGET_ID, STREAM, actor="me", reason="test", at=NOW)
        assert stores.grants.get(TARGET_ID, STREAM) is None
        granted(stores)
        for is_revoked in (False, True):
            if is_revoked:
                stores.grants.revoke(TARGET_ID, STREAM, actor="me", reason="test", at=NOW)
            before = _current(stores)

            stores.grants.resume(TARGET_ID, STREAM, actor="me", reason="test", at=NOW)

            assert before == _current(stores)

    def test_pausing_without_a_grant_changes_nothing(self, stores: Stores) -> None:
        """No grant appears, and no error."""
        stores.grants.pause(TARGET_ID, STREAM, "why not", actor="me", at=NOW)

        assert stores.grants.get(TARGET_ID, STREAM) is None

    def test_grants_come_in_order_of_streams(self, stores: Stores) -> None:
        """Live and revoked ones are listed, those of other targets are not."""
        for name, streams in (("one", ("b", "a", "c")), ("two", ("d",))):
            target = stores.targets.register(make_stub_target(name), at=NOW)
            for stream in streams:
                stores.grants.grant(
                    target.target_id, stream, from_position=0, actor="", reason="", at=NOW
                )
        stores.grants.revoke(TARGET_ID, "b", actor="me", reason="test", at=NOW)

        found = stores.grants.grants(TARGET_ID)

        assert [(made.stream, made.is_live) for made in found] == [
            ("a", True),
            ("b", False),
            ("c", True),
        ]

    def test_all_that_is_done_to_a_grant_is_on_record(self, stores: Stores) -> None:
        """Newest first: what, by whom, why, when, and what held afterwards."""
        granted(stores, from_position=5)
        grants, pair = stores.grants, (TARGET_ID, STREAM)
        grants.grant(*pair, from_position=2, actor="b", reason="more", at=NOW + 1)
        grants.pause(*pair, "refused", actor="c", at=NOW + 2)
        grants.resume(*pair, actor="d", reason="mended", at=NOW + 3)
        grants.revoke(*pair, actor="e", reason="over", at=NOW + 4)
        grants.grant(*pair, from_position=7, actor="f", reason="again", at=NOW + 5)

        done = stores.grants.acts(TARGET_ID)

        assert [(act.number, act.act, act.actor, act.reason, act.at - NOW) for act in done] == [
            (6, GrantVerb.GRANTED, "f", "again", 5),
            (5, GrantVerb.REVOKED, "e", "over", 4),
            (4, GrantVerb.RESUMED, "d", "mended", 3),
            (3, GrantVerb.PAUSED, "c", "refused", 2),
            (2, GrantVerb.WIDENED, "b", "more", 1),
            (1, GrantVerb.GRANTED, "me", "test", 0),
        ]
        assert [act.from_position for act in done] == [7, 2, 2, 2, 2, 5]
        assert done[0].generation == _current(stores).generation
        assert all(later.generation > act.generation for later, act in itertools.pairwise(done))

    def test_one_change_may_be_two_acts(self, stores: Stores) -> None:
        """Granting more to one that rests widens it and ends its rest."""
        granted(stores, from_position=5)
        stores.grants.pause(TARGET_ID, STREAM, "refused", actor="me", at=NOW)

        grant(stores)

        last = [act.act for act in stores.grants.acts(TARGET_ID, limit=2)]
        assert last == [GrantVerb.RESUMED, GrantVerb.WIDENED]

    def test_what_changes_nothing_is_not_on_record(self, stores: Stores) -> None:
        """Neither narrowing, nor ending twice, nor the same pause again, nor a grant not there."""
        granted(stores)
        grants, pair = stores.grants, (TARGET_ID, STREAM)
        grant(stores, from_position=5)
        grants.resume(*pair, actor="me", reason="test", at=NOW)
        assert stores.grants.act_count(TARGET_ID) == 1
        for _ in range(2):
            grants.pause(*pair, "same", actor="me", at=NOW)
            grants.revoke(*pair, actor="me", reason="test", at=NOW)
        grants.revoke(TARGET_ID, "another", actor="me", reason="test", at=NOW)
        grants.pause(TARGET_ID, "another", "why", actor="me", at=NOW)
        grants.revoke("tgt_0", STREAM, actor="me", reason="test", at=NOW)

        assert stores.grants.act_count(TARGET_ID) == 3
        assert (stores.grants.acts("tgt_0"), stores.grants.act_count("tgt_0")) == ([], 0)

    def test_acts_belong_to_their_target(self, stores: Stores) -> None:
        """All of its streams, numbered together; those of other targets are not among them."""
        granted(stores)
        other = stores.targets.register(make_stub_target("other"), at=NOW).target_id
        for target_id, stream in ((other, "x"), (TARGET_ID, "y")):
            stores.grants.grant(
                target_id, stream, from_position=0, actor="me", reason="test", at=NOW
            )

        assert [(act.number, act.stream) for act in stores.grants.acts(TARGET_ID)] == [
            (2, "y"),
            (1, STREAM),
        ]
        assert [(act.number, act.stream) for act in stores.grants.acts(other)] == [(1, "x")]
        assert [act.number for act in stores.grants.acts(TARGET_ID, limit=1)] == [2]
        assert (stores.grants.act_count(TARGET_ID), stores.grants.act_count(other)) == (2, 1)

    def test_an_act_is_undone_with_its_unit(self, stores: Stores) -> None:
        """The record says what holds, and no more."""
        granted(stores)

        def fail() -> None:
            with stores.atomic():
                stores.grants.revoke(TARGET_ID, STREAM, actor="me", reason="test", at=NOW)
                raise KeyError

        with pytest.raises(KeyError):
            fail()

        assert _current(stores).is_live
        assert [act.act for act in stores.grants.acts(TARGET_ID)] == [GrantVerb.GRANTED]

    @pytest.mark.parametrize("above", [0, 1, 2, 3, 9])
    def test_a_grant_is_counted_beforehand(self, stores: Stores, above: int) -> None:
        """As if it stood already, whether there was none, or one that was revoked."""
        stores.journal.append(STREAM, make_events(4), at=NOW)
        count = stores.backlog.tally(TARGET_ID, STREAM, at=NOW, above=above).classes()
        assert count[Class.OWED] == max(4 - above, 0)
        granted(stores)
        lease = leased(stores)
        answered(stores, lease, {1: Outcome.SUCCESS, 2: Outcome.REJECTED, 3: Outcome.TRANSIENT})
        stores.ledger.pass_over(lease, 3)
        stores.grants.revoke(TARGET_ID, STREAM, actor="me", reason="test", at=NOW)

        said = stores.backlog.tally(TARGET_ID, STREAM, at=NOW, above=above)

        assert said.is_coherent
        grant(stores, from_position=above)
        then = stores.backlog.tally(TARGET_ID, STREAM, at=NOW)
        assert then.classes() == said.classes()
        gone = then.without_grant()
        stores.grants.revoke(TARGET_ID, STREAM, actor="me", reason="test", at=NOW)
        assert stores.backlog.tally(TARGET_ID, STREAM, at=NOW).classes() == gone.classes()
