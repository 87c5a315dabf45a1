"""Journals of the journal era come home, with what their ledgers say."""

import json
import shutil
import sqlite3
import tarfile
from contextlib import closing
from hashlib import sha256
from typing import Any

import pytest

from eventsync_adapters.legacy_queues import _emptying
from tests.legacy.conftest import Scene
from tests.legacy.journal_era import (
    PROJECT_COLUMNS,
    TIME,
    audit,
    delivery,
    journal,
    ledger,
    stored,
    target,
    targets,
)
from tests.legacy.old import envelope, queue, rows
from tests.legacy.test_archives import QUEUES

_IDS = "SELECT event_id FROM event_journal ORDER BY created_at"


def test_all_journals_of_a_home(scene: Scene) -> None:
    """After its queues; with their exact texts, in the order they were captured."""
    queue(scene.queue, ["q1", "e1"])
    journal(scene.place, ["e1", "e2"])
    journal(
        scene.place,
        [
            {
                "event_id": name,
                "event_type": "T",
                "payload": envelope(name),
                "occurred_at": TIME.format(1),
                "created_at": TIME.format(day),
                "project_uuid": "p1",
            }
            for name, day in (("late", 9), ("early", 1))
        ],
        name="acme",
        more=PROJECT_COLUMNS,
    )

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"], ran.document["deduplicated"]) == (0, 5, 1)
    assert [(each["kind"], each["target"]) for each in ran.document["sources"]] == [
        ("queue", "unknown:legacy"),
        ("journal", "unknown:acme"),
        ("journal", "unknown:local"),
    ]
    found = sorted(scene.entries().values(), key=lambda entry: (entry.stream, entry.position))
    assert [each.event.event_id for each in found] == ["early", "late", "q1", "e1", "e2"]
    assert scene.entries()["e2"].event.text == stored("e2").decode()
    assert scene.entries()["late"].event.text == envelope("late")
    for token in ("local", "acme"):
        assert rows(scene.place / "event_journal" / f"journal-{token}.db", _IDS) == []
    shown = scene.run("journal", "show", "early").document
    assert shown["came_from"][0]["queued_at"] == "2026-03-01T10:00:00.250000+00:00"
    assert scene.migrate().document["imported"] == 0


def test_the_project_beside_an_event_counts(scene: Scene) -> None:
    """Where the envelope names none; what an operator says is for those without any."""
    named = {"event_type": "T", "occurred_at": TIME.format(1), "created_at": TIME.format(1)}
    rows_of = [
        {**named, "event_id": name, "payload": json.dumps({"event_id": name}), "project_uuid": of}
        for name, of in (("e1", "P1"), ("e2", None), ("e3", "a\nb"))
    ]
    journal(scene.place, rows_of, more=PROJECT_COLUMNS)

    assert scene.run("--project", "mine", "sync", "migrate").code == 0
    assert {name: entry.stream for name, entry in scene.entries().items()} == {
        "e1": "p1",
        "e2": "mine",
        "e3": "mine",
    }


def test_what_stands_beside_an_event_is_kept(scene: Scene) -> None:
    """What the event does not say itself, with where it came from; nothing of it is interpreted."""
    row = {
        "event_id": "e1",
        "event_type": "WPStatusChanged",
        "payload": stored("e1"),
        "occurred_at": "2026-02-02T02:02:02+00:00",
        "created_at": "soon",
        "coalesce_key": "k",
        "archived_at": TIME.format(5),
        "drain_blocked_reason": "missing_auth",
    }
    path = journal(scene.place, [row])

    assert scene.migrate().document["removed"] == 1
    assert rows(path, _IDS) == []
    (origin,) = scene.run("journal", "show", "e1").document["came_from"]
    assert origin["queued_at"] is None
    assert origin["beside"] == {
        "created_at": "soon",
        "coalesce_key": "k",
        "archived_at": TIME.format(5),
        "drain_blocked_reason": "missing_auth",
    }
    assert scene.run("journal", "show", "e1").document["targets"] == []


def test_status_names_them_until_they_are_here(scene: Scene) -> None:
    """Journals, ledgers, targets and audits; what is never emptied is named no more."""
    path = journal(scene.place, ["e1"])
    old = target()
    targets(scene.place, [old])
    ledger(scene.place, [delivery("e1", old["target_id"]), delivery("gone", old["target_id"])])
    audit(scene.place, [("e1", b"{}")])

    waiting = scene.run("sync", "status").document["waiting_sources"]
    assert [each["rows"] for each in waiting] == [
        {"event_journal": 1},
        {"delivery_targets": 1},
        {"delivery_ledger": 2},
        {"quarantined_conflicts": 1},
    ]
    assert waiting[0]["path"] == str(path)
    assert scene.migrate().code == 0
    scene.migrate()

    assert scene.run("sync", "status").document["waiting_sources"] == []
    assert all(each["unchanged"] for each in scene.migrate().document["sources"][1:])


def test_odd_names_are_reported(scene: Scene) -> None:
    """Parts of journals are not worth a word; one that is named is read by any name."""
    path = journal(scene.place, ["e1"])
    shutil.copyfile(path, path.with_name("journal.db"))
    (path.parent / "journal-local.db-shm").touch()

    ran = scene.migrate("--from", str(path), "--from", str(scene.place))

    assert (ran.document["imported"], ran.document["sources_count"]) == (1, 1)
    assert [each["path"] for each in ran.document["skipped"]] == [str(path.with_name("journal.db"))]


def test_rows_that_differ_or_are_no_event(scene: Scene) -> None:
    """As in queues: set aside with their bytes, and their file keeps them."""
    queue(scene.queue, [("e1", envelope("e1", payload={"n": 2}))])
    path = journal(scene.place, ["e1", ("bad", b"\xff"), ("e2", stored("other")), "e3"])

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"], ran.document["conflicts_count"]) == (3, 2, 1)
    assert [each["code"] for each in ran.document["quarantined"]] == ["not_utf8", "other_id"]
    assert rows(path, _IDS) == ["e1", "bad", "e2", "e3"]
    assert scene.migrate("--resolve", "keep-both", "--take-quarantined").code == 0
    assert rows(path, _IDS) == []


def test_a_row_that_changed_stays(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what was read back and is still the same leaves; triggers keep all."""
    path = journal(scene.place, ["e1", "e2"])
    remove = _emptying.DatabaseEmptying.remove

    def change(self: Any, keys: Any) -> int:
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("UPDATE event_journal SET payload = '{}' WHERE event_id = 'e1'")
        return remove(self, keys)

    with monkeypatch.context() as patch:
        patch.setattr(_emptying.DatabaseEmptying, "remove", change)
        ran = scene.run("sync", "migrate")
    assert (ran.document["removed"], rows(path, _IDS)) == (1, ["e1"])

    journal(scene.place, ["e3"])
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "CREATE TRIGGER t AFTER DELETE ON event_journal BEGIN DELETE FROM event_journal; END"
        )
    ran = scene.run("sync", "migrate", "--take-quarantined")
    assert ran.document["sources"][0]["error"]["code"] == "source_not_emptied"
    assert rows(path, _IDS) == ["e1", "e3"]


@pytest.mark.parametrize("create", ["payload, event_id", "payload BLOB", "payload, created_at"])
def test_missing_columns(scene: Scene, create: str) -> None:
    """What is there is read."""
    path = scene.place / "event_journal" / "journal-x.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"CREATE TABLE event_journal ({create})")
        insert = "INSERT INTO event_journal (payload) VALUES (?)"
        if "event_id" in create:
            insert = "INSERT INTO event_journal (payload, event_id) VALUES (?, 'e1')"
        database.execute(insert, (stored("e1"),))

    assert scene.migrate().document["imported"] == 1


@pytest.mark.parametrize(
    ("create", "code"),
    [
        ("CREATE TABLE event_journal (x)", "source_foreign"),
        (
            "CREATE TABLE event_journal (event_id TEXT PRIMARY KEY, payload) WITHOUT ROWID",
            "source_foreign",
        ),
    ],
)
def test_a_foreign_journal(scene: Scene, create: str, code: str) -> None:
    """It is an error of that file only."""
    journal(scene.place, ["e1"])
    with closing(sqlite3.connect(scene.place / "event_journal" / "journal-a.db")) as database:
        database.execute(create)

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"]) == (3, 1)
    assert ran.document["sources"][0]["error"]["code"] == code


def test_a_damaged_journal(scene: Scene) -> None:
    """What can be read of it is imported, and nothing of it deleted."""
    names = [f"e{n:03}" for n in range(300)]
    path = journal(scene.place, [(name, stored(name, text="x" * 500)) for name in names])
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = DELETE")
    raw = bytearray(path.read_bytes())
    middle = len(raw) // 2 // 4096 * 4096
    raw[middle : middle + 4096] = b"\xa5" * 4096
    path.write_bytes(raw)

    ran = scene.migrate()

    (source,) = ran.document["sources"]
    assert (ran.code, source["error"]["code"]) == (3, "source_damaged")
    assert len(names) - 40 < ran.document["imported"] < len(names)
    assert path.read_bytes() == bytes(raw)
    assert scene.migrate().document["imported"] == 0


@pytest.mark.skipif(not QUEUES.exists(), reason="../shared with real queues is absent")
def test_the_journal_of_a_real_release(scene: Scene) -> None:
    """As its manifest says: what is also in queues is another origin, the rest is new."""
    archives = json.loads((QUEUES / "MANIFEST.json").read_text())["archives"]
    said = next(each for each in archives if "upstream_event_journal" in each)
    (name, expected), *_ = said["upstream_event_journal"].items()
    scene.place.rmdir()
    with tarfile.open(QUEUES / said["archive"]) as archive:
        archive.extractall(scene.place.parent, filter="data")
    (scene.place.parent / ".spec-kitty").rename(scene.place)
    ids = rows(scene.place / name, "SELECT event_id FROM event_journal ORDER BY event_id")
    texts = dict(rows(scene.place / name, "SELECT event_id, payload FROM event_journal"))

    ran = scene.migrate()

    (source,) = [each for each in ran.document["sources"] if each["kind"] == "journal"]
    assert (source["rows"], source["deduplicated"], source["imported"]) == (
        expected["rows"],
        expected["ids_also_in_queue_dbs"],
        expected["ids_only_in_journal"],
    )
    assert (source["removed"], source["conflict"], ran.code) == (expected["rows"], 0, 0)
    digest = sha256("\n".join(ids).encode()).hexdigest()
    assert digest == expected["sorted_event_ids_sha256"]
    entries = scene.entries()
    assert set(ids) <= set(entries)
    alone = [each for each in ids if entries[each].event.text.encode() == texts[each]]
    assert len(alone) >= expected["ids_only_in_journal"]
    assert scene.migrate().document["imported"] == 0


def test_what_an_old_program_put_away_stays(scene: Scene) -> None:
    """With its bytes and as resolved; what is no other content is another origin."""
    journal(scene.place, ["e1", "e2"])
    other = stored("e1", payload={"n": 2})
    same = json.dumps(json.loads(stored("e2")), indent=2).encode()
    audit(scene.place, [("e1", other), ("e2", same), ("bad", b"\xff\x00")])

    ran = scene.migrate()

    assert (ran.code, ran.document["resolved"], ran.document["conflicts_count"]) == (0, 2, 0)
    source = ran.document["sources"][-1]
    assert (source["kind"], source["other_tables"]) == ("audit", {"migration_provenance": 1})
    listed = scene.run("journal", "quarantine").document["set_aside"]
    assert [(e["event_id"], e["code"], e["resolution"]) for e in listed] == [
        ("bad", "not_utf8", "keep-journal"),
        ("e1", "conflict", "keep-journal"),
    ]
    shown = scene.run("journal", "quarantine", str(listed[1]["number"])).document
    assert shown["text"].encode() == other
    assert len(scene.run("journal", "show", "e2").document["came_from"]) == 2
    assert scene.migrate().document["sources"][-1]["unchanged"]
    assert scene.run("journal", "quarantine").document["set_aside_count"] == 2


def test_one_line_for_each_row(scene: Scene) -> None:
    """Of journals, ledgers, targets and audits, and nothing of their content."""
    journal(scene.place, [("e1", stored("e1", secret="hush"))])
    old = target()
    targets(scene.place, [old])
    ledger(scene.place, [delivery("e1", old["target_id"], last_error="hush")])
    audit(scene.place, [("e1", stored("e1", secret="hush hush"))])

    scene.migrate()

    text = (scene.place / "eventsync" / "migrated.log").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(each["table"], each["key"], each["became"]) for each in lines] == [
        ("event_journal", "e1", "imported"),
        ("delivery_targets", old["target_id"], "imported"),
        ("delivery_ledger", f"e1 {old['target_id']}", "imported"),
        ("quarantined_conflicts", "e1", "resolved"),
    ]
    assert "hush" not in text
