import pytest

from eventsync_core.bodies import Added, Reopening, Standing, UploadState
from eventsync_core.egress import Grant, GrantVerb
from eventsync_core.errors import UnknownTargetError
from eventsync_core.ledger import Act
from eventsync_core.stores import Stores
from eventsync_core.testing._builders import make_body, make_events
from eventsync_core.testing._contracts._steps import NOW, STREAM, TARGET_ID, granted


def _grant(stores: Stores) -> Grant:
    found = stores.grants.get(TARGET_ID, STREAM)
    assert found is not None
    return found


def _add(stores: Stores, *names: str, stream: str = STREAM) -> None:
    for name in names:
        assert stores.bodies.add(stream, make_body(name), at=NOW) is Added.STORED


def _owed(stores: Stores) -> list[int]:
    owed = stores.bodies.next_due(_grant(stores), now=NOW)
    return [] if owed is None else [owed.number]


_DONE = Standing(state=UploadState.UPLOADED, attempts=2, settled_at=NOW + 2)


class BodyOpeningsContract:
    """What grants let go of bodies, and how operators open them again; part of `BodiesContract`."""

    def test_a_grant_from_later_on_leaves_out_what_was_there(self, stores: Stores) -> None:
        """What was added before it stays here, with events in the stream or without."""
        _add(stores, "before")
        granted(stores, from_body=stores.bodies.head())
        _add(stores, "after")
        stores.bodies.owe(TARGET_ID, STREAM)

        assert (_grant(stores).from_body, stores.bodies.head(), _owed(stores)) == (1, 2, [2])

    def test_a_widened_grant_lets_go_what_was_there(self, stores: Stores) -> None:
        """From the first body on, everything of the stream goes, and that is on record."""
        _add(stores, "before")
        granted(stores, from_body=1)
        stores.bodies.owe(TARGET_ID, STREAM)
        assert _owed(stores) == []

        stores.grants.grant(TARGET_ID, STREAM, from_position=0, actor="", reason="", at=NOW)

        assert _owed(stores) == [1]
        widened, first = stores.grants.acts(TARGET_ID)
        assert (widened.act, widened.from_body, first.from_body) == (GrantVerb.WIDENED, 0, 1)

    def test_a_grant_is_never_narrowed(self, stores: Stores) -> None:
        """Asked for again from later on, it lets go what it did."""
        _add(stores, "before")
        granted(stores)

        granted(stores, from_body=1)

        assert _grant(stores).from_body == 0

    def test_a_body_is_found_by_its_key(self, stores: Stores) -> None:
        """With its standing at a target, as it is listed."""
        granted(stores)
        _add(stores, "a", "b")
        stores.bodies.owe(TARGET_ID, STREAM)
        stores.bodies.note(TARGET_ID, 2, _DONE)

        for target_id in ("", TARGET_ID):
            listed = stores.bodies.page(target_id)[1]
            assert listed == stores.bodies.find(make_body("b").key, target_id)
        assert stores.bodies.find(make_body("c").key) is None

    def test_streams_with_bodies_are_known(self, stores: Stores) -> None:
        """By name, and only those."""
        stores.journal.append("empty", make_events(1), at=NOW)
        assert stores.bodies.streams() == []
        _add(stores, "a", stream="z")
        _add(stores, "b", stream="a")

        assert stores.bodies.streams() == ["a", "z"]

    @pytest.mark.parametrize(
        ("state", "act", "goes"),
        [
            (UploadState.UPLOADED, Act.DELIVERED_BEFORE, True),
            (UploadState.ALREADY_EXISTS, Act.DELIVERED_BEFORE, True),
            (UploadState.FAILED, Act.DELIVERED_BEFORE, False),
            (UploadState.QUEUED, Act.DELIVERED_BEFORE, False),
            (UploadState.FAILED, Act.RETRIED, True),
            (UploadState.UPLOADED, Act.RETRIED, False),
            (UploadState.QUEUED, Act.RETRIED, False),
        ],
    )
    def test_a_body_is_opened_again(
        self, stores: Stores, state: UploadState, act: Act, *, goes: bool
    ) -> None:
        """What an act is for is owed again; how it stood until then stays on record."""
        granted(stores)
        _add(stores, "a")
        stores.bodies.owe(TARGET_ID, STREAM)
        before = Standing(state=state, attempts=4, last_error="x", settled_at=NOW + 2)
        stores.bodies.note(TARGET_ID, 1, before)

        assert stores.bodies.reopen(TARGET_ID, 1, act, actor="me", at=NOW + 5) is goes

        done = Reopening(
            act=act, at=NOW + 5, actor="me", state=state, last_error="x", settled_at=NOW + 2
        )
        (listed,) = stores.bodies.page(TARGET_ID)
        assert stores.bodies.reopenings(TARGET_ID, 1) == [done] * goes
        assert listed.standing.attempts == 4
        assert listed.standing.reopened == goes
        assert (listed.standing == before) is not goes
        assert stores.bodies.reopen(TARGET_ID, 1, act, actor="me", at=NOW + 5) is False

    def test_every_opening_is_kept(self, stores: Stores) -> None:
        """The newest first; a body that has no standing there is not opened."""
        granted(stores)
        _add(stores, "a", "b")
        stores.bodies.owe(TARGET_ID, STREAM)
        for at in range(3):
            stores.bodies.note(TARGET_ID, 1, Standing(state=UploadState.UPLOADED, reopened=at))
            stores.bodies.reopen(TARGET_ID, 1, Act.DELIVERED_BEFORE, actor="me", at=NOW + at)

        assert [each.at - NOW for each in stores.bodies.reopenings(TARGET_ID, 1)] == [2, 1, 0]
        assert len(stores.bodies.reopenings(TARGET_ID, 1, limit=2)) == 2
        assert stores.bodies.reopen(TARGET_ID, 9, Act.RETRIED, actor="me", at=NOW) is False
        with pytest.raises(UnknownTargetError):
            stores.bodies.reopen("tgt_unknown", 1, Act.RETRIED, actor="me", at=NOW)
