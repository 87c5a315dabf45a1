"""Real events go out and come back byte for byte."""

import subprocess
import sys
from pathlib import Path

from tests.real.test_real_events import LINES, captured_lines, pytestmark, run

__all__ = ["exported", "heads_of", "pytestmark"]


def exported(home: Path, place: Path) -> bytes:
    words = ["journal", "export", str(place), "--all-projects"]
    command = [sys.executable, "-m", "eventsync_cli", "--home", str(home), *words]
    subprocess.run(command, capture_output=True, check=True)
    return place.read_bytes()


def heads_of(home: Path) -> list[tuple[str, int, str, str]]:
    found = []
    for stream in run(home, "journal", "verify")["streams"]:
        assert stream["intact"]
        after = f"{stream['stream']}:{stream['head'] - 1}"
        (last,) = run(home, "journal", "list", "--after", after, "--limit", "1")["entries"]
        shown = run(home, "journal", "show", last["event_id"])
        found.append((stream["stream"], stream["head"], shown["digest"], shown["chain"]))
    return found


def test_what_goes_out_comes_back(tmp_path: Path) -> None:
    """The last chain of a stream stands for every id, digest and position of it."""
    run(tmp_path / "one", "capture", str(LINES), code=3)
    whole = exported(tmp_path / "one", tmp_path / "one.jsonl")

    captured = run(tmp_path / "two", "capture", str(tmp_path / "one.jsonl"))

    assert (captured["stored"], captured["refused_count"]) == (14_115, 0)
    assert sorted(whole.decode().splitlines()) == sorted(captured_lines().values())
    assert heads_of(tmp_path / "two") == heads_of(tmp_path / "one")
    assert exported(tmp_path / "two", tmp_path / "two.jsonl") == whole
