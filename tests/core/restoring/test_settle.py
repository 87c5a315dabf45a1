"""Which grants rest and which are over where a backup takes the place of a store."""

import pytest

from eventsync_core.capture import capture_many
from eventsync_core.ledger import Busy, Holder
from eventsync_core.restoring import Settled, left_behind, settle, who_sends, would_settle
from eventsync_core.stores import MemoryStores
from eventsync_core.targets import Target
from eventsync_core.testing import make_envelope, make_stub_target


@pytest.fixture
def target() -> Target:
    return make_stub_target()


def granted(target: Target, *ids: str, at: int = 10) -> MemoryStores:
    """Return stores with those events, granted to the target."""
    stores = MemoryStores()
    stores.targets.register(target, at=1)
    capture_many(stores, [make_envelope(each) for each in ids], at=1)
    stores.grants.grant(target.target_id, "default", from_position=0, actor="me", reason="", at=at)
    return stores


def test_every_live_grant_rests(target: Target) -> None:
    """On record; and so it stays when it is settled twice."""
    stores = granted(target, "e1")

    assert settle(stores, None, actor="cli", at=20) == Settled(resting=1)

    grant = stores.grants.get(target.target_id, "default")
    assert grant is not None
    assert (grant.is_live, grant.paused) == (True, "restored from a backup")
    assert [act.act for act in stores.grants.acts(target.target_id)] == ["paused", "granted"]
    assert settle(stores, None, actor="cli", at=30) == Settled(resting=1)
    assert stores.grants.act_count(target.target_id) == 2


def revoke(stores: MemoryStores, target: Target, *, at: int) -> None:
    stores.grants.revoke(target.target_id, "default", actor="me", reason="why", at=at)


def renew(stores: MemoryStores, target: Target, *, at: int, above: int = 1) -> None:
    stores.grants.grant(
        target.target_id, "default", from_position=above, actor="me", reason="", at=at
    )


@pytest.mark.parametrize("ended_at", [15, 10, 9])
@pytest.mark.parametrize("is_renewed", [False, True])
def test_an_end_after_the_grant_counts(target: Target, ended_at: int, *, is_renewed: bool) -> None:
    """Whatever the clock said, and whatever less was granted since."""
    restored, before = granted(target, "e1"), granted(target, "e1")
    revoke(before, target, at=ended_at)
    if is_renewed:
        renew(before, target, at=ended_at)

    assert would_settle(restored, before) == Settled(revoked=1)
    assert settle(restored, before, actor="cli", at=20) == Settled(revoked=1)

    grant = restored.grants.get(target.target_id, "default")
    assert grant is not None
    assert (grant.revoked_by, grant.revoked_reason, grant.revoked_at) == ("me", "why", ended_at)


@pytest.mark.parametrize("renewed_at", [15, 10, 9])
def test_an_end_before_the_grant_does_not_count(target: Target, renewed_at: int) -> None:
    """The restored store knows of it, and that it was given anew since."""
    restored, before = granted(target, "e1"), granted(target, "e1")
    revoke(restored, target, at=10)
    renew(restored, target, at=renewed_at)
    revoke(before, target, at=10)

    assert settle(restored, before, actor="cli", at=20) == Settled(resting=1)

    renew(before, target, at=renewed_at)
    assert settle(restored, before, actor="cli", at=20) == Settled(resting=1)


def test_an_end_that_the_restored_store_does_not_know_counts(target: Target) -> None:
    """Also where more was done to the grant in the one than in the other."""
    restored, before = granted(target, "e1"), granted(target, "e1")
    revoke(restored, target, at=10)
    renew(restored, target, at=11)
    revoke(before, target, at=12)

    assert settle(restored, before, actor="cli", at=20) == Settled(revoked=1)


@pytest.mark.parametrize(
    ("now", "then", "count"),
    [
        (("e1", "e2", "e3"), ("e1",), 2),
        (("e1",), ("e1", "e2"), 0),
        (("e2", "e1"), ("e1", "e2"), 0),
        (("e9", "e1", "e3"), ("e1", "e2"), 2),
        (("e1",), (), 1),
        ((), ("e1",), 0),
    ],
)
def test_what_only_the_old_store_holds(
    target: Target, now: tuple[str, ...], then: tuple[str, ...], count: int
) -> None:
    """By its ids, wherever they stand."""
    restored, before = granted(target, *then), granted(target, *now)

    assert left_behind(restored.journal, before.journal) == count


def test_a_lease_that_cannot_be_read_hides_no_other(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who sends another stream is named still."""
    stores = granted(target, "e1")
    capture_many(stores, [make_envelope("e2", project_uuid="other")], at=1)
    assert who_sends(stores, at=2) is None
    found = Busy(Holder(pid=7, started_at=1, boot=""), expires_at=9)

    def busy(_: object, _target: str, stream: str, *, at: int) -> Busy:
        return Busy(found.holder, at + int(stream)) if stream == "default" else found

    monkeypatch.setattr(type(stores.desk), "busy", busy)
    assert who_sends(stores, at=2) == ("other", found)
