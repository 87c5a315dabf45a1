"""What damaged databases still give, and columns that are named like row numbers."""

import re
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.legacy.conftest import Scene
from tests.legacy.journal_era import audit, delivery, journal, ledger, stored, target
from tests.legacy.old import bodies, body, envelope, insert, queue

_PROJECT = "0b1d0f2a-3c4d-4e5f-8a9b-0c1d2e3f4a5b"
_PAGE = 4096
_LEAF = 0x0D
_KINDS = {
    "queue": ("queue.db", "queue", "data"),
    "journal": ("event_journal/journal-local.db", "event_journal", "payload"),
    "project store": (f"projects/{_PROJECT}/sync/sync.db", "journal_entries", "payload_json"),
}
_EACH_KIND = pytest.mark.parametrize("kind", _KINDS)


def _made(place: Path, kind: str, numbers: Sequence[int], *, more: str = "") -> Path:
    """Make a file whose rows have these numbers, each with an event named by its place."""
    name, table, column = _KINDS[kind]
    path = place / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"CREATE TABLE {table} (n INTEGER PRIMARY KEY, {column}{more})")
        for n, number in enumerate(numbers):
            text = envelope(f"e{n}", fill="x" * 600)
            insert(database, table, {"n": number, column: text})
    return path


def _damaged(path: Path, chosen: Callable[[int], Sequence[int]], named: bytes) -> set[str]:
    """Overwrite some leaves, which *chosen* picks of so many, and return what stood there."""
    with closing(sqlite3.connect(path)) as database:
        # So that no page has copies of rows that were moved to another.
        database.execute("VACUUM")
    raw = bytearray(path.read_bytes())
    pages = [
        at
        for at in range(_PAGE, len(raw), _PAGE)
        if raw[at] == _LEAF and re.search(named, raw[at : at + _PAGE])
    ]
    lost: set[str] = set()
    for place in chosen(len(pages)):
        at = pages[place]
        lost |= {each.decode() for each in re.findall(named, raw[at : at + _PAGE])}
        raw[at : at + _PAGE] = b"\xff" * _PAGE
    path.write_bytes(raw)
    return lost


_EVENT = rb'"event_id": ?"(e\d+)"'
_CHOSEN: dict[str, Callable[[int], Sequence[int]]] = {
    "two": lambda count: (count // 3, 2 * count // 3),
    "many": lambda count: range(1, count - 1, 3),
    "first": lambda _: (0, 1, 5),
    "last but one": lambda count: (count - 2,),
    "last": lambda count: (count // 2, count - 1),
}
_SPREAD = {
    "dense": range(1, 201),
    "sparse": range(1_700_000_000, 1_700_000_000 + 200 * 5_000, 5_000),
    "very sparse": range(1 << 40, (1 << 40) + 200 * (1 << 30), 1 << 30),
    "lowest": range(-(2**63), -(2**63) + 200),
    "negative": range(-200, 0),
}


@pytest.mark.parametrize(
    ("kind", "chosen"),
    [
        *(("queue", chosen) for chosen in _CHOSEN),
        *((kind, "two") for kind in _KINDS if kind != "queue"),
        *(
            pytest.param(kind, chosen, marks=pytest.mark.long)
            for kind in _KINDS
            for chosen in _CHOSEN
            if kind != "queue" and chosen != "two"
        ),
    ],
)
def test_every_row_beside_what_is_damaged(scene: Scene, kind: str, chosen: str) -> None:
    """Comes home, also between two bad pages; nothing is deleted."""
    path = _made(scene.place, kind, range(1, 201))
    lost = _damaged(path, _CHOSEN[chosen], _EVENT)
    before = path.read_bytes()

    ran = scene.migrate()

    assert (ran.code, ran.document["error"]["code"]) == (3, "source_damaged")
    assert set(scene.entries()) == {f"e{n}" for n in range(200)} - lost
    assert path.read_bytes() == before
    assert scene.migrate().document["imported"] == 0


@pytest.mark.parametrize(
    "chosen", ["two", *(pytest.param(each, marks=pytest.mark.long) for each in ("first", "last"))]
)
@pytest.mark.parametrize("spread", _SPREAD)
def test_whatever_numbers_rows_have(scene: Scene, spread: str, chosen: str) -> None:
    """Close together or far apart, they are found between two bad pages."""
    path = _made(scene.place, "project store", _SPREAD[spread])
    lost = _damaged(path, _CHOSEN[chosen], _EVENT)

    scene.migrate()

    assert set(scene.entries()) == {f"e{n}" for n in range(200)} - lost


def test_rows_of_a_damaged_file_stay_in_order(scene: Scene) -> None:
    """As they were queued, which their numbers need not say."""
    count = 200
    queue(
        scene.queue,
        [
            {
                "event_id": f"e{n}",
                "event_type": "T",
                "data": envelope(f"e{n}", fill="x" * 900),
                "timestamp": count - n,
            }
            for n in range(count)
        ],
    )
    _damaged(scene.queue, _CHOSEN["two"], _EVENT)

    scene.migrate()

    found = sorted(scene.entries().values(), key=lambda entry: entry.position)
    names = [int(entry.event.event_id[1:]) for entry in found]
    assert 150 < len(names) < count
    assert names == sorted(names, reverse=True)


def test_bodies_and_deliveries_beside_what_is_damaged(scene: Scene) -> None:
    """Too: every table is read alike."""
    bodies(
        scene.queue,
        [body(f"{n} " + "x" * 900, artifact_path=f"<e{n}>") for n in range(200)],
    )
    lost = _damaged(scene.queue, _CHOSEN["two"], rb"<(e\d+)>")
    rows = [delivery(f"e{n}", target()["target_id"], last_error="x" * 900) for n in range(200)]
    unread = _damaged(ledger(scene.place, rows), _CHOSEN["two"], rb"(e\d+)tgt_")

    ran = scene.migrate()

    assert ran.document["bodies"]["imported"] == 200 - len(lost)
    assert sum(ran.document["deliveries"].values()) == 200 - len(unread)


_NAMED = {
    "text": ("TEXT", "x"),
    "same number": ("INTEGER", 7),
    "nothing": ("INTEGER", None),
    "blob": ("BLOB", b"\xff"),
}


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        *(("queue", named) for named in _NAMED),
        *((kind, "same number") for kind in _KINDS if kind != "queue"),
    ],
)
def test_a_column_named_like_row_numbers(scene: Scene, kind: str, named: str) -> None:
    """Stands for nothing but itself, and nothing else stops."""
    declared, value = _NAMED[named]
    path = _made(scene.place, kind, (1, 2, 3), more=f", rowid {declared}")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"UPDATE {_KINDS[kind][1]} SET rowid = ?", (value,))  # noqa: S608
    queue(scene.scoped("aaaaaaaaaaaaaaaa"), ["q1"])

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"]) == (0, 4)
    assert set(scene.entries()) == {"e0", "e1", "e2", "q1"}
    assert ran.document["removed"] == (1 if kind == "project store" else 4)


@pytest.mark.parametrize("named", _NAMED)
def test_such_a_column_of_records(scene: Scene, named: str) -> None:
    """Of deliveries and of what an old program put away."""
    declared, value = _NAMED[named]
    journal(scene.place, ["e1", "e2"])
    rows = [delivery(name, "t") for name in ("e1", "e2")]
    paths = {
        "delivery_ledger": ledger(scene.place, rows),
        "quarantined_conflicts": audit(scene.place, [("e1", b"{}"), ("e2", stored("e1"))]),
    }
    for table, path in paths.items():
        with closing(sqlite3.connect(path)) as database, database:
            database.execute(f"ALTER TABLE {table} ADD COLUMN rowid {declared}")
            database.execute(f"UPDATE {table} SET rowid = ?", (value,))  # noqa: S608

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"], ran.document["removed"]) == (0, 2, 2)
    assert [each["rows"] for each in ran.document["sources"]] == [2, 2, 2]


@_EACH_KIND
@pytest.mark.parametrize(
    "create",
    [
        "CREATE VIEW {table} AS SELECT '{{}}' AS {column}",
        "CREATE VIRTUAL TABLE {table} USING fts5({column})",
        "CREATE TABLE {table} (x)",
    ],
)
def test_what_is_no_table_of_that_kind(scene: Scene, kind: str, create: str) -> None:
    """Is foreign in every kind of file, and said."""
    name, table, column = _KINDS[kind]
    path = scene.place / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as database:
        database.execute(create.format(table=table, column=column))

    ran = scene.migrate()

    assert (ran.code, ran.document["error"]["code"]) == (3, "source_foreign")


@_EACH_KIND
def test_computed_columns(scene: Scene, kind: str) -> None:
    """Are columns like any other, in every kind of file."""
    name, table, column = _KINDS[kind]
    path = scene.place / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"CREATE TABLE {table} (kept, {column} AS (kept) VIRTUAL)")
        insert(database, table, {"kept": envelope("e1")})

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"]) == (0, 1)
