import gzip
import io
import os
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run

REAL = Path(__file__).parents[3] / "shared" / "real-events" / "mission-events.jsonl.gz"


def test_lines_are_judged_one_by_one(run: Run, tmp_path: Path) -> None:
    """Duplicates, conflicts and refused lines are counted and named; the rest is stored."""
    path = tmp_path / "in.jsonl"
    path.write_text('{"event_id":"a"}\n\n{"event_id": "a"}\n{"event_id":"a","x":1}\nno\n{"x":1}')

    ran = run("capture", str(path), "--json")

    assert ran.code == 3
    found = ran.document
    assert (found["stored"], found["duplicates"], found["held"]) == (1, 1, 0)
    assert [(item["line"], item["event_id"]) for item in found["conflicts"]] == [(4, "a")]
    assert [(item["line"], item["code"]) for item in found["refused"]] == [
        (5, "not_json"),
        (6, "no_event_id"),
    ]


def test_gzip_is_recognised_and_may_break_off(run: Run, tmp_path: Path) -> None:
    """What came before the break is kept, and the line reached is named."""
    lines = "".join(f'{{"event_id": "e{n}", "t": "{os.urandom(20).hex()}"}}\n' for n in range(900))
    path = tmp_path / "in.gz"
    path.write_bytes(gzip.compress(lines.encode())[:-2_000])

    ran = run("capture", str(path), "--json")

    assert ran.code == 3
    found = ran.document
    assert [item["code"] for item in found["refused"]] == ["input_broke_off"]
    assert 0 < found["stored"] == found["refused"][0]["line"] < 900


@pytest.mark.parametrize("name", ["", "missing.jsonl"])
def test_unusable_input_is_a_usage_error(run: Run, tmp_path: Path, home: Path, name: str) -> None:
    """A directory or a missing file is refused before anything is made."""
    ran = run("capture", str(tmp_path / name), "--json")

    assert (ran.code, ran.document["error"]["code"]) == (64, "input_unusable")
    assert not home.exists()


def test_a_pipe_is_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without FILE standard input is read; a last line needs no newline."""
    raw = io.BytesIO(b'{"event_id":"a"}\n{"event_id":"b"}')
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(raw))

    assert run("capture", "--json").document["stored"] == 2


def test_a_corrupt_configuration_does_not_stop_capture(run: Run, home: Path, events: Path) -> None:
    """Events are stored, and the file is named."""
    home.mkdir()
    (home / "config.toml").write_text("[event_sync\n")

    ran = run("capture", str(events))

    assert ran.code == 0
    assert "config.toml" in ran.err
    assert run("sync", "now").code == 4
    assert (home / "config.toml").read_text() == "[event_sync\n"


def test_opt_out_refuses_what_may_not_be_dropped(run: Run, home: Path, events: Path) -> None:
    """Nothing is dropped in silence: policy refuses, with exit 4."""
    home.mkdir()
    (home / "config.toml").write_text('[event_sync]\nmode = "opt_out"\n')

    ran = run("capture", str(events), "--json")

    assert (ran.code, ran.document["stored"], ran.document["refused_count"]) == (4, 0, 20)


def test_a_file_that_is_no_database(run: Run, home: Path, events: Path) -> None:
    """The store's own failure is exit 5, and what was stored so far is told."""
    (home / "eventsync").mkdir(parents=True)
    (home / "eventsync" / "eventsync.db").write_bytes(b"not a database" * 1_000)

    ran = run("capture", str(events), "--json")

    assert (ran.code, ran.document["stored"]) == (5, 0)
    assert ran.document["error"]["code"] == "store_unreadable"
    assert run("sync", "status").code == 5
    assert run("sync", "status", "--check").code == 2
    status = run("sync", "status", "--json").document
    assert status["event_journal"]["retained_event_count"] is None
    assert status["event_sync_status_error"]


def test_the_stream_is_that_of_the_project(run: Run, events: Path) -> None:
    """The project named stands for events that name none."""
    ran = run("--project", "ABC", "capture", str(events), "--json")

    assert ran.document["streams"] == {"abc": 20}


@pytest.mark.skipif(not REAL.exists(), reason="the corpus is not here")
def test_real_events(run: Run) -> None:
    """The corpus comes out as it was counted by hand."""
    ran = run("capture", str(REAL), "--json")

    found = ran.document
    assert (ran.code, found["stored"], found["duplicates"]) == (3, 14_115, 4)
    assert (found["conflicts_count"], found["refused_count"]) == (1, 3)
