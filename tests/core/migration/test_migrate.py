"""Migration over stores in memory, with sources in memory, dying at every unit of work."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest

from eventsync_adapters.sqlite import open_stores
from eventsync_core.errors import SourceError
from eventsync_core.legacy import Became, Kind, RowKey, Source, SourceRow
from eventsync_core.migration import (
    Left,
    Migration,
    MigrationRules,
    Reading,
    TableRow,
    as_document,
    migrate,
    preview,
)
from eventsync_core.migration import _migrate as migrating
from eventsync_core.stores import MemoryStores, Stores
from eventsync_core.testing import CrashingStores, ManualClock, run_until_crash


@attrs.define
class Old:
    """An `OldSource` whose rows are texts; `error` keeps it from being read."""

    path: str
    texts: dict[int, str]
    error: str = ""
    is_busy: bool = False

    @property
    def source(self) -> Source:
        return Source(path=self.path, kind=Kind.QUEUE)

    def fingerprint(self) -> str:
        return repr(self.texts)

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        if self.error:
            raise SourceError(self.error)
        yield Texts(dict(self.texts), self.fingerprint())

    @contextmanager
    def emptying(self) -> Iterator["Old"]:
        if self.is_busy:
            raise SourceError("it is in use", code="source_not_emptied")
        yield self

    def remove(self, keys: Sequence[RowKey]) -> int:
        there = [key for key in keys if key in {row.key for row in rows_of(self.texts)}]
        for key in there:
            del self.texts[key.row]
        return len(there)

    def settle(self) -> Left:
        return Left(self.fingerprint(), len(self.texts))


@attrs.define
class Texts:
    """A `Reading` of texts."""

    texts: dict[int, str]
    fingerprint: str
    damage: str = ""
    kept_because: str = ""
    other: Mapping[str, int] = attrs.field(factory=dict)

    @property
    def waiting(self) -> Mapping[str, int]:
        return {"queue": len(self.texts)}

    def events(self) -> Iterator[SourceRow]:
        return rows_of(self.texts)

    def bodies(self) -> Iterator[TableRow]:
        return iter(())


def rows_of(texts: Mapping[int, str]) -> Iterator[SourceRow]:
    for row, text in texts.items():
        yield SourceRow(part="queue", row=row, event_id=None, raw=text.encode())


class Durable(MemoryStores):
    """What is in memory counts as safe here, so that sources are emptied."""

    @property
    def is_durable(self) -> bool:
        return True


def _sources() -> list[Old]:
    def event(name: str, n: int = 0) -> str:
        return f'{{"event_id": "{name}", "n": {n}}}'

    return [
        Old("a", {1: event("e1"), 2: event("e2"), 3: "nonsense", 4: event("e3"), 5: event("e1")}),
        Old("b", {1: event("e1", 1), 2: event("e4"), 3: event("e2")}),
        Old("c", {}),
    ]


def _texts(stores: Stores, sources: Sequence[Old]) -> set[str]:
    found = {text for old in sources for text in old.texts.values()}
    for head in stores.journal.heads():
        found |= {entry.event.text for entry in stores.journal.entries(head.stream)}
    raw = (stores.legacy.bytes_of(row.number) for row in stores.legacy.aside())
    return found | {each.decode() for each in raw if each is not None}


def _run(stores: Stores, sources: Sequence[Old], **rules: Any) -> Migration:
    return migrate(stores, sources, MigrationRules(**rules), clock=ManualClock())


@pytest.mark.requirement("G12")
@pytest.mark.parametrize(("at_once", "in_one_unit"), [(2, 2), (2, 20_000), (5_000, 20_000)])
@pytest.mark.parametrize("when", ["before", "after"])
def test_it_dies_at_every_unit_of_work(
    monkeypatch: pytest.MonkeyPatch, at_once: int, in_one_unit: int, when: str
) -> None:
    """Nothing is lost at any moment, and the next run ends as one that never died."""
    monkeypatch.setattr(migrating, "_ROWS_AT_ONCE", at_once)
    monkeypatch.setattr(migrating, "_ROWS_IN_ONE_UNIT", in_one_unit)
    whole = Durable()
    rules: dict[str, Any] = {"resolve_all": "keep-both", "take_quarantined": True}
    texts = _texts(Durable(), _sources())
    expected = as_document(_run(whole, _sources(), **rules))
    assert expected["removed"] == 8

    for nth in range(1, 100):
        stores, sources = Durable(), _sources()
        dying = CrashingStores(stores, nth, when)  # type: ignore[arg-type]
        died = run_until_crash(partial(_run, dying, sources, **rules))
        assert _texts(stores, sources) == texts
        _run(stores, sources, **rules)
        assert _texts(stores, sources) == texts
        assert [old.texts for old in sources] == [{}, {}, {}]
        ids = {
            entry.event.event_id
            for head in stores.journal.heads()
            for entry in stores.journal.entries(head.stream)
        }
        assert ids == {"e1", "e2", "e3", "e4"}
        if not died:
            break
    assert nth > 4


def test_sources_that_fail_harm_no_other() -> None:
    """One cannot be read, one cannot be emptied; the rest is imported, and both are named."""
    sources = [Old("a", {1: "x"}, error="gone"), *_sources()[1:2], *_sources()[:1]]
    sources[1].is_busy = True
    stores = Durable()

    done = _run(stores, sources, take_quarantined=True)

    assert [each.source.path for each in done.errors] == ["a", "b"]
    assert (done.conflict_count, done.count(Became.IMPORTED)) == (2, 4)
    assert stores.legacy.open_conflicts("a") == 2


def test_no_row_leaves_its_source_for_a_store_that_may_vanish() -> None:
    """In memory, or while a unit of work of the caller is open."""
    sources = _sources()

    assert (_run(MemoryStores(), sources).removed, len(sources[0].texts)) == (0, 5)


def test_a_preview_needs_no_store() -> None:
    """And says what the act does."""
    planned = preview(None, _sources(), clock=ManualClock())
    done = _run(Durable(), _sources())

    for became in Became:
        assert planned.count(became) == done.count(became)
    assert planned.removed == done.removed


def test_progress_is_told() -> None:
    """How many rows were dealt with, up to all of them."""
    told: list[int] = []

    migrate(Durable(), _sources(), clock=ManualClock(), progress=told.append)

    assert told[-1] == 8
    assert told == sorted(told)


@pytest.mark.requirement("G22")
def test_what_was_purged_does_not_come_back(tmp_path: Path) -> None:
    """Its id is known for ever; the row may leave its source."""
    path = tmp_path / "x.db"
    with open_stores(path) as stores:
        _run(stores, [Old("a", {1: '{"event_id": "e1"}'})])
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DELETE FROM payloads")

    again = Old("b", {1: '{"event_id":"e1"}'})
    with open_stores(path) as stores:
        done = _run(stores, [again])

        assert (done.count(Became.DEDUPLICATED), done.is_clean, again.texts) == (1, True, {})
        assert stores.journal.find("e1") is None
