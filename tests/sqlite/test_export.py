"""An export reads in pages, and nobody has to wait for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from eventsync_adapters.sqlite import SqliteStores, open_for_reading, open_stores
from eventsync_core.portability import Exported, export
from tests.sqlite.conftest import World
from tests.sqlite.test_reading import digests


@pytest.fixture
def reader(world: World) -> Iterator[SqliteStores]:
    """Return a second connection to a store of 2,500 events, which changes nothing."""
    world.capture(2_500)
    stores = open_for_reading(world.path)
    assert stores is not None
    with stores:
        yield stores


def test_others_write_while_lines_are_handed_out(world: World, reader: SqliteStores) -> None:
    """A commit waits for every statement that is open; this writer would not wait at all."""
    written: list[str] = []

    def write(lines: str) -> None:
        world.capture(10, first=10_000 + 10 * len(written))
        written.append(lines)

    found = export(reader.journal, write)

    assert found == Exported(events=2_500, streams=1)
    assert len(written) == 3
    entries = world.stores.journal.entries("default", limit=2_500)
    assert "".join(written).splitlines() == [entry.event.text for entry in entries]
    assert len(world.stores.journal.entries("default", limit=9_999)) == 2_530


def test_nothing_is_changed(world: World, reader: SqliteStores) -> None:
    """Not a byte of the database."""
    before = digests(world.path)

    export(reader.journal, lambda _: None)

    assert digests(world.path) == before


def test_a_page_is_as_large_as_the_text_in_it(world: World) -> None:
    """A statement ends with the page, not with the stream: no rows are fetched for later."""
    for first in range(1, 60, 10):
        world.capture(10, first=first, x="." * 100_000)
    pages: list[int] = []

    export(world.stores.journal, lambda lines: pages.append(len(lines)))

    assert len(pages) == 6
    assert max(pages) < 1_100_000


def test_a_text_that_was_changed(path: Path) -> None:
    """It is found and left out, though the database itself is in order."""
    with open_stores(path) as stores:
        World(path, stores).capture(3)
        run = stores._database.connection.execute
        run("DROP TRIGGER payloads_never_change")
        run("UPDATE payloads SET text = replace(text, 'e2', 'e9')")

        found = export(stores.journal, lambda _: None)

    assert (found.events, found.damaged.count) == (2, 1)
    ((stream, damaged),) = found.damaged.first
    assert (stream, damaged.position, damaged.event_id) == ("default", 2, "e2")


def test_a_text_that_is_gone(path: Path) -> None:
    """It is counted, and all others go out."""
    with open_stores(path) as stores:
        World(path, stores).capture(3)
        run = stores._database.connection.execute
        run("DROP TRIGGER payloads_go_on_record")
        run("DELETE FROM payloads WHERE entry_id IN (1, 3)")
        lines: list[str] = []

        found = export(stores.journal, lines.append)

    assert (found.events, found.streams, found.damaged.count) == (1, 1, 2)
    assert len(lines) == 1
