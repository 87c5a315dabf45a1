"""What may not leave stays, also where one copy of what says so is damaged."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.listeners import Listener, listening
from tests.damage.damaging import behind_an_index, beside_its_indexes, unguarded

_STREAMS = {"e1": "open", "e2": "open", "e3": "secret", "e4": "never"}


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


@pytest.fixture
def database(run: Run, home: Path, listener: Listener, tmp_path: Path) -> Path:
    """One stream is granted, one revoked, one neither; `e2` of the granted one is held."""
    file = tmp_path / "captured.jsonl"
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", f"{listener.url}/events")
    file.write_text(
        "".join(
            json.dumps({"event_id": name, "project_uuid": stream}) + "\n"
            for name, stream in _STREAMS.items()
        )
    )
    run("capture", str(file))
    for stream in ("open", "secret"):
        run("target", "grant", "--project", stream)
    run("target", "revoke", "--project", "secret")
    run("journal", "hold", "e2")
    for note in (home / "eventsync" / "revoked").glob("*"):
        note.unlink()
    return home / "eventsync" / "eventsync.db"


def sent(run: Run, listener: Listener) -> list[str]:
    """Send what goes, and return the ids of it."""
    run("sync", "now")
    bodies = [each.body for each in listener.heard if each.body]
    return [event["event_id"] for body in bodies for event in json.loads(body)["events"]]


def test_only_what_is_granted_goes(run: Run, database: Path, listener: Listener) -> None:
    """Where nothing is damaged."""
    assert sent(run, listener) == ["e1"]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE grants SET revoked_at = NULL",
        "UPDATE grants SET stream_id = 4 WHERE stream_id = 2",
        "UPDATE grants SET revoked_at = CASE WHEN revoked_at IS NULL THEN 5 END",
    ],
)
@pytest.mark.parametrize("is_table_only", [False, True])
def test_a_grant_that_is_not_on_record_grants_nothing(
    run: Run, database: Path, listener: Listener, change: str, *, is_table_only: bool
) -> None:
    """It rests, and doctor and verify say so."""
    if is_table_only:
        beside_its_indexes(database, "grants", change)
    else:
        unguarded(database, (change, ()))

    found_there = sent(run, listener)

    assert set(found_there) <= {"e1"}
    assert run("journal", "verify", "--json").document["error"]["code"] == "journal_damaged"
    found = run("sync", "doctor", "--json").document["findings"]
    told = {"grant_damaged", "references_broken", "store_unreadable"}
    assert told & {each["code"] for each in found}


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("streams", "UPDATE streams SET stream_id = 6 - stream_id WHERE stream_id <> 1"),
        ("streams", "UPDATE streams SET stream = 'never' WHERE stream = 'open'"),
        ("targets", "UPDATE targets SET target_no = 2"),
    ],
)
def test_numbers_that_are_mixed_up_are_found(
    run: Run, database: Path, listener: Listener, table: str, change: str
) -> None:
    """No stream goes as another one."""
    beside_its_indexes(database, table, change)

    assert run("sync", "now").code == 5
    assert sent(run, listener) == []


@pytest.mark.parametrize("is_table_only", [False, True])
def test_a_hold_that_one_copy_lost_holds(
    run: Run, database: Path, listener: Listener, *, is_table_only: bool
) -> None:
    """Verify and doctor say that an index differs from its table."""
    change = "DELETE FROM holds"
    if is_table_only:
        beside_its_indexes(database, "holds", change)
    else:
        behind_an_index(database, "holds_again", change)

    assert sent(run, listener) == ["e1"]
    assert run("journal", "verify").code == 5
    found = run("sync", "doctor", "--json").document["findings"]
    assert {"references_broken", "store_unreadable"} & {each["code"] for each in found}


def test_a_hold_for_an_unknown_reason_stays_and_is_found(
    run: Run, database: Path, listener: Listener
) -> None:
    """A damaged word never becomes history."""
    unguarded(database, ("UPDATE holds SET hold = 'operatos'", ()))

    assert run("journal", "release", "e2").code == 5
    assert "e2" not in sent(run, listener)
    assert run("journal", "verify").code == 5
    found = run("sync", "doctor", "--json").document["findings"]
    assert "references_broken" in {each["code"] for each in found}


@pytest.mark.parametrize(
    "change",
    [
        "DROP INDEX due_by_aggregate",
        "DROP TRIGGER payloads_never_change",
        "CREATE TRIGGER new AFTER INSERT ON entries BEGIN DELETE FROM superseded; END",
        "ALTER TABLE leases ADD COLUMN more TEXT",
    ],
)
def test_a_schema_that_is_not_ours_is_told(run: Run, database: Path, change: str) -> None:
    """Guards and indexes are part of what is examined."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(change)

    found = run("sync", "doctor", "--json").document["findings"]

    (finding,) = [each for each in found if each["severity"] == "error"]
    assert finding["code"] == "schema_differs"
    assert finding["message"].endswith(f": {change.split()[2]}")


def test_a_hold_ends_on_record_only(run: Run, database: Path) -> None:
    """Nor does a request that was opened go, so that its number never comes back."""
    run("sync", "now")
    for change, said in (
        ("DELETE FROM holds", "holds end on record"),
        ("DELETE FROM requests", "are never deleted"),
    ):
        with (
            closing(sqlite3.connect(database)) as connection,
            pytest.raises(sqlite3.IntegrityError, match=said),
        ):
            connection.execute(change)

    unguarded(database, ("DELETE FROM holds", ()))

    found = run("sync", "doctor", "--json").document["findings"]
    assert "holds_lost" in {each["code"] for each in found}


@pytest.mark.parametrize(
    "change", ["from_position = 0", "revoked_at = 5", "generation = 9", "from_body = 4"]
)
def test_a_grant_that_is_not_on_record_can_only_be_ended(
    run: Run, database: Path, listener: Listener, change: str
) -> None:
    """Nothing that is said to help sends what was never granted, or puts the damage on record."""
    run("target", "revoke", "--project", "open")
    for note in (database.parent / "revoked").glob("*"):
        note.unlink()
    run("target", "grant", "--project", "open", "--from-now")
    of_it = "stream_id = (SELECT stream_id FROM streams WHERE stream = 'open')"
    unguarded(database, (f"UPDATE grants SET {change} WHERE {of_it}", ()))  # noqa: S608

    ran = run("sync", "now", "--json")
    for words in (
        ("target", "grant", "--project", "open", "--from-now"),
        ("target", "grant", "--project", "open", "--dry-run"),
    ):
        refused = run(*words, "--json")
        assert (refused.code, refused.document["error"]["code"]) == (5, "grant_damaged")
    assert run("journal", "verify").code == 5
    assert run("sync", "status", "--check").code == 2
    reasons = run("sync", "status", "--json").document["reasons"]
    assert "grant_damaged" in [each["code"] for each in reasons]
    if change == "from_position = 0":
        assert (ran.code, ran.document["stopped_because"]) == (3, "grant_damaged")
    if change != "revoked_at = 5":
        assert run("target", "resume", "--dry-run").code == run("target", "resume").code == 5
    fix = next(each["fix"]["argv"] for each in reasons if each["code"] == "grant_damaged")
    if change == "from_position = 0":
        assert ran.document["error"]["fix"]["argv"] == fix
    (found,) = run("sync", "doctor", "--json").document["findings"]
    assert (found["code"], found["fix"]["argv"]) == ("grant_damaged", fix)

    assert run(*fix[1:]).code == 0
    assert run("sync", "doctor", "--json").document["findings"] == []
    assert run("journal", "verify").code == 0
    assert run("sync", "status", "--check").code == 0
    assert run("target", "grant", "--project", "open", "--from-now").code == 0
    assert sent(run, listener) == []
    assert run("journal", "verify").code == 0
