"""`sync gc`: only what every target has goes, and the room it took comes back."""

import json
import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from eventsync_adapters.server import Serving
from tests.cli.bad_input import check_told, launched
from tests.cli.conftest import Run


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """Four hundred events of 4,000 bytes, of two types."""
    path = tmp_path / "big.jsonl"
    lines = [
        json.dumps({"event_id": f"e{n}", "event_type": "AB"[n % 2], "x": "." * 4_000})
        for n in range(400)
    ]
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def delivered(run: Run, big: Path, receiver: Serving) -> Run:
    """Return how to run a command in a home where all was delivered."""
    run("capture", str(big))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    assert run("sync", "now").code == 0
    return run


def database(home: Path) -> Path:
    return home / "eventsync" / "eventsync.db"


@pytest.mark.requirement("S13")
def test_it_shrinks(delivered: Run, home: Path) -> None:
    """The preview counts what the act does; the file gives its room back."""
    before = database(home).stat().st_size
    kept = delivered("sync", "status", "--json").document["event_journal"]

    preview = delivered("sync", "gc", "--json").document
    assert database(home).stat().st_size == before
    done = delivered("sync", "gc", "--apply", "--json").document

    after = database(home).stat().st_size
    assert kept["retained_event_count"] == 400
    assert (done["purged"], done["skipped"]) == (400, 0)
    assert done["purged_bytes"] > 1_600_000
    for name in ("purged", "purged_bytes", "skipped", "stayed", "streams", "targets"):
        assert done[name] == preview[name]
    assert (done["file_bytes_before"], done["file_bytes_after"]) == (before, after)
    size = kept["journal_size_bytes"]
    assert (done["journal_size_bytes_before"], done["journal_size_bytes_after"]) == (size, 0)
    assert preview["journal_size_bytes_after"] == 0
    assert (preview["file_bytes_before"], preview["file_bytes_after"]) == (before, None)
    left = delivered("sync", "status", "--json").document["event_journal"]
    assert (left["retained_event_count"], left["journal_size_bytes"]) == (0, 0)
    assert (left["archived_event_count"], left["oldest_retained_event_at"]) == (0, None)
    assert (done["unused_bytes"], preview["dry_run"], done["dry_run"]) == (0, True, False)
    assert after < before / 2


def test_what_another_target_is_still_owed_is_told(delivered: Run) -> None:
    """With --target another need not have it: who is owed how many, before and after."""
    first = delivered("target", "show", "--json").document["target_id"]
    delivered("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", "http://127.0.0.1:9/x")
    second = delivered("target", "show", "--json").document["target_id"]
    named = ("--target", first, "--type", "A")

    preview = delivered("sync", "gc", *named, "--json").document
    said = delivered("sync", "gc", *named).out
    done = delivered("sync", "gc", *named, "--apply", "--json").document

    assert preview["purged"] == done["purged"] == 200
    assert preview["owed_targets"] == done["owed_targets"] == {second: 200}
    assert preview["owed_targets_count"] == done["owed_targets_count"] == 1
    assert f"target {second} is still owed 200 of them" in said
    left = delivered("target", "show", "--json").document["remaining_owed"]
    assert left == 200
    delivered("target", "revoke", second, "--reason", "no more")
    assert delivered("sync", "gc", "--target", first, "--json").document["owed_targets"] == {}


def test_a_new_target_is_told_what_it_cannot_get(delivered: Run) -> None:
    """When it is chosen and ever after; not where it could not get it anyhow."""
    delivered("sync", "gc", "--apply", "--type", "A")
    words = ("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint")
    gone = "200 events cannot go: their text was archived or purged"

    chosen = delivered(*words, "http://127.0.0.1:9/x").out
    status = delivered("sync", "status").out
    later = delivered(*words, "http://127.0.0.1:9/later", "--from-now").out

    assert "200 events go at the next sync now" in chosen
    assert gone in chosen
    assert "owed 200" in status
    assert status.count(f"    {gone}") == 1
    assert "cannot go" not in later
    assert delivered("sync", "status").out.count(gone) == 1


@pytest.mark.requirement("S11")
def test_the_record_stays(delivered: Run, big: Path, tmp_path: Path) -> None:
    """Ids are known, the chain holds, it counts as delivered, and nothing of it is offered."""
    delivered("sync", "gc", "--apply")
    other = tmp_path / "other.jsonl"
    other.write_text('{"event_id":"e1","other":1}\n')

    again = delivered("capture", str(big), "--json").document
    conflict = delivered("capture", str(other), "--json")
    shown = delivered("journal", "show", "e1", "--json").document

    assert (again["stored"], again["duplicates"]) == (0, 400)
    assert (conflict.code, conflict.document["conflicts_count"]) == (3, 1)
    assert delivered("journal", "verify").code == 0
    assert shown["text"] is None
    assert (shown["purged"]["act"], shown["purged"]["events"]) == ("gc", 400)
    assert shown["targets"][0]["outcome"] == "success"
    replay = delivered("sync", "replay", "--all", "--json").document
    assert (replay["replayed"], replay["not_replayable"]) == (0, 400)
    assert delivered("sync", "now").code == 0
    assert delivered("sync", "status", "--check").code == 0
    exported = delivered("journal", "export", "-")
    assert (exported.code, exported.out) == (0, "")
    assert "purged: 400 events" in exported.err


@pytest.mark.requirement("S11")
def test_without_a_target_nothing_goes(run: Run, big: Path) -> None:
    """It says why."""
    run("capture", str(big))

    ran = run("sync", "gc", "--apply")

    assert (ran.code, "purged 0" in ran.out) == (0, True)
    assert "no target is known here" in ran.err


@pytest.mark.requirement("S11")
def test_what_one_target_lacks_stays(delivered: Run, receiver: Serving) -> None:
    """Until the others alone are named."""
    listed = delivered("target", "list", "--json").document["targets"]
    delivered("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", f"{receiver.url}/other")
    delivered("target", "grant")

    everything = delivered("sync", "gc", "--apply", "--json").document
    assert (everything["purged"], everything["stayed"]["undelivered"]) == (0, 400)
    named = delivered("sync", "gc", "--apply", "--json", "--target", listed[0]["target_id"])

    assert named.document["purged"] == 400
    shown = delivered("target", "show", "--json").document
    (grant,) = shown["grants"]
    assert grant["classes"]["archived_or_purged_undelivered"] == 400


def test_an_unknown_target(delivered: Run) -> None:
    """It is named, and nothing goes."""
    check_told(delivered("sync", "gc", "--apply", "--target", "tgt_x"), 64, "target_unknown")

    assert delivered("sync", "gc", "--json").document["purged"] == 400


def test_by_type_size_count_and_age(delivered: Run) -> None:
    """All that is said must hold."""

    def counted(*words: str) -> int:
        found = delivered("sync", "gc", "--json", *words).document
        assert found["purged"] + found["skipped"] == 400
        return int(found["purged"])

    said = delivered("sync", "gc").out
    assert re.search(r"\(journal \d+ -> 0 bytes, file \d+ bytes\)", said)
    assert counted("--type", "A") == 200
    assert counted("--type", "A", "--type", "B") == 400
    assert counted("--keep", "150") == 250
    assert counted("--type", "A", "--keep", "150") == 125
    assert counted("--larger-than", "5000") == 0
    assert counted("--older-than", "1d") == 0
    assert counted("--older-than", "0s") == 400
    check_told(delivered("sync", "gc", "--older-than", "soon"), 64, "usage")


@pytest.mark.requirement("S12")
def test_a_drain_lets_nothing_go(delivered: Run, home: Path) -> None:
    """However often it runs."""
    for _ in range(3):
        assert delivered("sync", "now").code == 0

    with closing(sqlite3.connect(database(home))) as connection:
        assert connection.execute("SELECT COUNT(*) FROM payloads").fetchone() == (400,)
        assert connection.execute("SELECT COUNT(*) FROM purges").fetchone() == (0,)


def test_a_file_of_before_is_compacted_on_request(delivered: Run, home: Path) -> None:
    """It says how much is unused and which command gives it back; that one does."""
    with closing(sqlite3.connect(database(home))) as connection:
        connection.execute("PRAGMA auto_vacuum = NONE")
        connection.execute("VACUUM")
    before = database(home).stat().st_size

    ran = delivered("sync", "gc", "--apply")
    assert database(home).stat().st_size == before
    assert "eventsync sync gc --compact" in ran.err
    done = delivered("sync", "gc", "--compact", "--json").document

    assert (done["compacted"], done["purged"], done["unused_bytes"]) == (True, 0, 0)
    assert database(home).stat().st_size == done["file_bytes_after"] < before / 2
    with closing(sqlite3.connect(database(home))) as connection:
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    assert delivered("journal", "verify").code == 0


def test_compacting_waits_for_nobody_for_ever(delivered: Run, home: Path) -> None:
    """While somebody else writes it is busy, and nothing changes."""
    with closing(sqlite3.connect(database(home), isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        check_told(delivered("sync", "gc", "--compact"), 5, "store_busy")

    assert delivered("sync", "gc", "--compact").code == 0


def test_compacting_needs_room(delivered: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks before it begins."""
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1_000_000})())

    check_told(delivered("sync", "gc", "--compact"), 5, "store_full")


def test_a_home_that_is_not_there(run: Run, home: Path) -> None:
    """Nothing is made."""
    for words in ((), ("--apply",), ("--compact",)):
        ran = run("sync", "gc", *words, "--json")
        assert (ran.code, ran.document["purged"]) == (0, 0)
    assert "no database to write anew" in run("sync", "gc", "--compact").out
    assert not home.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
@pytest.mark.parametrize(
    "kilobytes",
    [64, 2_000, *(pytest.param(each, marks=pytest.mark.long) for each in (4, 512, 3_000))],
)
def test_a_disk_that_is_full(delivered: Run, home: Path, kilobytes: int) -> None:
    """It makes room, or says that it cannot; each payload is there or on record as gone."""
    blocks = kilobytes * 2
    words = ("sh", "-c", f'ulimit -f {blocks}; exec "$@"', "sh")

    ran = launched(home, "sync", "gc", "--apply", through=words)

    assert ran.code in (0, 5), ran.err
    with closing(sqlite3.connect(database(home))) as connection:
        (payloads,) = connection.execute("SELECT COUNT(*) FROM payloads").fetchone()
        (purged,) = connection.execute("SELECT COUNT(*) FROM purged").fetchone()
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert payloads + purged == 400
    assert delivered("journal", "verify").code == 0
    assert delivered("sync", "gc", "--apply").code == 0


def test_a_file_in_wal_mode_shrinks_too(delivered: Run, home: Path) -> None:
    """Its log is emptied as well."""
    with closing(sqlite3.connect(database(home))) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    before = database(home).stat().st_size

    assert delivered("sync", "gc", "--apply").code == 0

    wal = database(home).with_name("eventsync.db-wal")
    left = database(home).stat().st_size + (wal.stat().st_size if wal.exists() else 0)
    assert left < before / 2


def test_a_preview_is_one(delivered: Run, home: Path) -> None:
    """Named as such, also beside what else would act; writing anew is told where it was done."""
    before = database(home).read_bytes()

    check_told(delivered("sync", "gc", "--apply", "--dry-run"), 64, "usage")
    ran = delivered("sync", "gc", "--dry-run", "--compact", "--json")

    assert (ran.document["dry_run"], ran.document["compacted"]) == (True, False)
    assert database(home).read_bytes() == before


def test_to_write_it_anew_is_an_act(delivered: Run, home: Path) -> None:
    """By which no payload goes; its preview counts the same, and the log has a line of it."""
    log = home / "eventsync" / "acts.log"
    log.touch()

    would = delivered("sync", "gc", "--compact", "--dry-run", "--json").document
    did = delivered("sync", "gc", "--compact", "--json").document
    said = delivered("sync", "gc", "--compact").out

    assert (did["dry_run"], did["compacted"], did["purged"], did["skipped"]) == (False, True, 0, 0)
    assert [would[key] for key in ("dry_run", "purged", "skipped")] == [True, 0, 0]
    assert said.startswith("gc: the database was written anew  (")
    assert "skipped" not in said
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(each["purged"], each["compacted"]) for each in lines] == [(0, True)] * 2
    assert delivered("sync", "gc", "--json").document["purged"] > 0
