"""Events of old queues come home."""

import json
import os
import sqlite3
from contextlib import closing
from hashlib import sha256
from itertools import chain
from pathlib import Path

import pytest

from tests.legacy.conftest import Scene
from tests.legacy.old import envelope, queue, rows

A, B = "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"


@pytest.mark.requirement("G1")
def test_all_queues_in_one_run(scene: Scene) -> None:
    """The one of nobody first, then by digest; the ids and texts are theirs."""
    queue(scene.queue, ["e1", "e2"])
    queue(scene.scoped(B), ["e4"])
    queue(scene.scoped(A), ["e3"], has_keys=False)

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"], ran.document["removed"]) == (0, 4, 4)
    assert [each["path"] for each in ran.document["sources"]] == [
        str(scene.queue),
        str(scene.scoped(A)),
        str(scene.scoped(B)),
    ]
    found = scene.entries()
    assert {name: entry.event.text for name, entry in found.items()} == {
        name: envelope(name) for name in ("e1", "e2", "e3", "e4")
    }
    assert {entry.stream for entry in found.values()} == {"unassigned"}
    assert rows(scene.queue) == []


@pytest.mark.requirement("G2")
def test_malformed_names_are_reported(scene: Scene) -> None:
    """And so is what is no file; journals of queues are not worth a word."""
    for name in ("queue-ABC.db", "queue-.db", "other.db", f"queue-{A}.db-journal"):
        queue(scene.place / "queues" / name, ["never"])
    (scene.place / "queues" / f"queue-{B}.db").mkdir()

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"], ran.document["sources"]) == (0, 0, [])
    skipped = {Path(each["path"]).name for each in ran.document["skipped"]}
    assert skipped == {"queue-ABC.db", "queue-.db", "other.db", f"queue-{B}.db"}
    assert "other.db is left out" in ran.err


@pytest.mark.requirement("G3")
def test_nothing_there(scene: Scene) -> None:
    """Nothing is made either."""
    ran = scene.migrate()

    assert (ran.code, ran.document["imported"]) == (0, 0)
    assert list(scene.place.iterdir()) == []


@pytest.mark.requirement("G4")
def test_digests_are_matched_by_hypothesis(scene: Scene) -> None:
    """Or the target is unknown; it is never invented."""
    digest = sha256(b"https://a.example|u@e|t").hexdigest()[:16]
    (scene.place / "credentials").write_text(
        '[server]\nurl = "https://a.example/"\n[user]\nusername = "U@e"\nteam_slug = "T"\n'
    )
    queue(scene.scoped(digest), ["e1"])
    queue(scene.scoped(A), ["e2"])
    queue(scene.queue, ["e3"])

    targets = [each["target"] for each in scene.migrate().document["sources"]]

    assert sorted(targets) == sorted(["unknown:legacy", f"unknown:{A}", f"known:{digest}"])
    assert scene.run("target", "list").document["targets"] == []


@pytest.mark.requirement("G5")
def test_an_identical_duplicate_is_one_entry_of_two_origins(scene: Scene) -> None:
    """Other key order, white space and local keys make no difference."""
    text = envelope("e1", drain_blocked_reason="no_auth")
    other = json.dumps(dict(reversed(json.loads(envelope("e1")).items())), indent=1)
    queue(scene.scoped(A), [("e1", text)], retries=4)
    queue(scene.scoped(B), [("e1", other)])

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"], ran.document["deduplicated"]) == (0, 1, 1)
    shown = scene.run("journal", "show", "e1").document
    assert shown["text"] == text
    assert [(each["source"], each["retry_count"]) for each in shown["came_from"]] == [
        (str(scene.scoped(A)), 4),
        (str(scene.scoped(B)), 0),
    ]
    assert shown["came_from"][0]["queued_at"] == "2026-02-02T02:40:00.000000+00:00"


@pytest.mark.requirement("G8")
def test_a_second_run_imports_nothing(scene: Scene) -> None:
    """With the rows still there, and with them gone."""
    queue(scene.queue, ["e1", "e2"])

    first = scene.migrate("--keep-sources").document
    assert (first["imported"], first["removed"]) == (2, 0)
    for _ in range(2):
        again = scene.migrate("--keep-sources").document
        assert (again["imported"], again["deduplicated"]) == (0, 2)
        assert again["sources"][0]["unchanged"]
    cleaned = scene.migrate().document
    assert (cleaned["imported"], cleaned["deduplicated"], cleaned["removed"]) == (0, 2, 2)
    empty = scene.migrate().document
    assert (empty["imported"], empty["deduplicated"], empty["removed"]) == (0, 0, 0)
    assert len(scene.entries()) == 2


@pytest.mark.requirement("G10")
@pytest.mark.requirement("G13")
def test_a_queue_without_rows_or_without_a_table(scene: Scene) -> None:
    """Nothing is imported; the note says what cannot be; other tables are named."""
    queue(scene.queue, [])
    scene.scoped(A).parent.mkdir()
    with closing(sqlite3.connect(scene.scoped(A))) as database, database:
        database.execute("CREATE TABLE notes (x)")
        database.execute("INSERT INTO notes VALUES (1)")

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"]) == (0, 0)
    assert "currently-queued" in ran.document["note"]
    assert [each["other_tables"] for each in ran.document["sources"]] == [{}, {"notes": 1}]


@pytest.mark.requirement("G15")
def test_events_captured_live_are_the_same_ones(scene: Scene, tmp_path: Path) -> None:
    """Spelt otherwise, in a stream of its own."""
    lines = tmp_path / "events.jsonl"
    lines.write_text(json.dumps(json.loads(envelope("e1")), separators=(",", ":")) + "\n")
    scene.run("capture", str(lines))
    queue(scene.queue, ["e1"])

    ran = scene.migrate()

    assert (ran.code, ran.document["deduplicated"], ran.document["conflicts"]) == (0, 1, [])
    assert rows(scene.queue) == []


@pytest.mark.requirement("G16")
@pytest.mark.parametrize("odd", ["a?b", "a#b", "a%20b", "a b", "ä日", "a\nb", "a;b&c=d"])
def test_odd_characters_in_the_path(scene: Scene, odd: str) -> None:
    """The right file is read and emptied, and no other is made."""
    place = scene.place / odd
    queue(place / "queue.db", ["e1"])

    ran = scene.migrate("--from", str(place))

    assert (ran.code, ran.document["imported"], ran.document["removed"]) == (0, 1, 1)
    assert [path.name for path in place.iterdir()] == ["queue.db"]
    assert [path.name for path in scene.place.iterdir()].count("a") == 0


@pytest.mark.requirement("G21")
def test_order_times_and_retries_are_kept(scene: Scene) -> None:
    """By the second they were queued, then by row."""
    base = {"event_type": "T", "retry_count": 2}
    queue(
        scene.queue,
        [
            {**base, "event_id": name, "data": envelope(name), "timestamp": at}
            for name, at in (("late", 9), ("first", 5), ("second", 5), ("early", 1))
        ],
    )

    scene.migrate()

    found = sorted(scene.entries().values(), key=lambda entry: entry.position)
    assert [entry.event.event_id for entry in found] == ["early", "first", "second", "late"]
    shown = scene.run("journal", "show", "late").document
    assert json.loads(shown["text"])["timestamp"] == "2026-02-02T02:02:02+00:00"
    assert shown["came_from"][0]["queued_at"] == "1970-01-01T00:00:09.000000+00:00"
    assert shown["came_from"][0]["retry_count"] == 2


def test_streams_are_those_of_the_projects(scene: Scene) -> None:
    """Without one it is that of --project."""
    queue(scene.queue, [("e1", envelope("e1", project_uuid="ABC")), "e2"])

    scene.migrate("--project", "Mine")

    streams = {name: entry.stream for name, entry in scene.entries().items()}
    assert streams == {"e1": "abc", "e2": "mine"}


def test_one_file_with_two_names(scene: Scene) -> None:
    """It is read once; the other name is reported."""
    queue(scene.queue, ["e1"])
    scene.scoped(A).parent.mkdir()
    scene.scoped(A).hardlink_to(scene.queue)
    scene.scoped(B).symlink_to(scene.queue)

    ran = scene.migrate("--from", str(scene.place))

    assert (ran.document["imported"], ran.document["sources_count"]) == (1, 1)
    assert ran.document["skipped_count"] == 2


def test_old_homes_elsewhere(scene: Scene, tmp_path: Path) -> None:
    """A folder, its .spec-kitty, its overflow, and one file; what is not there is no folder."""
    queue(tmp_path / "user" / ".spec-kitty" / "queue.db", ["e1"])
    queue(tmp_path / "saved.db", ["e2"])
    overflow = tmp_path / "user" / ".kittify" / "sync" / "overflow-2026-02-02T02.jsonl"
    overflow.parent.mkdir(parents=True)
    overflow.write_text(f"{envelope('e3')}\n\nnonsense\n{envelope('e1')}")

    places = ("--from", str(tmp_path / "user"), "--from", str(tmp_path / "saved.db"))
    ran = scene.migrate(*places)

    assert (ran.code, ran.document["imported"], ran.document["deduplicated"]) == (3, 3, 1)
    assert ran.document["quarantined"][0]["row"] == 3
    assert overflow.read_text().split() == ["nonsense"]
    assert scene.migrate(*places, "--take-quarantined").code == 0
    assert overflow.read_text().split() == []
    assert scene.migrate(*places).code == 0
    assert scene.run("sync", "migrate", "--from", str(tmp_path / "none")).code == 64


def test_missing_columns_and_odd_values(scene: Scene) -> None:
    """What is there is read; JSON in a blob is JSON."""
    with closing(sqlite3.connect(scene.queue)) as database, database:
        database.execute("CREATE TABLE queue (data, event_id)")
        for data in (envelope("e1").encode(), envelope("e2"), 7, None):
            database.execute("INSERT INTO queue VALUES (?, 'e1')", (data,))
    with closing(sqlite3.connect(scene.place / "other.db")) as database, database:
        database.execute("CREATE TABLE queue (data)")
        database.execute("INSERT INTO queue VALUES (?)", (envelope("e9"),))

    ran = scene.migrate("--from", str(scene.place / "other.db"))

    assert ran.document["imported"] == 2
    assert [each["code"] for each in ran.document["quarantined"]] == ["other_id"] + 2 * ["not_json"]
    assert scene.entries()["e1"].event.text == envelope("e1")


@pytest.mark.requirement("G14")
@pytest.mark.requirement("J10")
def test_what_is_no_event_is_quarantined_with_its_bytes(scene: Scene) -> None:
    """All else is imported; the bytes can be seen; taking them is a decision."""
    bad = {
        "not_json": [b"[1]", b"{", b'{"event_id": "x", "n": NaN}', b'\xef\xbb\xbf{"event_id":"x"}'],
        "no_event_id": [b'{"event_id": ""}', b"{}"],
        "other_id": [envelope("y").encode()],
        "not_utf8": [b'{"event_id": "\xff"}'],
    }
    bad["not_json"] += [b"{} {}", b'{"event_id": "x", "n": -Infinity}', b""]
    made = [(f"bad{n}", raw) for n, raw in enumerate(chain.from_iterable(bad.values()))]
    queue(scene.queue, ["e1"])
    with closing(sqlite3.connect(scene.queue)) as database, database:
        for name, raw in made:
            database.execute(
                "INSERT INTO queue (event_id, event_type, data, timestamp) "
                "VALUES (?, 'T', CAST(? AS TEXT), 1)",
                (name, raw),
            )

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"]) == (3, 1)
    assert ran.document["error"]["code"] == "quarantined"
    assert ran.document["quarantined_count"] == len(made)
    codes = [each["code"] for each in ran.document["quarantined"]]
    assert {code: codes.count(code) for code in bad} == {code: len(bad[code]) for code in bad}
    listed = scene.run("journal", "quarantine").document["set_aside"]
    shown = [scene.run("journal", "quarantine", str(each["number"])).document for each in listed]
    kept = {bytes.fromhex(each["hex"]) if each["hex"] else each["text"].encode() for each in shown}
    assert kept == {raw for _, raw in made}
    assert len(rows(scene.queue)) == len(made)
    assert scene.migrate().document["quarantined_count"] == len(made)
    assert scene.migrate("--take-quarantined").code == 0
    assert (rows(scene.queue), scene.migrate().code) == ([], 0)


def test_what_is_damaged_inside_is_held(scene: Scene) -> None:
    """Lone surrogates, repeated keys, deep nesting; unknown types and odd ids are fine."""
    deep = '{"event_id": "deep", "n": ' + "[" * 600 + "]" * 600 + "}"
    odd = "0193AA00-0000-7000-8000-00000000000f"
    queue(
        scene.queue,
        [
            ("lone", envelope("lone", text="\ud800")),
            ("twice", '{"event_id": "twice", "a": 1, "a": 2}'),
            ("deep", deep),
            ("pair", envelope("pair", text="\U0001f600")),
            (odd, json.dumps({"event_id": odd, "event_type": "unheard.of"})),
        ],
    )

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"], ran.document["held"]) == (0, 5, 3)
    held = {name for name, entry in scene.entries().items() if entry.event.hold}
    assert held == {"lone", "twice", "deep"}


def test_nothing_leaves_for_a_store_in_memory(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends with the command, and the row must not."""
    monkeypatch.setenv("PERSISTENCE", "memory")
    queue(scene.queue, ["e1"])

    ran = scene.migrate()

    assert (ran.document["imported"], ran.document["removed"]) == (1, 0)
    assert rows(scene.queue) == ["e1"]


def test_one_line_for_each_row(scene: Scene) -> None:
    """With its table and key, and nothing of its content."""
    queue(scene.queue, ["e1", ("e2", envelope("e2", secret="hush"))])

    scene.migrate()
    scene.migrate()

    text = (scene.place / "eventsync" / "migrated.log").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(each["table"], each["key"], each["became"]) for each in lines] == [
        ("queue", "e1", "imported"),
        ("queue", "e2", "imported"),
    ]
    assert "hush" not in text
    if os.name == "posix":
        assert (scene.place / "eventsync" / "migrated.log").stat().st_mode & 0o777 == 0o600


def test_status_and_now_name_what_waits(scene: Scene) -> None:
    """And change nothing, also not in the old file; afterwards they are silent."""
    queue(scene.queue, ["e1", "e2"])
    before = scene.queue.read_bytes()

    status = scene.run("sync", "status").document
    now = scene.run("sync", "now")
    check = scene.run("sync", "status", "--check")

    assert status["waiting_sources"] == [
        {
            "path": str(scene.queue),
            "rows": {"queue": 2},
            "error": None,
            "conflicts": 0,
            "quarantined": 0,
        }
    ]
    assert status["legacy_queue"]["event_count"] == 2
    assert "queue 2" in now.err
    assert f"eventsync --home {scene.place} sync migrate" in now.err
    assert (check.code, check.document["error"]["code"]) == (2, "old_rows_waiting")
    assert check.document["error"]["fix"]["argv"][-2:] == ["sync", "migrate"]
    assert [path.name for path in scene.place.iterdir()] == ["queue.db"]
    assert scene.queue.read_bytes() == before
    scene.migrate()
    assert scene.run("sync", "status").document["waiting_sources"] == []
    assert "sync migrate" not in scene.run("sync", "now").err
    assert scene.run("sync", "status", "--check").code == 0
