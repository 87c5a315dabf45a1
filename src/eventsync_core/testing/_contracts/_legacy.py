from hashlib import sha256
from typing import Any

import attrs
import pytest

from eventsync_core.legacy import Kind, Noted, Provenance, RowKey, SetAside, Source, Why
from eventsync_core.stores import Stores
from eventsync_core.testing._builders import make_event
from eventsync_core.testing._contracts._steps import NOW, STREAM

_PATH = "/old/queue.db"
_SOURCE = Source(path=_PATH, kind=Kind.QUEUE, target="unknown:legacy")


def _key(row: int, content: str = "a") -> RowKey:
    return RowKey("queue", row, sha256(content.encode()).digest())


def _from(row: int, event_id: str = "e1", content: str = "a", **facts: Any) -> Provenance:
    found = Provenance(
        path=_PATH,
        key=_key(row, content),
        event_id=event_id,
        queued_at=NOW - 5,
        retry_count=3,
        taken_at=NOW,
    )
    return attrs.evolve(found, **facts)


def _aside(row: int, why: Why = Why.CONFLICT, **facts: Any) -> SetAside:
    found = SetAside(
        path=_PATH,
        key=_key(row),
        event_id="e1",
        why=why,
        detail="differs",
        size=3,
        at=NOW,
        existing=sha256(b"1").digest(),
        incoming=sha256(b"2").digest(),
        queued_at=None,
        retry_count=None,
        raw=b"\xff\x00a",
    )
    return attrs.evolve(found, **facts)


class LegacyContract:
    """Subclass, provide a `stores` fixture, and every promise of `Legacy` is checked."""

    @pytest.fixture
    def noted(self, stores: Stores) -> Stores:
        """Return the store with one source on record."""
        stores.legacy.note(Noted(source=_SOURCE), at=NOW)
        return stores

    def test_stored_events_are_found(self, stores: Stores) -> None:
        """Those that are known, with their text only when it is asked for."""
        stores.journal.append(STREAM, [make_event("e1"), make_event("e2")], at=NOW)
        entry = stores.journal.find("e2")
        assert entry is not None

        without = stores.legacy.stored(["e2", "unknown"])
        with_text = stores.legacy.stored(["e2"], with_text=True)

        assert list(without) == ["e2"]
        assert (without["e2"].stream, without["e2"].position) == (STREAM, 2)
        assert without["e2"].digest == entry.event.digest
        assert without["e2"].canonical_digest == entry.event.canonical_digest
        assert without["e2"].text is None
        assert with_text["e2"].text == entry.event.text
        assert stores.legacy.stored([]) == {}

    def test_many_ids_at_once(self, stores: Stores) -> None:
        """More than one statement takes."""
        ids = [f"e{number}" for number in range(1_201)]
        stores.journal.append(STREAM, [make_event(each) for each in ids], at=NOW)

        assert set(ids) == set(stores.legacy.stored([*ids, "other"]))

    def test_a_source_is_noted_once(self, stores: Stores) -> None:
        """Later notes change it; the order is that of the first ones."""
        other = Noted(source=Source(path="/a", kind=Kind.OVERFLOW))
        stores.legacy.note(Noted(source=_SOURCE), at=NOW)
        stores.legacy.note(other, at=NOW)
        later = Noted(
            source=attrs.evolve(_SOURCE, target="known:legacy", spelling="raw"),
            fingerprint="f",
            rows_left=7,
            open_left=2,
            became='{"bodies":{"conflict":2}}',
        )
        stores.legacy.note(later, at=NOW + 1)

        assert stores.legacy.sources() == [later, other]

    def test_rows_that_were_taken_are_known(self, noted: Stores) -> None:
        """By source, row and content; one that was set aside is none of them."""
        noted.legacy.take([_from(1), _from(2)])
        noted.legacy.set_aside([_aside(3)])
        asked = [_key(1), _key(1, "b"), _key(2), _key(3)]

        assert noted.legacy.known(_PATH, asked) == {_key(1), _key(2)}
        assert noted.legacy.known("/old/other.db", asked) == set()
        assert noted.legacy.known(_PATH, []) == set()

    def test_provenance_stays_as_it_was(self, noted: Stores) -> None:
        """The same content of a row once, another content of it, and another row."""
        rows = [_from(1), _from(1, content="b"), _from(2, "e2", queued_at=None, retry_count=None)]

        assert noted.legacy.take(rows) == 3
        assert noted.legacy.take([attrs.evolve(row, taken_at=NOW + 9) for row in rows]) == 0
        found = sorted(noted.legacy.provenance("e1"), key=lambda row: row.key)
        assert found == sorted(rows[:2], key=lambda row: row.key)
        assert noted.legacy.provenance("e2") == rows[2:]
        assert noted.legacy.provenance("unknown") == []

    def test_what_was_taken_is_read_page_by_page(self, noted: Stores) -> None:
        """By numbers, within bounds, and all contents of the last number."""
        rows = [_from(row, f"e{row}") for row in (3, 1, 2, 4)]
        noted.legacy.take([*rows, _from(2, "e2", "b")])

        def numbers(**bounds: int) -> list[int]:
            return [row.key.row for row in noted.legacy.taken(_PATH, "queue", **bounds)]

        assert numbers(upto=9) == [1, 2, 2, 3, 4]
        assert numbers(after=1, upto=3) == [2, 2, 3]
        assert numbers(upto=9, limit=2) == [1, 2, 2]
        assert numbers(upto=9, limit=1) == [1]
        assert numbers(after=4, upto=9) == []
        assert noted.legacy.taken(_PATH, "lines", upto=9) == []
        assert noted.legacy.taken("/unknown", "queue", upto=9) == []

    def test_any_row_number_is_read(self, noted: Stores) -> None:
        """The lowest and the highest that a table can have."""
        lowest, highest = -(2**63), 2**63 - 1
        noted.legacy.take([_from(row) for row in (highest, 0, lowest)])

        found = noted.legacy.taken(_PATH, "queue", after=lowest - 1, upto=highest)

        assert [row.key.row for row in found] == [lowest, 0, highest]
        assert noted.legacy.taken(_PATH, "queue", after=highest, upto=highest) == []

    def test_what_stood_beside_is_kept(self, noted: Stores) -> None:
        """As text that nobody reads."""
        noted.legacy.take([_from(1, beside='{"a":1}'), _from(2)])
        noted.legacy.set_aside([_aside(3, beside='{"b":null}'), _aside(4)])

        assert [row.beside for row in noted.legacy.taken(_PATH, "queue", upto=9)] == ['{"a":1}', ""]
        assert {row.beside for row in noted.legacy.provenance("e1")} == {'{"a":1}', ""}
        assert [row.beside for row in noted.legacy.aside()] == ['{"b":null}', ""]
        assert noted.legacy.aside_of(_PATH, [_key(3)])[_key(3)].beside == '{"b":null}'

    def test_rows_are_set_aside_once_with_their_bytes(self, noted: Stores) -> None:
        """Numbered from 1; the bytes are read by themselves."""
        rows = [_aside(1), _aside(2, Why.NOT_UTF8, existing=b"", incoming=b"", queued_at=4)]

        assert noted.legacy.set_aside(rows) == 2
        assert noted.legacy.set_aside([_aside(1, detail="new")]) == 0
        found = [
            attrs.evolve(row, number=number, raw=b"") for number, row in enumerate(rows, start=1)
        ]
        assert noted.legacy.aside() == found
        assert noted.legacy.aside(after=1) == found[1:]
        assert noted.legacy.aside(limit=1) == found[:1]
        assert noted.legacy.aside(is_open_conflict=True) == found[:1]
        assert noted.legacy.aside_of(_PATH, [_key(2), _key(9)]) == {_key(2): found[1]}
        assert noted.legacy.aside_of("/unknown", [_key(2)]) == {}
        for row in found:
            assert row in noted.legacy.aside_under(row.event_id)
        assert noted.legacy.aside_under("nobody") == []
        assert noted.legacy.bytes_of(1) == b"\xff\x00a"
        assert noted.legacy.bytes_of(3) is None
        assert noted.legacy.aside_count() == 2

    def test_conflicts_are_resolved_once(self, noted: Stores) -> None:
        """What was decided first stays, and is no open conflict any more."""
        noted.legacy.set_aside([_aside(1), _aside(2), _aside(3, Why.NOT_JSON)])

        assert (noted.legacy.open_conflicts(), noted.legacy.open_conflicts(_PATH)) == (2, 2)
        assert noted.legacy.open_conflicts("/unknown") == 0
        assert noted.legacy.resolve([1, 9], "keep-journal", at=NOW + 1) == 1
        assert noted.legacy.resolve([1], "keep-both", at=NOW + 2) == 0
        assert [row.number for row in noted.legacy.aside(is_open_conflict=True)] == [2]
        assert noted.legacy.open_conflicts(_PATH) == 1
        first = noted.legacy.aside(limit=1)[0]
        assert (first.resolution, first.resolved_at) == ("keep-journal", NOW + 1)
        noted.legacy.set_aside([_aside(1)])
        assert noted.legacy.open_conflicts() == 1

    def test_a_failed_unit_leaves_nothing(self, stores: Stores) -> None:
        """No source, no provenance, no row, and no entry that came with them."""
        with pytest.raises(ZeroDivisionError), stores.atomic():  # noqa: PT012 - the unit is what fails
            stores.legacy.note(Noted(source=_SOURCE), at=NOW)
            stores.journal.append(STREAM, [make_event("e1")], at=NOW)
            stores.legacy.take([_from(1)])
            stores.legacy.set_aside([_aside(2)])
            raise ZeroDivisionError

        assert stores.legacy.sources() == []
        assert stores.legacy.provenance("e1") == []
        assert (stores.legacy.aside_count(), stores.journal.find("e1")) == (0, None)
