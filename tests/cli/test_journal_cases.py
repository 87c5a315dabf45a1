"""What a journal promises, through the command line and the public ports."""

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

from eventsync_adapters.sqlite import open_stores
from eventsync_core.capture import CaptureRules, Receipt
from eventsync_core.journal import Appended, Entry, Head, Journal
from eventsync_core.testing import respell
from tests.cli.conftest import Run

LINES = [
    '{"event_id":"e1","n":1.50}',
    '{ "n" : -0, "event_id" : "e2" }',
    '{"event_id":"e3","text":"\\u00fc ü \\ud83d\\ude00 \U0001f600"}',
    '{"event_id":"e4","big":' + "9" * 5_000 + ',"exp":1E+5}',
    '{"event_id":"e5","drain_blocked_reason":"missing_auth"}',
    '{"event_id":"e6","x":1,"x":2}',
]


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """Six events whose bytes a careless program would change."""
    path = tmp_path / "odd.jsonl"
    path.write_text("".join(line + "\n" for line in LINES), encoding="utf-8")
    return path


def _stored(run: Run) -> list[str]:
    entries = run("journal", "list", "--json").document["entries"]
    return [
        run("journal", "show", entry["event_id"], "--json").document["text"] for entry in entries
    ]


@pytest.mark.requirement("J1")
def test_distinct_events_are_all_kept_byte_for_byte(run: Run, odd: Path) -> None:
    """As many entries as events, each with the very text that came in."""
    assert run("capture", str(odd), "--json").document["stored"] == len(LINES)

    assert _stored(run) == LINES


@pytest.mark.requirement("J2")
def test_the_same_bytes_again_are_one_entry(run: Run, odd: Path) -> None:
    """In another command, and in another spelling too."""
    run("capture", str(odd))
    assert run("capture", str(odd), "--json").document["duplicates"] == len(LINES)
    odd.write_text(respell(LINES[0]).replace("\n", "") + "\n")

    again = run("capture", str(odd), "--json")

    assert (again.code, again.document["duplicates"], again.document["stored"]) == (0, 1, 0)
    assert _stored(run) == LINES


@pytest.mark.requirement("J3")
def test_other_bytes_under_a_known_id_are_a_conflict(run: Run, odd: Path) -> None:
    """It is named with its line and exits 3; what is stored stays."""
    run("capture", str(odd))
    odd.write_text('{"event_id":"new"}\n{"event_id":"e1","n":"5ecret"}\n')

    again = run("capture", str(odd), "--json")

    assert again.code == 3
    (conflict,) = again.document["conflicts"]
    assert (conflict["line"], conflict["code"]) == (2, "payload_conflict")
    assert (conflict["event_id"], again.document["conflicts_count"]) == ("e1", 1)
    assert "5ecret" not in again.out + again.err
    assert _stored(run) == [*LINES, '{"event_id":"new"}']


def _verbs(port: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(port, inspect.isfunction) if name[0] != "_"}


@pytest.mark.requirement("J4")
def test_nothing_can_be_deleted(run: Run, home: Path, odd: Path) -> None:
    """The port has no verb for it, and no command of the journal takes anything away."""
    reading = {"find", "entries", "positions", "chains_before", "heads"}
    assert _verbs(Journal) == {"append", "next_lamport", *reading}
    run("capture", str(odd))
    names = [json.loads(line)["event_id"] for line in LINES[:3]]

    for words in (("hold", *names), ("release", *names), ("release", "--hold", "invalid")):
        assert run("journal", *words).code == 0

    assert _stored(run) == LINES
    with open_stores(home / "eventsync" / "eventsync.db") as stores:
        assert _verbs(type(stores.journal)) == _verbs(Journal)


@pytest.mark.requirement("J8")
def test_a_journal_knows_no_target() -> None:
    """No parameter and no field of what goes in or comes out names one."""
    words = {
        parameter
        for verb in _verbs(Journal)
        for parameter in inspect.signature(getattr(Journal, verb)).parameters
    }
    for kind in (Entry, Appended, Head, Receipt, CaptureRules):
        words |= {field.name for field in kind.__attrs_attrs__}

    assert {"stream", "position", "event", "producer"} <= words
    strange = ("target", "server", "url", "endpoint", "receiver", "token", "grant")
    assert [word for word in words if any(part in word for part in strange)] == []


@pytest.mark.requirement("J9")
def test_two_processes_capture_at_once(run: Run, home: Path, tmp_path: Path) -> None:
    """Nothing is lost, no position is given twice, and what both bring is there once."""
    children = []
    for name in "ab":
        path = tmp_path / f"{name}.jsonl"
        own = [json.dumps({"event_id": f"{name}{number}"}) for number in range(300)]
        shared = [json.dumps({"event_id": f"s{number}"}) for number in range(300)]
        pairs = zip(own, shared, strict=True)
        path.write_text("".join(f"{one}\n{two}\n" for one, two in pairs))
        command = [sys.executable, "-m", "eventsync_cli", "--home", str(home), "--json"]
        children.append(
            subprocess.Popen([*command, "capture", str(path)], stdout=subprocess.PIPE, text=True)
        )
    answers = [json.loads(child.communicate(timeout=60)[0]) for child in children]

    assert [answer["ok"] for answer in answers] == [True, True]
    assert sum(answer["stored"] for answer in answers) == 900
    assert sum(answer["duplicates"] for answer in answers) == 300
    entries = run("journal", "list", "--limit", "1000", "--json").document["entries"]
    assert [entry["position"] for entry in entries] == list(range(1, 901))
    assert len({entry["event_id"] for entry in entries}) == 900
    assert run("journal", "verify", "--json").document["verified"] == 900
