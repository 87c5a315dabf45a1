"""What a stream keeps is counted as payloads come, go and come back, and in older stores too."""

import sqlite3
from contextlib import closing
from pathlib import Path

import attrs

from eventsync_adapters.schema import VERSIONS, script
from eventsync_adapters.sqlite import open_stores
from eventsync_core.measures import Retained
from eventsync_core.payloads import Act, Deed
from tests.sqlite.conftest import World


def _recount(path: Path) -> list[Retained]:
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute(
            "SELECT s.stream, COUNT(p.entry_id), COALESCE(SUM(LENGTH(CAST(p.text AS BLOB))), 0)"
            " FROM streams s JOIN entries e USING (stream_id) LEFT JOIN payloads p"
            " USING (entry_id) GROUP BY 1 ORDER BY 1"
        ).fetchall()
    return [Retained(*row) for row in rows]


def test_a_payload_that_goes_is_not_counted_and_one_that_comes_back_is(world: World) -> None:
    """As often as it does."""
    world.capture(5, text="é")
    world.capture(3, first=6)
    measures, payloads = world.stores.measures, world.stores.payloads
    before = measures.retained()
    events = [entry.event for entry in world.stores.journal.entries("default")]
    assert before == _recount(world.path)

    for act in (Act.GC, Act.ARCHIVE):
        deed = Deed(act=act, actor="me", at=1)
        payloads.purge("default", [1, 2, 8], deed)
        assert measures.retained() == _recount(world.path) != before
        payloads.restore(events[1:2], attrs.evolve(deed, act=Act.IMPORT))
        assert measures.retained() == _recount(world.path)
        assert measures.retained()[0].count == 6
        payloads.restore(events, attrs.evolve(deed, act=Act.IMPORT))
        assert measures.retained() == before
    world.capture(2, first=9)
    assert measures.retained() == _recount(world.path)


def test_who_deletes_a_payload_behind_the_back_is_counted_too(world: World) -> None:
    """The number is that of what is there."""
    world.capture(3)
    with closing(sqlite3.connect(world.path)) as database, database:
        database.execute("DROP TRIGGER payloads_go_on_record")
        database.execute("DELETE FROM payloads WHERE entry_id = 2")

    assert world.stores.measures.retained() == _recount(world.path)


def test_an_older_store_is_counted_once(world: World, tmp_path: Path) -> None:
    """When it is brought to this version."""
    world.capture(7, text="é")
    (kept,) = world.stores.measures.retained()
    old = tmp_path / "old.db"
    with closing(sqlite3.connect(old)) as database:
        for version in VERSIONS[: VERSIONS.index("0012_kept")]:
            database.executescript(script(version, "sqlite"))
        database.execute("CREATE TABLE schema_migrations (version TEXT PRIMARY KEY, applied_at)")
        database.executemany(
            "INSERT INTO schema_migrations VALUES (?, 0)",
            [(version,) for version in VERSIONS[: VERSIONS.index("0012_kept")]],
        )
        database.execute("ATTACH ? AS new", (str(world.path),))
        database.execute(
            "INSERT INTO streams SELECT stream_id, stream, head, chain, lamport FROM new.streams"
        )
        database.execute("INSERT INTO entries SELECT * FROM new.entries")
        database.execute("INSERT INTO payloads SELECT * FROM new.payloads")
        database.commit()

    with open_stores(old) as stores:
        assert stores.measures.retained() == [kept]
