"""What `sync status` and `--check` answer, key by key, in the cases that others rely on."""

import json
from pathlib import Path
from typing import Any

import pytest

from eventsync_adapters import machine
from eventsync_adapters.server import Serving, serve
from eventsync_core.receivers import Script
from tests.cli.conftest import Run
from tests.cli.gates import EXTERNAL

_SECTIONS = {
    "event_journal": {
        "retained_event_count": 0,
        "archived_event_count": 0,
        "oldest_retained_event_at": None,
        "journal_size_bytes": 0,
        "gc_suggested": False,
        "gc_suggestion": None,
    },
    "delivery_targets": {"current": None, "previous": []},
    "delivery_ledger": {
        "delivered_current_target": 0,
        "delivered_previous_target": 0,
        "pending": 0,
        "rejected": 0,
        "transient": 0,
    },
    "migration_conflicts": {"count": 0, "cleanup_blocked": False, "conflicts": []},
    "terminal_failures": {"count": 0, "events": []},
    "body_upload_compatibility": {"body_upload_queue_count": 0, "body_upload_failure_log_count": 0},
}
_AUTHORITY = {
    "configured_server_url",
    "env_server_url",
    "override_mode",
    "resolved_server_url",
    "user_id",
    "team_slug",
    "derived_queue_scope",
    "queue_db_path",
    "active_queue_scope_status",
}
_IDENTITY = {"package_version", "executable_path", "source_path", "server_url", "team_or_user"}
_BASE: dict[str, set[str] | None] = {
    "ok": None,
    "exit_code": None,
    "auth_required": None,
    "auth_present": None,
    "live_orphan_daemon_count": None,
    "mismatches": None,
    "orphan_records": None,
    "foreground": {*_IDENTITY, "queue_db_path", "pid"},
    "daemon_owner_record": {*_IDENTITY, "queue_db_path", "pid", "port", "status"},
    "active_queue": {"path", "event_count", "body_upload_count"},
    "legacy_queue": {"path", "event_count", "body_upload_count", "rows_in_scope"},
}


def _status(run: Run, *words: str) -> Any:
    return run("sync", "status", *words, "--json").document


def _rows(text: str) -> dict[str, str]:
    """Return the values by their labels, as a program that reads the text finds them."""
    pairs = (line.strip().partition("  ") for line in text.splitlines())
    return {label: value.strip() for label, _, value in pairs if value}


def _choose(run: Run, url: str) -> str:
    ran = run(*EXTERNAL, url, "--json")
    assert ran.code == 0
    return str(ran.document["target"]["target_id"])


def _captured(run: Run, tmp_path: Path, count: int) -> None:
    path = tmp_path / "many.jsonl"
    path.write_text("".join(f'{{"event_id": "n{n}"}}\n' for n in range(count)))
    assert run("capture", str(path)).code == 0


@pytest.mark.requirement("S1")
@pytest.mark.parametrize("words", [(), ("--check",)])
def test_the_zero_state_is_exact(run: Run, words: tuple[str, ...]) -> None:
    """All seven sections are there, each with its keys and nothing else, and all is zero."""
    document = _status(run, *words)

    assert {name: document[name] for name in _SECTIONS} == _SECTIONS
    assert set(document["target_authority"]) == _AUTHORITY
    assert (document["ok"], document["exit_code"], document["reasons"]) == (True, 0, [])
    assert "event_sync_status_error" not in document


@pytest.mark.requirement("S2")
def test_the_base_keys_are_there(run: Run, events: Path) -> None:
    """With a store and without one."""
    fresh = _status(run, "--check")
    run("capture", str(events))
    used = _status(run, "--check")

    for document in (fresh, used):
        assert _BASE.keys() <= document.keys()
        for name, keys in _BASE.items():
            assert keys is None or set(document[name]) == keys
        assert document["daemon_owner_record"]["status"] == "absent"
        who = document["foreground"]
        assert (who["server_url"] is None) == (who["team_or_user"] is None)


@pytest.mark.requirement("S1")
def test_every_key_is_there_when_the_store_cannot_be_read(
    run: Run, home: Path, events: Path
) -> None:
    """What is unknown is null, the reason is named, and it is not ok."""
    run("capture", str(events))
    before = _status(run, "--check")
    (home / "eventsync" / "eventsync.db").write_bytes(b"no database" * 1_000)

    ran = run("sync", "status", "--check", "--json")

    assert ran.code == 2
    assert before.keys() < ran.document.keys()
    assert ran.document["event_sync_status_error"]
    assert ran.document["reasons"][0]["code"].startswith("store_")
    for name, zero in _SECTIONS.items():
        section = ran.document[name]
        assert section.keys() == zero.keys()  # type: ignore[attr-defined]
        counts = [value for key, value in section.items() if key.endswith("count") or value == 0]
        assert {count for count in counts if count is not False} <= {None}
    assert ran.document["backlog"]["stalled"] is None
    assert run("sync", "status", "--json").code == 5


@pytest.mark.requirement("S3")
def test_delivered_to_a_previous_target_only(run: Run, tmp_path: Path, receiver: Serving) -> None:
    """124 are retained, 124 went to the target before, none to the one chosen now."""
    _captured(run, tmp_path, 124)
    first = _choose(run, f"{receiver.url}/a")
    assert run("sync", "now").code == 0
    second = _choose(run, f"{receiver.url}/b")

    document, shown = _status(run, "--check"), run("sync", "status", "--check")

    journal, ledger = document["event_journal"], document["delivery_ledger"]
    assert (journal["retained_event_count"], ledger["delivered_previous_target"]) == (124, 124)
    assert ledger["delivered_current_target"] == 0
    assert journal["oldest_retained_event_at"] is not None
    assert journal["journal_size_bytes"] == sum(len(f'{{"event_id": "n{n}"}}') for n in range(124))
    targets = document["delivery_targets"]
    assert targets["current"]["target_id"] == second
    (previous,) = targets["previous"]
    assert (previous["target_id"], previous["delivered_count"]) == (first, 124)
    assert set(previous) == {*targets["current"], "delivered_count"}
    assert document["backlog"]["undelivered_current_target"] == 124
    rows = _rows(shown.out)
    assert (rows["Retained events"], rows["Delivered (cur/prev)"]) == ("124", "0/124")
    assert (document["ok"], shown.code) == (True, 0)


@pytest.mark.requirement("S4")
def test_a_target_without_deliveries_is_no_previous_one(
    run: Run, events: Path, receiver: Serving
) -> None:
    """It is known, and listed among all targets."""
    run("capture", str(events))
    _choose(run, f"{receiver.url}/a")
    _choose(run, f"{receiver.url}/b")

    document = _status(run)

    assert document["delivery_targets"]["previous"] == []
    assert document["targets_count"] == 2


@pytest.mark.requirement("S4")
def test_each_previous_target_counts_by_itself(run: Run, events: Path, receiver: Serving) -> None:
    """An event that two of them have counts twice; what they refused does not count here."""
    run("capture", str(events))
    for name in "ab":
        _choose(run, f"{receiver.url}/{name}")
        run("sync", "now")
    with serve(
        None, clock=machine.now, script=Script(events={"e1": {"status": "rejected"}})
    ) as refusing:
        refusing.start()
        _choose(run, refusing.url)
        assert run("sync", "now").code == 3
        assert _status(run)["delivery_ledger"]["rejected"] == 1
        _choose(run, f"{receiver.url}/c")

    ledger = _status(run)["delivery_ledger"]

    assert ledger["delivered_previous_target"] == 20 + 20 + 19
    assert (ledger["delivered_current_target"], ledger["rejected"]) == (0, 0)


@pytest.mark.requirement("S5")
@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ('[event_sync]\nmode = "EXTERNAL_RECEIVER"\nexternal_endpoint = "http://["', "http://["),
        (
            '[event_sync]\nmode = "TEAMSPACE"\n[sync]\nserver_url = "no url"\nteam = "t"',
            "no url",
        ),
    ],
)
def test_an_address_that_no_target_can_be_made_of(
    run: Run, home: Path, lines: str, place: str
) -> None:
    """It is shown as the current one, without an id."""
    home.mkdir()
    (home / "config.toml").write_text(lines)

    checked = run("sync", "status", "--check", "--json")

    current = checked.document["delivery_targets"]["current"]
    assert current["target_id"] is None
    assert current["canonical_url"] == place
    assert set(current) == {"target_id", "canonical_url", "team_slug", "user_email"}
    assert checked.code == 2
    assert [reason["code"] for reason in checked.document["reasons"]] == ["target_url_invalid"]
    assert run("sync", "status").code == 4


@pytest.mark.requirement("S7")
def test_a_terminal_failure_names_target_and_error(
    run: Run, tmp_path: Path, receiver: Serving
) -> None:
    """Also once another target is the current one."""
    large = tmp_path / "large.jsonl"
    large.write_text(json.dumps({"event_id": "large", "x": "y" * 600_000}) + "\n")
    run("capture", str(large))
    target_id = _choose(run, f"{receiver.url}/a")
    assert run("sync", "now").code == 3
    _choose(run, f"{receiver.url}/b")

    failures = _status(run)["terminal_failures"]

    assert failures["count"] == 1
    (failed,) = failures["events"]
    assert set(failed) == {"event_id", "target_id", "last_error"}
    assert (failed["event_id"], failed["target_id"]) == ("large", target_id)
    assert "600" in failed["last_error"]


@pytest.mark.requirement("S9")
def test_events_are_not_counted_among_bodies(run: Run, events: Path) -> None:
    """Nor the other way round: each section has its own tables."""
    run("capture", str(events))

    document = _status(run)

    assert document["body_upload_compatibility"] == _SECTIONS["body_upload_compatibility"]
    assert document["event_journal"]["retained_event_count"] == 20
    assert document["active_queue"]["event_count"] == 20
    assert document["active_queue"]["body_upload_count"] == 0


@pytest.mark.requirement("S14")
@pytest.mark.parametrize("is_there", [True, False])
@pytest.mark.parametrize("words", [(), ("--check",), ("--json",), ("--check", "--json")])
def test_looking_at_a_fresh_home_makes_nothing(
    run: Run, home: Path, words: tuple[str, ...], *, is_there: bool
) -> None:
    """Neither a file nor a folder, whether the home is there or not."""
    if is_there:
        home.mkdir()

    assert run("sync", "status", *words).code == 0

    assert home.exists() is is_there
    assert not is_there or list(home.iterdir()) == []


def test_classes_of_streams_and_targets_sum_to_what_was_captured(
    run: Run, events: Path, receiver: Serving
) -> None:
    """Those of a target are those of its streams together."""
    run("capture", str(events))
    run("capture", "--project", "p-2", str(_others(events)))
    receiver.set_script(Script(events={"e1": {"status": "rejected"}, "e2": {"status": "pending"}}))
    _choose(run, receiver.url)
    run("sync", "now")

    (target,) = _status(run)["targets"]

    for part in (target, *target["streams"]):
        assert sum(part["classes"].values()) == part["sum"] == part["captured"]
        assert part["coherent"] is True
    assert (target["captured"], target["classes"]["not_granted"]) == (23, 3)
    assert target["remaining_owed"] == 1
    assert target["oldest_owed_at"] is not None
    assert target["classes"]["delivered"] == 18


def _others(events: Path) -> Path:
    path = events.with_name("others.jsonl")
    path.write_text("".join(f'{{"event_id": "o{n}"}}\n' for n in range(3)))
    return path


def test_what_is_stored_is_reported(run: Run, events: Path) -> None:
    """The file, what is free in it, and what each stream keeps."""
    run("capture", str(events))
    run("capture", "--project", "p-2", str(_others(events)))

    storage = _status(run)["storage"]

    assert storage["streams"] == [
        {"stream": "default", "captured": 20, "retained": 20, "payload_bytes": 540},
        {"stream": "p-2", "captured": 3, "retained": 3, "payload_bytes": 54},
    ]
    assert storage["payload_bytes"] == 540 + 54
    assert storage["file_bytes"] % storage["page_bytes"] == 0
    assert storage["file_bytes"] > 0
    assert (storage["journal_mode"], storage["wal_bytes"]) == ("truncate", 0)
    assert storage["free_bytes"] == storage["free_pages"] * storage["page_bytes"]


_LABELS = """
Identity boundary:
  Foreground:
    Package version
    Executable path
    Source path
    Server URL
    Team/User
    Queue DB path
  Daemon owner record:
    Status
    PID
    Port
    Package version
    Executable path
    Source path
    Server URL
    Team/User
    Queue DB path
  Active queue:
    Path
    Event count
    Body upload cnt
  Legacy queue:
    Path
    Event count
    Body upload cnt
    Rows in scope
  Mismatches
  Orphan records
Event Sync:
  Mode
  Database
  Retained events
  Delivered (cur/prev)
  Terminal failures
coherent
"""


def test_the_labels_of_the_check_and_their_order(run: Run, home: Path) -> None:
    """What is not known has a placeholder; a column of its own parts label and value."""
    ran = run("sync", "status", "--check")

    lines = ran.out.splitlines()
    cut = [line.split(" : ")[0].split(": ")[0] for line in lines[: lines.index("Event Sync:")]]
    labels = [*cut, *(line[:26] for line in lines[lines.index("Event Sync:") :])]
    assert [label.rstrip() for label in labels] == _LABELS.strip("\n").splitlines()
    rows = [line for line in lines if line.startswith("    ")]
    assert {line.index(": ") for line in rows} == {20}
    assert f"    Server URL      : {'<unset>'}" in rows
    assert "    Status          : absent" in rows
    assert "    PID             : <absent>" in rows
    assert f"    Path            : {home.resolve() / 'queue.db'}" in rows
    assert "  Mismatches      : 0" in lines
    assert "  Orphan records  : 0" in lines


def test_rows_are_found_by_two_spaces(run: Run, events: Path) -> None:
    """As programs read them that were written for the older command line."""
    run("capture", str(events))

    rows = _rows(run("sync", "status").out)

    assert rows["Mode"] == "LOCAL_RETENTION"
    assert rows["Retained events"] == "20"
    assert rows["Delivered (cur/prev)"] == "0/0"
    assert rows["Terminal failures"] == "0"
