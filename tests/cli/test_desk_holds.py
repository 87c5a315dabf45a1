from pathlib import Path
from typing import Any

import pytest

from eventsync_adapters.server import Serving
from tests.cli.conftest import Run


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """Two events that are held because a key stands twice."""
    path = tmp_path / "odd.jsonl"
    path.write_text("".join(f'{{"event_id": "odd{n}", "a": 1, "a": 2}}\n' for n in range(2)))
    return path


def _move(run: Run, *words: str) -> Any:
    """Hold or release, having looked: the preview says the same and changes nothing."""
    before = run("journal", "list", "--json").document
    preview = run("journal", *words, "--dry-run", "--json").document
    assert run("journal", "list", "--json").document == before
    done = run("journal", *words, "--json")
    assert done.code == 0
    assert {**preview, "dry_run": False} == done.document
    return done.document


def test_a_held_event_goes_nowhere_until_it_is_released(
    run: Run, events: Path, receiver: Serving
) -> None:
    """The others go; released, it goes with the next sync now, and its story tells all of it."""
    run("capture", str(events))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)

    assert _move(run, "hold", "e3", "e4", "--reason", "look at it")["held"] == 2
    now = run("sync", "now", "--json")
    assert (now.code, now.document["counts"]["delivered"]) == (0, 18)
    again = _move(run, "hold", "e3", "e5")
    assert (again["held"], again["already_held"]) == (1, 1)

    back = _move(run, "release", "e3", "e6")
    assert (back["released"], back["not_held"]) == (1, 1)
    assert run("sync", "now", "--json").document["counts"]["delivered"] == 1

    shown = run("journal", "show", "e3", "--json").document
    (hold,) = shown["holds"]
    assert (hold["hold"], hold["reason"]) == ("operator", "look at it")
    assert (hold["actor"], hold["released_by"]) == ("cli", "cli")
    assert hold["held_at"] < hold["released_at"]
    assert (shown["hold"], shown["holds_count"]) == (None, 1)
    text = run("journal", "show", "e3").out
    assert "look at it" in text
    assert "Released" in text
    assert "operator" in run("journal", "show", "e4").out


def test_all_that_is_held_for_one_reason_is_released(
    run: Run, events: Path, odd: Path, receiver: Serving
) -> None:
    """Of the stream of --project only, and what is held for another reason stays."""
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    run("capture", str(odd))
    run("capture", str(events))
    other = odd.with_name("other.jsonl")
    other.write_text('{"event_id": "else", "project_uuid": "p", "a": 1, "a": 2}\n')
    run("capture", str(other))
    run("journal", "hold", "e1")
    run("sync", "now")

    assert _move(run, "release", "--hold", "local_only")["released"] == 0
    done = _move(run, "release", "--hold", "invalid")

    assert (done["released"], done["stream"], done["hold"]) == (2, "default", "invalid")
    held = [
        entry["event_id"]
        for entry in run("journal", "list", "--json").document["entries"]
        if entry["hold"]
    ]
    assert held == ["e1", "else"]
    assert _move(run, "release", "--hold", "invalid", "--project", "P")["released"] == 1
    shown = run("journal", "show", "odd1", "--json").document
    assert (shown["holds"][0]["actor"], shown["holds"][0]["released_by"]) == ("", "cli")
    run("sync", "now")
    assert run("journal", "show", "odd1", "--json").document["targets"][0]["attempts"] == 1


def test_nothing_to_release_in_a_fresh_home(run: Run, home: Path) -> None:
    """It is no error, and makes no file."""
    for words in ((), ("--dry-run",)):
        ran = run("journal", "release", "--hold", "operator", *words, "--json")
        assert (ran.code, ran.document["released"]) == (0, 0)

    assert not home.exists()


def test_a_request_that_was_answered_as_a_whole_is_told(run: Run, events: Path) -> None:
    """Where nobody was there, show names the request, what it carried and why it failed."""
    run("capture", str(events))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", "http://127.0.0.1:1/in")
    run("sync", "now")

    (target,) = run("journal", "show", "e1", "--json").document["targets"]

    (request,) = target["requests"]
    assert (target["requests_count"], target["history"]) == (1, [])
    assert (request["status"], request["answer"], request["event_count"]) == (None, "back_off", 20)
    assert request["guidance"]
    assert request["body_bytes"] > 0
    assert request["opened_at"] < request["closed_at"]
    assert "back_off" in run("journal", "show", "e1").out


def test_a_reason_is_kept_as_one_line(run: Run, events: Path) -> None:
    """Whoever looks at it reads a line of a terminal, nothing else."""
    run("capture", str(events))

    run("journal", "hold", "e1", "--reason", "look\n at\x1b[31m " + "x" * 500)

    (hold,) = run("journal", "show", "e1", "--json").document["holds"]
    assert hold["reason"].startswith("look at [31m xxx")
    assert len(hold["reason"]) == 200
