from hashlib import sha256
from typing import Any

import attrs
import pytest

from eventsync_core.census import Class
from eventsync_core.errors import UnknownTargetError
from eventsync_core.ledger import Act, LedgerEntry
from eventsync_core.legacy import NOTED, Kind, Noted, OldDelivery, PastDelivery, RowKey, Source
from eventsync_core.receivers import Outcome
from eventsync_core.stores import Stores
from eventsync_core.testing._builders import make_events, make_stub_target
from eventsync_core.testing._contracts._steps import (
    NOW,
    STREAM,
    TARGET_ID,
    answered,
    classes,
    due_positions,
    grant,
    leased,
    opened,
    tail_positions,
    verdict,
)

_PATH = "/old/delivery/ledger.db"
_OTHER = "/older/delivery/ledger.db"
_PART = "delivery_ledger"


def _key(row: int, content: str = "a") -> RowKey:
    return RowKey(_PART, row, sha256(content.encode()).digest())


def _past(position: int, status: str = "success", **facts: Any) -> PastDelivery:
    old = OldDelivery(
        key=_key(position, status),
        event_id=f"e{position}",
        alias="tgt_old",
        status=status,
        attempts=3,
        first_at=NOW - 9,
        last_at=NOW - 5,
        accepted_at=NOW - 7,
        completed_at=NOW - 4,
        http_status=200,
        error="",
    )
    path = facts.pop("path", _PATH)
    return PastDelivery(
        path=path,
        old=attrs.evolve(old, **facts),
        target_id=TARGET_ID,
        stream=STREAM,
        position=position,
        taken_at=NOW,
    )


def _row(stores: Stores, position: int = 1) -> LedgerEntry | None:
    return stores.ledger.entry(TARGET_ID, STREAM, position)


class PastContract:
    """Subclass, provide a `stores` fixture, and every promise of `Past` is checked."""

    @pytest.fixture
    def past(self, stores: Stores) -> Stores:
        """Return a store with five entries, a target that nothing is granted to, two sources."""
        stores.journal.append(STREAM, make_events(5, event_type="Done", aggregate_id="a"), at=NOW)
        stores.targets.register(make_stub_target(), at=NOW)
        for path in (_PATH, _OTHER):
            stores.legacy.note(Noted(source=Source(path=path, kind=Kind.LEDGER)), at=NOW)
        return stores

    def test_old_names_stay(self, past: Stores) -> None:
        """Each once, of one target or of several; none of them is a grant."""
        assert past.past.call(TARGET_ID, "tgt_b", at=NOW)
        assert past.past.call(TARGET_ID, "tgt_a", at=NOW)
        assert not past.past.call(TARGET_ID, "tgt_a", at=NOW + 1)

        assert past.past.aliases(TARGET_ID) == ["tgt_a", "tgt_b"]
        assert past.past.called("tgt_a") == [TARGET_ID]
        assert past.past.called("tgt_c") == []
        assert past.past.aliases("tgt_other") == []
        assert past.grants.grants(TARGET_ID) == []

    def test_a_name_needs_a_target(self, past: Stores) -> None:
        """One that was never registered has none."""
        with pytest.raises(UnknownTargetError):
            past.past.call("tgt_other", "tgt_a", at=NOW)

        assert past.past.called("tgt_a") == []

    def test_what_was_delivered_then_is_delivered(self, past: Stores) -> None:
        """With its attempts; nothing is offered that was, and everything else is."""
        rows = [_past(1), _past(3, "duplicate"), _past(4, "terminal_failed", error="too large")]

        assert past.past.bring(rows) == 3

        assert _row(past) == LedgerEntry(outcome=Outcome.SUCCESS, attempts=3, seen=True)
        assert classes(past) == {
            Class.DELIVERED: 2,
            Class.TERMINAL_FAILED: 1,
            Class.NOT_GRANTED: 2,
        }
        grant(past)
        assert tail_positions(past) == [2, 5]
        assert due_positions(past) == []
        assert past.ledger.last_delivery_at(TARGET_ID) == NOW - 4

    def test_the_same_row_counts_once(self, past: Stores) -> None:
        """Within one call and later, and in another source; another content of it does not."""
        first = _past(1, "pending")

        assert past.past.bring([first, first]) == 1
        assert past.past.bring([first]) == 0
        others = [_past(1, "rejected"), _past(1, "pending", path=_OTHER)]
        assert past.past.news([first, *others]) == [others[0]]
        assert past.past.bring([first, *others]) == 1
        moved = _past(1, "pending", key=_key(9, "pending"))
        assert past.past.news([moved, _past(2), _past(2, path=_OTHER)]) == [_past(2)]
        assert len(past.ledger.history(STREAM, 1)) == 2

    def test_all_of_it_can_be_looked_up(self, past: Stores) -> None:
        """In the order it was brought, by entry."""
        rows = [_past(2, "rejected", error="no"), _past(2, "success", http_status=None)]
        past.past.bring([*rows, _past(1, first_at=None, accepted_at=None)])

        assert past.past.of(STREAM, 2) == rows
        assert past.past.of(STREAM, 3) == []

    def test_history_has_an_item_of_each(self, past: Stores) -> None:
        """With the time and the words that were noted then."""
        past.past.bring([_past(1, "rejected", error="no such project"), _past(1)])

        items = past.ledger.history(STREAM, 1)

        assert [(each.outcome, each.reason, each.at, each.request_id) for each in items] == [
            (Outcome.REJECTED, "no such project", NOW - 4, 0),
            (Outcome.SUCCESS, NOTED, NOW - 4, 0),
        ]

    @pytest.mark.parametrize("status", ["pending", "rejected", "failed_transient"])
    def test_anything_else_stays_owed(self, past: Stores, status: str) -> None:
        """Nothing stands in the ledger."""
        past.past.bring([_past(2, status)])

        assert _row(past, 2) is None
        grant(past)
        assert tail_positions(past) == [1, 2, 3, 4, 5]
        assert past.ledger.last_delivery_at(TARGET_ID) is None

    def test_what_is_known_here_wins(self, past: Stores) -> None:
        """What was never offered is delivered; an answer from here stays, also a refusal."""
        grant(past)
        lease = leased(past)
        answered(past, lease, {1: Outcome.SUCCESS, 2: Outcome.REJECTED})
        past.ledger.let_wait(lease, {3: NOW, 4: NOW})

        past.past.bring(
            [_past(1, "terminal_failed"), _past(2), _past(3), _past(4, "terminal_failed")]
        )

        assert classes(past) == {
            Class.DELIVERED: 2,
            Class.REJECTED: 1,
            Class.TERMINAL_FAILED: 1,
            Class.OWED: 1,
        }
        assert due_positions(past) == []

    def test_what_is_on_its_way_does_not_fail(self, past: Stores) -> None:
        """Its own answer counts; that it was delivered before does too."""
        grant(past)
        lease = leased(past)
        request_id = opened(past, lease, 1, 2)

        past.past.bring([_past(1, "terminal_failed"), _past(2)])
        answer = verdict(Outcome.SUCCESS, Outcome.REJECTED)
        assert past.ledger.close_request(lease, request_id, answer, at=NOW)

        assert classes(past) == {Class.DELIVERED: 2, Class.OWED: 3}

    def test_what_failed_then_can_be_retried(self, past: Stores) -> None:
        """It is found with its words, and its turn comes behind what was never offered."""
        past.past.bring([_past(3, "terminal_failed", error="too large")])
        grant(past)
        lease = leased(past)

        assert [(at, said.reason) for at, said in past.ledger.terminal(TARGET_ID, STREAM)] == [
            (3, "too large")
        ]
        found = past.desk.standings(
            TARGET_ID, STREAM, [Outcome.TERMINAL_FAILED], after=0, upto=9, at=NOW
        )
        assert [each.said for each in found] == ["too large"]
        assert past.desk.reopen(lease, [3], Act.RETRIED, actor="me", at=NOW) == {3}
        assert (due_positions(past), tail_positions(past)) == ([1, 2, 3], [4, 5])

    def test_what_was_delivered_then_can_be_replayed(self, past: Stores) -> None:
        """In its turn, and what was noted then changes nothing any more."""
        past.past.bring([_past(2), _past(4)])
        grant(past)

        past.desk.reopen(leased(past), [2, 4], Act.DELIVERED_BEFORE, actor="me", at=NOW)
        past.past.bring([_past(2, path=_OTHER, key=_key(2, "again"))])

        assert due_positions(past) == [1, 2, 3, 4]

    def test_a_unit_that_fails_leaves_nothing(self, past: Stores) -> None:
        """Neither names nor rows, history or state."""

        def fail() -> None:
            with past.atomic():
                past.past.call(TARGET_ID, "tgt_a", at=NOW)
                past.past.bring([_past(1)])
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail()

        assert past.past.aliases(TARGET_ID) == []
        assert past.past.of(STREAM, 1) == []
        assert past.ledger.history(STREAM, 1) == []
        assert _row(past) is None
        assert past.ledger.last_delivery_at(TARGET_ID) is None

    def test_what_was_delivered_then_is_never_superseded(self, past: Stores) -> None:
        """A later event with its key leaves it as it is."""
        past.superseding.supersede(STREAM, {1: "k", 2: "other"}, at=NOW)
        past.past.bring([_past(1)])

        past.superseding.supersede(STREAM, {4: "k", 5: "other"}, at=NOW)

        assert dict(past.superseding.superseded(STREAM, [1, 2])).keys() == {2}
