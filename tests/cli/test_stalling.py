"""While events are owed and nothing is delivered for long, every command says so."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from eventsync_adapters import machine
from eventsync_adapters.server import Serving
from eventsync_adapters.sqlite import open_stores
from eventsync_core.capture import capture_many
from eventsync_core.clock import MINUTE
from tests.cli.conftest import Ran, Run
from tests.cli.gates import EXTERNAL

HOUR = 60 * MINUTE


@pytest.fixture
def target_id(run: Run, receiver: Serving) -> str:
    """Choose the receiver and return its target's id."""
    return str(run(*EXTERNAL, receiver.url, "--json").document["target"]["target_id"])


def _long_ago(home: Path, target_id: str, *, hours: float = 3, count: int = 5) -> None:
    """Let it be so long that events were captured, and that they may go there."""
    at = machine.now() - int(hours * HOUR)
    with open_stores(home / "eventsync" / "eventsync.db") as stores:
        capture_many(stores, [{"event_id": f"old{n}"} for n in range(count)], at=at)
        stores.grants.revoke(target_id, "default", actor="me", reason="", at=at - HOUR)
        stores.grants.grant(
            target_id, "default", from_position=0, actor="me", reason="", at=at - HOUR
        )


def _reasons(ran: Ran) -> dict[str, Any]:
    return {reason["code"]: reason for reason in ran.document["reasons"]}


def test_every_command_says_it_in_its_closing_line(
    run: Run, home: Path, events: Path, target_id: str
) -> None:
    """On stderr, whatever else the command does and says."""
    _long_ago(home, target_id)

    for words in (
        ("sync", "status"),
        ("sync", "status", "--json"),
        ("capture", str(events)),
        ("journal", "list"),
        ("target", "list"),
    ):
        ran = run(*words)
        assert ran.code == 0
        last = ran.err.splitlines()[-1]
        assert "owed events for 3 hours, and nothing was delivered meanwhile; owed now:" in last
        assert last.endswith("run: eventsync sync now")


EVERY = (
    "journal show old1",
    "journal show nobody",
    "journal verify",
    "journal export -",
    "journal hold old1",
    "journal hold nobody",
    "journal backup {tmp}/copy.db",
    "journal purge --project other --dry-run",
    "target show {target}",
    "target show nobody",
    "target revoke nobody",
    "body list",
    "body retry",
    "body push",
    "sync gc",
    "sync archive {tmp}/archive.jsonl.gz",
    "sync migrate",
    "sync retry",
    "sync doctor",
    "sync support-bundle {tmp}/bundle.zip",
    "sync status --prometheus",
    "audit list",
    "audit purges",
    "config show",
    "family list",
    "sync mode",
    "sync server",
    "sync server nonsense",
)


def test_no_command_is_silent(run: Run, home: Path, tmp_path: Path, target_id: str) -> None:
    """Nor one that fails: the line follows what is said of the failure."""
    _long_ago(home, target_id)

    silent = [
        words
        for words in EVERY
        if "[stalled]" not in run(*words.format(tmp=tmp_path, target=target_id).split()).err[-400:]
    ]

    assert silent == []


def test_a_line_is_worth_no_copy(
    run: Run, home: Path, target_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a store that an older program wrote it is told by commands that read the store."""
    _long_ago(home, target_id)
    database = home / "eventsync" / "eventsync.db"
    with closing(sqlite3.connect(database)) as older, older:
        older.execute("DELETE FROM schema_migrations WHERE version > '0017'")
    monkeypatch.setattr("tempfile.TemporaryDirectory", None)

    assert run("config", "show").err == ""
    assert "TypeError" in run("sync", "status").err  # this one needs the copy that cannot be made


def test_the_check_says_it_once_to_each(run: Run, home: Path, target_id: str) -> None:
    """On stdout why it is not coherent, on stderr what ended the command, with its fix."""
    _long_ago(home, target_id)

    ran = run("sync", "status", "--check")

    assert ran.err.count("nothing was delivered meanwhile") == 1
    assert ran.out.count("nothing was delivered meanwhile") == 1
    assert ran.err.splitlines()[-1] == "fix: eventsync sync now"


def test_the_check_is_not_coherent_until_something_is_delivered(
    run: Run, home: Path, target_id: str
) -> None:
    """The reason names the command that helps."""
    _long_ago(home, target_id)

    checked = run("sync", "status", "--check", "--json")

    assert (checked.code, checked.document["ok"]) == (2, False)
    assert (checked.document["exit_code"], checked.document["backlog"]["stalled"]) == (2, True)
    assert checked.document["backlog"]["seconds_since_progress"] >= 3 * 3_600
    stalled = _reasons(checked)["stalled"]
    assert "owed now: 5" in stalled["message"]
    assert run("sync", "status").code == 0
    assert run(*stalled["fix"]["argv"][1:]).err == ""
    assert run("sync", "status", "--check").code == 0


@pytest.mark.parametrize(
    ("line", "is_stalled"),
    [
        ("stall_after = 0", False),
        ("stall_after = 7200", True),
        ("stall_after = 14400", False),
    ],
)
def test_how_long_is_configured(
    run: Run, home: Path, target_id: str, line: str, *, is_stalled: bool
) -> None:
    """Zero turns it off."""
    _long_ago(home, target_id)
    with (home / "config.toml").open("a") as file:
        file.write(f"[status]\n{line}\n")

    checked = run("sync", "status", "--check", "--json")

    assert ("stalled" in _reasons(checked)) is is_stalled
    assert ("[stalled]" in checked.err) is is_stalled
    assert checked.document["backlog"]["stall_after_seconds"] == int(line.split()[-1])


@pytest.mark.parametrize("value", ['"1h"', "-1", "1.5", "true", "99999999999"])
def test_what_is_no_number_of_seconds_is_named(
    run: Run, home: Path, target_id: str, value: str
) -> None:
    """As any other fault of the configuration is."""
    with (home / "config.toml").open("a") as file:
        file.write(f"[status]\nstall_after = {value}\n")

    ran = run("sync", "status", "--json")

    assert ran.code == 4
    assert "stall_after" in ran.document["error"]["message"]


def test_what_came_lately_does_not_stall(
    run: Run, home: Path, events: Path, target_id: str
) -> None:
    """However long ago the last delivery was."""
    _long_ago(home, target_id)
    run("sync", "now")
    with open_stores(home / "eventsync" / "eventsync.db") as stores:
        long_ago = machine.now() - 9 * HOUR
        stores._database.connection.execute("UPDATE targets SET last_delivery_at = ?", [long_ago])
    run("capture", str(events))

    ran = run("sync", "status", "--check", "--json")

    assert (ran.code, ran.err) == (0, "")
    assert ran.document["backlog"]["seconds_since_progress"] < 600
    assert ran.document["targets"][0]["seconds_since_delivery"] > 8 * 3_600


def test_a_delivery_that_is_still_to_come_hides_no_stall(
    run: Run, home: Path, target_id: str
) -> None:
    """The clock was set back since."""
    _long_ago(home, target_id)
    with open_stores(home / "eventsync" / "eventsync.db") as stores:
        ahead = machine.now() + 9 * HOUR
        stores._database.connection.execute("UPDATE targets SET last_delivery_at = ?", [ahead])

    ran = run("sync", "status", "--check", "--json")

    assert "stalled" in _reasons(ran)
    assert ran.document["targets"][0]["seconds_since_delivery"] is None


def test_how_long_it_stalls_is_not_how_long_ago_it_got_something(
    run: Run, home: Path, target_id: str
) -> None:
    """What came hours after the last delivery: each time is told as what it is."""
    _long_ago(home, target_id)
    with open_stores(home / "eventsync" / "eventsync.db") as stores:
        long_ago = machine.now() - 9 * HOUR
        stores._database.connection.execute("UPDATE targets SET last_delivery_at = ?", [long_ago])

    said = run("sync", "status", "--check").out

    assert "    last delivery 324" in said
    assert "has been owed events for 3 hours, and nothing was delivered meanwhile" in said


def test_a_target_granted_lately_does_not_stall(
    run: Run, home: Path, receiver: Serving, target_id: str
) -> None:
    """What it is owed is old, but nobody could have delivered it; nor does a previous one."""
    _long_ago(home, target_id)
    run(*EXTERNAL, f"{receiver.url}/other")

    ran = run("sync", "status", "--check")

    assert (ran.code, ran.err) == (0, "")


def test_what_is_paused_is_helped_by_its_end(
    run: Run, home: Path, receiver: Serving, target_id: str
) -> None:
    """Sending would not help, whatever gate is closed too."""
    _long_ago(home, target_id)
    receiver.close()
    assert run("sync", "now").code != 0
    run("target", "pause", "--reason", "moving")

    checked = run("sync", "status", "--check", "--json")

    assert "network_unavailable" in checked.document["gates"]
    argv = _reasons(checked)["stalled"]["fix"]["argv"]
    assert argv == ["eventsync", "target", "resume"]
    assert run(*argv[1:]).code == 0


def test_the_fix_is_for_the_home_that_was_named(run: Run, home: Path, target_id: str) -> None:
    """In the reason and in the closing line."""
    _long_ago(home, target_id)

    checked = run("sync", "status", "--check", "--json", "--home", str(home))

    argv = ["eventsync", "--home", str(home), "sync", "now"]
    assert _reasons(checked)["stalled"]["fix"] == {"argv": argv}
    assert checked.err.strip().endswith(f"run: {' '.join(argv)}")


def test_without_a_target_nothing_stalls(run: Run, home: Path, target_id: str) -> None:
    """Mode LOCAL_RETENTION owes nobody anything."""
    _long_ago(home, target_id)
    run("sync", "mode", "LOCAL_RETENTION")

    ran = run("sync", "status", "--check")

    assert (ran.code, ran.err) == (0, "")
