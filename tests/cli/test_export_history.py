"""`journal export` of what was asked for, and with what became of each event."""

import json
from pathlib import Path

import pytest

from eventsync_adapters.server import Serving
from tests.cli.bad_input import check_told
from tests.cli.conftest import Run


@pytest.fixture
def delivered(run: Run, events: Path, tmp_path: Path, receiver: Serving) -> Run:
    """A home with 20 delivered events, two typed ones that wait, one of them held."""
    run("capture", str(events))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    run("target", "grant")
    run("sync", "now")
    more = tmp_path / "more.jsonl"
    more.write_text('{"event_id":"a","event_type":"A"}\n{"event_id":"b","event_type":"B"}\n')
    run("capture", str(more))
    run("journal", "hold", "b", "--reason", "look at it")
    return run


def ids(run: Run, *words: str) -> list[str]:
    """Return the ids that an export has."""
    ran = run("journal", "export", "-", *words)
    assert ran.code == 0, ran.err
    return [json.loads(line)["event_id"] for line in ran.out.splitlines()]


def test_only_what_was_asked_for(delivered: Run) -> None:
    """By type, time of capture and who lacks it; the rest is counted."""
    target = delivered("target", "show", "--json").document["target_id"]
    captured = delivered("journal", "show", "a", "--json").document["captured_at"]

    assert ids(delivered, "--type", "A") == ["a"]
    assert ids(delivered, "--type", "A", "--type", "B") == ["a", "b"]
    assert ids(delivered, "--since", captured) == ["a", "b"]
    assert len(ids(delivered, "--until", captured)) == 20
    assert ids(delivered, "--undelivered-to", target) == ["a", "b"]
    ran = delivered("journal", "export", "-", "--type", "A")
    assert "left out, for they were not asked for: 21 events" in ran.err
    check_told(delivered("journal", "export", "-", "--since", "noon"), 64, "usage")
    check_told(delivered("journal", "export", "-", "--undelivered-to", "x"), 64, "target_unknown")


def test_history_goes_along(delivered: Run, tmp_path: Path) -> None:
    """In a new home what was delivered is, what waits is owed, what was held is held."""
    out, there = tmp_path / "all.jsonl", ("--home", str(tmp_path / "other"))
    target = delivered("target", "show", "--json").document["target_id"]
    delivered("journal", "export", str(out), "--with-history")
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert ["eventsync_history" in line for line in lines] == [False, True] * 22

    done = delivered(*there, "journal", "import", str(out), "--json")
    again = delivered(*there, "journal", "import", str(out), "--json").document

    assert (done.code, done.document["stored"], done.document["refused_count"]) == (0, 22, 0)
    assert (again["stored"], again["duplicates"]) == (0, 22)
    shown = delivered(*there, "journal", "show", "e1", "--json").document
    (told,) = shown["targets"]
    assert (told["target_id"], told["outcome"], told["attempts"]) == (target, "success", 1)
    held = delivered(*there, "journal", "show", "b", "--json").document
    assert (held["hold"], held["hold_reason"]) == ("operator", "look at it")
    plain = delivered("journal", "export", "-").out
    assert delivered(*there, "journal", "export", "-").out == plain
    assert delivered(*there, "journal", "verify").code == 0
    assert delivered(*there, "sync", "doctor", "--thorough").code == 0
    assert delivered(*there, "sync", "gc", "--json").document["purged"] == 20


def test_history_changes_nothing_that_is_known(delivered: Run, tmp_path: Path) -> None:
    """What was released since stays so, and a conflict's history is not believed."""
    out = tmp_path / "all.jsonl"
    delivered("journal", "export", str(out), "--with-history")
    delivered("journal", "release", "b")
    before = delivered("target", "show", "--json").document["grants"]

    delivered("journal", "import", str(out))

    assert delivered("journal", "show", "b", "--json").document["hold"] is None
    assert delivered("target", "show", "--json").document["grants"] == before


def test_a_history_that_is_none(run: Run, tmp_path: Path) -> None:
    """It is named, and all else is taken in."""
    path = tmp_path / "x.jsonl"
    path.write_text(
        '{"event_id":"e"}\n{"eventsync_history":{"version":1,"event_id":"e"}}\n'
        '{"eventsync_history":{"version":9}}\n{"eventsync_history":{"version":1,"event_id":"e",'
        '"held":null,"targets":[{"kind":"stub","url":"?","team":"","user":"","history":[]}]}}\n'
    )

    ran = run("journal", "import", str(path), "--json")

    assert (ran.code, ran.document["stored"]) == (3, 1)
    assert [each["line"] for each in ran.document["refused"]] == [2, 3, 4]
