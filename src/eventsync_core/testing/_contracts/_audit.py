from hashlib import sha256
from typing import Any

import attrs
import pytest

from eventsync_core.events import Family
from eventsync_core.policy import AuditRecord
from eventsync_core.stores import Stores
from eventsync_core.testing._builders import make_event
from eventsync_core.testing._contracts._steps import NOW, STREAM


def _record(event_id: str, **facts: Any) -> AuditRecord:
    record = AuditRecord(
        event_id=event_id,
        event_type="WPCreated",
        family=Family.TARGET_BOUND,
        stream=STREAM,
        reason="nothing is kept",
        digest=sha256(event_id.encode()).digest(),
        at=NOW,
    )
    return attrs.evolve(record, **facts)


def _ids(stores: Stores, *, after: int = 0, limit: int = 1000) -> list[str]:
    return [row.event_id for row in stores.audit.rows(after=after, limit=limit)]


class AuditContract:
    """Subclass, provide a `stores` fixture, and every promise of `Audit` is checked."""

    def test_an_empty_one(self, stores: Stores) -> None:
        """No rows, and recording nothing adds none."""
        stores.audit.record([])

        assert (stores.audit.rows(), stores.audit.count()) == ([], 0)

    def test_a_row_comes_back_as_it_went_in(self, stores: Stores) -> None:
        """Every fact of it, also where there is no type."""
        unknown = _record("Ünï", event_type=None, family=Family.UNKNOWN, stream="ß", at=NOW + 1)

        stores.audit.record([_record("e1"), unknown])

        expected = [_record("e1", number=1), attrs.evolve(unknown, number=2)]
        assert expected == stores.audit.rows()

    def test_rows_are_numbered_as_they_come(self, stores: Stores) -> None:
        """From 1, over all calls and streams, whatever number they had."""
        stores.audit.record([_record("b", number=7), _record("a", number=7)])
        stores.audit.record([_record("c", stream="other", at=NOW - 1)])

        assert [(row.number, row.event_id) for row in stores.audit.rows()] == [
            (1, "b"),
            (2, "a"),
            (3, "c"),
        ]

    def test_what_is_dropped_twice_has_two_rows(self, stores: Stores) -> None:
        """In one call and in two."""
        stores.audit.record([_record("e1"), _record("e1")])
        stores.audit.record([_record("e1")])

        assert (_ids(stores), stores.audit.count()) == (["e1"] * 3, 3)

    def test_rows_are_read_page_by_page(self, stores: Stores) -> None:
        """After a number, as many as asked for; beyond the last there is nothing."""
        stores.audit.record([_record(f"e{number}") for number in range(1, 6)])

        assert _ids(stores, limit=2) == ["e1", "e2"]
        assert _ids(stores, after=2, limit=2) == ["e3", "e4"]
        assert _ids(stores, after=4, limit=2) == ["e5"]
        assert _ids(stores, after=5) == _ids(stores, after=1 << 40) == []
        assert stores.audit.count() == 5

    def test_a_failed_unit_leaves_no_row(self, stores: Stores) -> None:
        """Nor a gap in the numbers; what else it wrote is undone with it."""
        stores.audit.record([_record("e1")])

        with pytest.raises(ZeroDivisionError), stores.atomic():  # noqa: PT012 - the unit is what fails
            stores.audit.record([_record("lost")])
            stores.journal.append(STREAM, [make_event("lost")], at=NOW)
            assert stores.audit.count() == 2
            raise ZeroDivisionError
        stores.audit.record([_record("e2")])

        assert [(row.number, row.event_id) for row in stores.audit.rows()] == [(1, "e1"), (2, "e2")]
        assert stores.journal.find("lost") is None

    def test_an_inner_unit_that_fails_undoes_its_rows_only(self, stores: Stores) -> None:
        """What the outer one recorded before and after is kept, without a gap."""
        with stores.atomic():
            stores.audit.record([_record("e1")])
            with pytest.raises(ZeroDivisionError), stores.atomic():  # noqa: PT012 - as above
                stores.audit.record([_record("lost")])
                raise ZeroDivisionError
            stores.audit.record([_record("e2")])

        assert [(row.number, row.event_id) for row in stores.audit.rows()] == [(1, "e1"), (2, "e2")]
