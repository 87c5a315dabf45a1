"""`capture --validate strict`: held with the reason, listed, released, delivered."""

import json
from pathlib import Path

import pytest

from eventsync_adapters.server import Serving
from tests.cli.conftest import Run

RIGHT = {
    "event_id": "01JMBY7K8N3QRVX2DPFG5HWT4E",
    "event_type": "WPStatusChanged",
    "aggregate_id": "WP01",
    "timestamp": "2026-07-08T15:06:44.422782+00:00",
    "build_id": "dd2fffd4-15d5-42ea-8b89-c9c6e6a908ab",
    "node_id": "2a1ce6d9424a",
    "correlation_id": "01JMBY7K8N3QRVX2DPFG5HWT4E",
    "project_uuid": "4f966d18-69e0-49e2-905a-d923c98d5eb2",
}
STREAM = str(RIGHT["project_uuid"])
WRONG = {**RIGHT, "event_id": "8JMBY7K8N3QRVX2DPFG5HWT4EE", "actor": "5ecret"}
REASON = "event_id is neither a ULID nor a UUID; actor belongs into the payload"


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A valid envelope, and one with an id of 129 bits and a key of an older version."""
    path = tmp_path / "two.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in (RIGHT, WRONG)))
    return path


def _configure(home: Path, text: str) -> None:
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text(text)


def test_by_default_nothing_is_asked_of_an_envelope(run: Run, two: Path) -> None:
    """Validation is for who wants it."""
    found = run("capture", str(two), "--json").document

    assert (found["stored"], found["held"]) == (2, 0)


@pytest.mark.parametrize("configured", [False, True])
def test_what_is_invalid_is_held_listed_released_and_delivered(
    run: Run, home: Path, two: Path, receiver: Serving, *, configured: bool
) -> None:
    """As it is; the reason names keys and quotes no value."""
    words = [] if configured else ["--validate", "strict"]
    if configured:
        _configure(home, '[capture]\nvalidate = "strict"\n')
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url, "--project", STREAM)
    ran = run("capture", str(two), *words, "--json")
    assert (ran.code, ran.document["stored"], ran.document["held"]) == (0, 2, 1)
    assert run("sync", "now", "--json").document["counts"]["delivered"] == 1

    listed = run("journal", "list", "--hold", "invalid", "--json").document
    (entry,) = listed["entries"]
    assert (entry["event_id"], entry["position"]) == (WRONG["event_id"], 2)
    assert (entry["hold"], entry["hold_reason"]) == ("invalid", REASON)
    assert (listed["entries_count"], listed["next_after"]) == (1, None)
    assert f"held: invalid: {REASON}" in run("journal", "list").out
    assert REASON in run("journal", "show", WRONG["event_id"]).out

    run("journal", "release", "--hold", "invalid", "--project", STREAM)
    assert run("sync", "now", "--json").document["counts"]["delivered"] == 1
    texts = [text for _, _, text in receiver.inbox.received()]
    assert texts == two.read_text().splitlines()
    assert run("journal", "list", "--hold", "invalid", "--json").document["entries"] == []
    assert "nothing is held for that" in run("journal", "list", "--hold", "invalid").out


def test_the_command_line_wins(run: Run, home: Path, two: Path) -> None:
    """For this capture only."""
    _configure(home, '[capture]\nvalidate = "strict"\n')

    assert run("capture", "--validate", "off", str(two), "--json").document["held"] == 0


def test_a_held_event_stays_held_when_it_comes_again(run: Run, two: Path) -> None:
    """A duplicate changes nothing, whatever is asked of it then."""
    run("capture", "--validate", "strict", str(two))

    again = run("capture", str(two), "--json").document

    assert (again["duplicates"], again["stored"]) == (2, 0)
    assert run("journal", "list", "--hold", "invalid", "--json").document["entries_count"] == 1


def test_an_unknown_word_in_the_file_is_named(run: Run, home: Path, two: Path) -> None:
    """Capture stores as ever; what would contact a target is refused."""
    _configure(home, '[capture]\nvalidate = "lax"\n')

    ran = run("capture", str(two), "--json")

    assert (ran.code, ran.document["stored"]) == (0, 2)
    assert "validate is none of off, strict" in ran.err
    assert run("sync", "now").code == 4


def test_an_unknown_word_on_the_command_line_is_usage(run: Run, home: Path, two: Path) -> None:
    """Nothing is stored."""
    ran = run("capture", "--validate", "lax", str(two), "--json")

    assert (ran.code, ran.document["ok"]) == (64, False)
    assert not (home / "eventsync").exists()


def test_held_ones_are_listed_page_by_page(run: Run, tmp_path: Path) -> None:
    """Across streams, and after any entry."""
    path = tmp_path / "many.jsonl"
    lines = [
        json.dumps({"event_id": f"{project}{number}", "project_uuid": project})
        for project in "ab"
        for number in range(3)
    ]
    path.write_text("\n".join(lines) + "\n")
    run("capture", "--validate", "strict", str(path))
    run("journal", "release", "b1")

    found, after = [], None
    while True:
        words = ("--after", after) if after else ()
        page = run(
            "journal", "list", "--hold", "invalid", "--limit", "2", *words, "--json"
        ).document
        assert page["entries_count"] == 5
        found += [entry["event_id"] for entry in page["entries"]]
        after = page["next_after"]
        if after is None:
            break

    assert found == ["a0", "a1", "a2", "b0", "b2"]
    only = run("journal", "list", "--hold", "invalid", "--project", "b", "--json").document
    assert (only["entries_count"], len(only["entries"])) == (2, 2)
    assert run("journal", "list", "--hold", "operator", "--json").document["entries_count"] == 0
