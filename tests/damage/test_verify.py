"""`journal verify` finds what does not hold, wherever it is, and reads on behind it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from eventsync_adapters.server import Serving
from tests.cli.conftest import Run
from tests.damage.damaging import spoil, unguarded


@pytest.fixture
def database(home: Path) -> Path:
    return home / "eventsync" / "eventsync.db"


@pytest.fixture
def delivered(run: Run, events: Path, receiver: Serving) -> Serving:
    """Twenty events that were delivered, and one that waits."""
    run("capture", str(events))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    run("sync", "now")
    more = events.with_name("more.jsonl")
    more.write_text('{"event_id": "late"}\n')
    run("capture", str(more))
    return receiver


def test_what_is_sound_is_said_to_be(run: Run, delivered: Serving) -> None:
    """Every entry and every reference is looked at."""
    found = run("journal", "verify", "--json")

    assert found.code == 0
    assert found.document["verified"] == 21
    assert found.document["references"]["looked"] > 60
    assert found.document["references"]["broken"] == []


def test_damage_is_named_and_what_follows_counted(
    run: Run, delivered: Serving, database: Path
) -> None:
    """The first bad position of the stream, and how many good ones follow."""
    spoil(database, ["e4"], '{"event_id": "e4", "n": 9}')
    spoil(database, ["e9"], b"\xff\xfe")

    ran = run("journal", "verify", "--json")

    assert ran.code == 5
    assert ran.document["error"]["code"] == "journal_damaged"
    (stream,) = ran.document["streams"]
    assert (stream["first_bad"], stream["flaw"], stream["bad"]) == (5, "digest", 2)
    assert (stream["good"], stream["good_after"]) == (19, 15)
    assert [each["position"] for each in stream["findings"]] == [5, 10]
    assert [each["flaw"] for each in stream["findings"]] == ["digest", "unreadable"]
    assert run("journal", "verify").out.startswith(
        "stream default: 19 of 21 entries good, 15 of them after position 5: "
    )


BROKEN = [
    ("payload", "DELETE FROM entries WHERE position = 21"),
    ("hold", "INSERT INTO holds VALUES (1, 99, 'operator', '', 1, 'me')"),
    ("released_hold", "INSERT INTO released_holds VALUES (1, 99, 1, 'operator', '', '', 1, '', 1)"),
    ("superseded", "INSERT INTO superseded VALUES (1, 3, 99, 1)"),
    ("keyed", "INSERT INTO keyed VALUES (1, 'k', 99)"),
    ("target", "UPDATE targets SET url = url || '/'"),
    ("target", "UPDATE targets SET team = 'other'"),
    ("grant", "DELETE FROM targets"),
    ("grant", "DELETE FROM grant_acts"),
    ("grant", "UPDATE grants SET passed = 99"),
    ("grant_act", "DELETE FROM grants"),
    ("lease", "UPDATE leases SET open_request = 99"),
    ("ledger", "UPDATE ledger SET position = 99 WHERE position = 20"),
    ("ledger", "UPDATE ledger SET request_id = 99 WHERE position = 20"),
    ("ledger", "UPDATE ledger SET request_id = 0 WHERE position = 20"),
    ("ledger", "UPDATE requests SET positions = '1-19', event_count = 19"),
    ("ledger", "UPDATE requests SET stream_id = 9"),
    ("ledger", "UPDATE ledger SET outcome = 'rejected', due_at = 5 WHERE position = 20"),
    ("due", "INSERT INTO due VALUES (1, 1, 'first', 5, 3, NULL, 1)"),
    ("passed", "DELETE FROM ledger WHERE position = 7"),
    ("request", "UPDATE requests SET positions = '1-99'"),
    ("request", "UPDATE requests SET positions = 'x'"),
    ("answer", "INSERT INTO answers VALUES (1, 1, 99, 1, 0, 1, 'rejected', '', NULL, '', '')"),
    ("entry", "UPDATE entries SET stream_id = 5 WHERE position = 21"),
    ("body_content", "INSERT INTO body_contents VALUES (5, 'x')"),
    (
        "body_standing",
        "INSERT INTO body_standings VALUES (1, 1, 5, '', 0, 0, 0, '', 0, 0, 0, 0)",
    ),
    ("body_reopening", "INSERT INTO body_reopenings VALUES (1, 5, 1, 1, '', '', '', '', 1)"),
    ("provenance", "INSERT INTO provenance VALUES (1, 'queue', 1, 'x', 'e1', 1, 1, 1, '')"),
    ("alias", "INSERT INTO aliases VALUES ('tgt_old', 99, 1)"),
    (
        "past_delivery",
        (
            "INSERT INTO past_deliveries VALUES "
            "(1, 9, '', 1, '', 1, 1, 1, '', '', '', 0, 0, 0, 0, 0, 0, '', 0)"
        ),
    ),
    ("purged", "INSERT INTO purged VALUES (1, 3, 99)"),
    ("superseded_row", "INSERT INTO superseded_rows VALUES (1, 1, 3)"),
    ("held_row", "INSERT INTO held_rows VALUES (1, 1, 3)"),
    ("trace", "INSERT INTO trace_contexts VALUES (1, 99, '')"),
]


@pytest.mark.parametrize(("kind", "change"), BROKEN)
def test_a_reference_that_leads_nowhere_is_named(
    run: Run, delivered: Serving, database: Path, kind: str, change: str
) -> None:
    """Rows that were deleted or added by hand do not go unnoticed."""
    unguarded(database, (change, ()))

    ran = run("journal", "verify", "--json")

    assert ran.code == 5
    references = ran.document["references"]
    assert kind in {each["kind"] for each in references["broken"]}
    assert references["broken_count"] == len(references["broken"])
    assert any(line.startswith(f"{kind} (") for line in run("journal", "verify").out.splitlines())


def test_only_the_stream_asked_for(run: Run, delivered: Serving, database: Path) -> None:
    """Another stream's damage is not told."""
    unguarded(database, ("DELETE FROM ledger WHERE position = 7", ()))

    assert run("journal", "verify", "--project", "other").code == 0
    assert run("journal", "verify", "--project", "default").code == 5


def _streams(run: Run, *options: str) -> Sequence[Any]:
    streams: Sequence[Any] = run("journal", "verify", "--json", *options).document["streams"]
    return streams


def test_an_incremental_walk_reads_what_is_new(
    run: Run, delivered: Serving, database: Path
) -> None:
    """And says of how many it knows only that they were good."""
    _streams(run, "--incremental")
    capture = database.parent / "three.jsonl"
    capture.write_text('{"event_id": "a"}\n{"event_id": "b"}\n')
    run("capture", str(capture))

    (stream,) = _streams(run, "--incremental")

    assert (stream["skipped"], stream["good"], stream["intact"]) == (21, 2, True)
    assert "23 found good before, not read again" in run("journal", "verify", "--incremental").out
    (stream,) = _streams(run, "--incremental", "--full")
    assert (stream["skipped"], stream["good"]) == (0, 23)
    (stream,) = _streams(run)
    assert (stream["skipped"], stream["good"]) == (0, 23)


@pytest.mark.parametrize(
    "note",
    [
        '{"schema":1,"streams":{"default":[20,"00"]}}',
        '{"schema":1,"streams":{"default":[9999,"00"]}}',
        '{"schema":1,"streams":{"default":[-3,"00"]}}',
        '{"schema":1,"streams":{"default":["x"]}}',
        '{"schema":1,"streams":7}',
        "[]",
        "\ufffd",
        "",
    ],
)
def test_a_note_that_does_not_fit_is_not_believed(
    run: Run, delivered: Serving, database: Path, note: str
) -> None:
    """All is read again."""
    spoil(database, ["e4"], "{}")
    (database.parent / "verified.json").write_text(note)

    (stream,) = _streams(run, "--incremental")

    assert (stream["skipped"], stream["first_bad"]) == (0, 5)


def test_another_file_in_its_place_is_noticed(run: Run, delivered: Serving, database: Path) -> None:
    """What was found good of one database says nothing of another."""
    _streams(run, "--incremental")
    unguarded(database, ("UPDATE entries SET chain = 'ab' WHERE position = 21", ()))

    (stream,) = _streams(run, "--incremental")

    assert stream["started_over"] is True
    assert (stream["skipped"], stream["flaw"]) == (0, "chain")


@pytest.mark.parametrize("upto", [20, 0])
def test_history_that_is_shorter_than_before_is_told(
    run: Run, delivered: Serving, database: Path, upto: int
) -> None:
    """Until it is accepted: what was noted stays the proof."""
    _streams(run, "--incremental")
    unguarded(
        database,
        ("DELETE FROM payloads WHERE entry_id > ?", (upto,)),
        ("DELETE FROM entries WHERE position > ?", (upto,)),
        ("DELETE FROM ledger WHERE position > ?", (upto,)),
        ("DELETE FROM requests WHERE ? = 0", (upto,)),
        ("UPDATE leases SET open_request = 0", ()),
        ("UPDATE grants SET passed = ?", (upto,)),
        ("UPDATE streams SET head = ?", (upto,)),
        (
            """
            UPDATE streams SET chain = (SELECT e.chain FROM entries e WHERE e.position = head)
            WHERE head > 0
            """,
            (),
        ),
    )

    assert run("journal", "verify").code == 0
    for _ in range(2):
        ran = run("journal", "verify", "--incremental", "--json")

        assert (ran.code, ran.document["error"]["code"]) == (5, "history_differs")
        assert [each["started_over"] for each in ran.document["streams"]] == [True]
    argv = ran.document["error"]["fix"]["argv"]
    assert run(*argv[1:]).code == 0
    assert run("journal", "verify", "--incremental").code == 0


def test_the_note_outlives_a_walk_that_is_broken_off(
    run: Run, delivered: Serving, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the only proof of what was there."""
    _streams(run, "--incremental")
    note = (database.parent / "verified.json").read_text()

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("eventsync_cli.commands.journal_verify.verify", interrupted)
        run("journal", "verify", "--incremental")

    assert (database.parent / "verified.json").read_text() == note


def test_a_stream_that_is_gone_is_told_to_who_asks_for_it(run: Run, tmp_path: Path) -> None:
    """Accepting that accepts nothing of other streams."""
    file = tmp_path / "events.jsonl"
    file.write_text(
        "".join(
            json.dumps({"event_id": name, "project_uuid": name}) + "\n" for name in ("a", "b", "c")
        )
    )
    run("capture", str(file))
    run("journal", "verify", "--incremental")
    database = tmp_path / "home" / "eventsync" / "eventsync.db"
    unguarded(
        database,
        ("DELETE FROM payloads WHERE entry_id > 1", ()),
        ("DELETE FROM entries WHERE entry_id > 1", ()),
        ("DELETE FROM streams WHERE stream IN ('b', 'c')", ()),
    )

    ran = run("--project", "b", "journal", "verify", "--incremental", "--json")

    assert (ran.code, ran.document["error"]["code"]) == (5, "history_differs")
    assert run(*ran.document["error"]["fix"]["argv"][1:]).code == 0
    assert run("--project", "b", "journal", "verify", "--incremental").code == 0
    assert run("--project", "c", "journal", "verify", "--incremental").code == 5


def test_a_size_that_is_not_the_text_s_is_told(
    run: Run, delivered: Serving, database: Path
) -> None:
    """It counts what is kept, and what fits into a request."""
    unguarded(database, ("UPDATE entries SET size = -1 WHERE position = 7", ()))

    (stream,) = _streams(run)

    assert (stream["first_bad"], stream["flaw"], stream["bad"]) == (7, "size", 1)


def test_a_walk_goes_on_where_the_damage_is(run: Run, delivered: Serving, database: Path) -> None:
    """Nothing behind the first flaw counts as found good."""
    spoil(database, ["e4"], "{}")
    _streams(run, "--incremental")

    (stream,) = _streams(run, "--incremental")

    assert (stream["skipped"], stream["first_bad"], stream["good"]) == (4, 5, 16)
    note = json.loads((database.parent / "verified.json").read_text())
    assert note["streams"]["default"][0] == 4


def test_verifying_changes_nothing(run: Run, delivered: Serving, database: Path) -> None:
    """Neither the database nor the folder around it; a plain walk leaves no note."""
    before = {path.name: path.read_bytes() for path in database.parent.iterdir()}

    run("journal", "verify")

    assert {path.name: path.read_bytes() for path in database.parent.iterdir()} == before


def test_a_head_that_is_far_off_ends(run: Run, delivered: Serving, database: Path) -> None:
    """A number that was damaged does not keep the walk going."""
    unguarded(database, ("UPDATE streams SET head = 1 << 50", ()))

    (stream,) = _streams(run)

    assert (stream["first_bad"], stream["flaw"], stream["good"]) == (22, "head", 21)


def test_full_needs_incremental(run: Run) -> None:
    """Alone it would change nothing."""
    assert run("journal", "verify", "--full").code == 64
