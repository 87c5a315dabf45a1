"""What the commands did, one line each, where somebody made the file for it."""

import json
from pathlib import Path
from typing import Any

import pytest

from eventsync_adapters import machine
from eventsync_adapters.server import Serving
from eventsync_adapters.sqlite import open_stores
from eventsync_core.telemetry import LOG_EVENTS
from tests.cli.conftest import Run
from tests.cli.gates import EXTERNAL


@pytest.fixture
def log(home: Path) -> Path:
    return home / "eventsync" / "acts.log"


def _lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_each_act_is_one_line(
    run: Run, log: Path, events: Path, receiver: Serving, tmp_path: Path
) -> None:
    """With the fields that its event names, and no content."""
    run("capture", str(events))
    run(*EXTERNAL, receiver.url)
    log.touch()
    copy, archived = str(tmp_path / "copy.db"), str(tmp_path / "out.gz")

    for words in (
        ("sync", "now"),
        ("journal", "backup", copy),
        ("sync", "archive", archived),
        ("sync", "gc", "--apply"),
        ("journal", "import", archived),
        ("journal", "quarantine", "--damaged"),
        ("sync", "doctor", "--mend"),
        ("sync", "doctor", "--journal-mode", "truncate"),
        ("journal", "purge", "--project", "default"),
        ("journal", "restore", copy, "--replace"),
    ):
        run(*words)

    known = {each.name: list(each.fields) for each in LOG_EVENTS if each.where == "acts.log"}
    lines = _lines(log)
    assert {line["event"]: list(line) for line in lines} == known
    assert len(lines) == len(known) + 1
    assert lines[0]["counts"]["delivered"] == lines[2]["archived"] == 20
    assert "e1" not in log.read_text()


def test_a_look_is_no_act(run: Run, log: Path, events: Path) -> None:
    """Nor a list, nor what is only counted."""
    run("capture", str(events))
    log.touch()

    for words in (
        ("sync", "gc"),
        ("journal", "quarantine"),
        ("sync", "doctor"),
        ("sync", "status"),
        ("journal", "purge", "--project", "default", "--dry-run"),
    ):
        run(*words)

    assert _lines(log) == []


def test_what_did_nothing_is_no_act(
    run: Run, log: Path, events: Path, receiver: Serving, tmp_path: Path
) -> None:
    """Refused, or somebody else was at work; what drains when there is nothing left, is one."""
    empty = tmp_path / "empty.db"
    log.parent.mkdir(parents=True)
    log.touch()
    assert run("journal", "backup", str(empty)).code == 0
    run("capture", str(events))
    assert run("sync", "now").code == 0
    assert run("sync", "archive", str(tmp_path / "out.gz")).code == 4
    run(*EXTERNAL, receiver.url)
    run("target", "pause", "--reason", "a holiday")
    assert run("sync", "now").code == 3
    (target,) = run("target", "list", "--json").document["targets"]
    with open_stores(log.with_name("eventsync.db")) as stores:
        holder, at = machine.this_process(), machine.now()
        stores.leases.acquire(target["target_id"], "default", holder, at=at)
        assert run("journal", "purge", "--project", "default").code == 3

    assert _lines(log) == []


def test_nobody_who_does_not_want_it_gets_it(run: Run, log: Path, events: Path) -> None:
    """The file is not made."""
    run("capture", str(events))
    run("sync", "gc", "--apply")

    assert not log.exists()


def test_a_log_that_cannot_be_written_stops_nothing(
    run: Run, log: Path, events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said on stderr."""
    run("capture", str(events))
    log.mkdir()
    monkeypatch.setattr(Path, "is_file", Path.exists)

    ran = run("sync", "gc", "--apply")

    assert (ran.code, ran.err.count("acts.log cannot be written")) == (0, 1)


def test_a_line_that_was_cut_short_spoils_no_other(run: Run, log: Path, events: Path) -> None:
    """The disk was full in its midst; the next one stands in a line of its own."""
    run("capture", str(events))
    log.write_text('{"timestamp": "2026')

    run("sync", "gc", "--apply")
    run("sync", "gc", "--apply")

    cut, *whole = log.read_text().splitlines()
    assert (cut, len(whole)) == ('{"timestamp": "2026', 2)
    assert {json.loads(line)["event"] for line in whole} == {"payloads collected"}
