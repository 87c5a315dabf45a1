"""Real events go out and come back byte for byte."""

from pathlib import Path

import pytest

from eventsync_cli.__main__ import main
from tests.real.test_real_events import LINES, captured_lines, pytestmark, run, some_lines

__all__ = ["exported", "heads_of", "pytestmark"]


def exported(home: Path, place: Path) -> bytes:
    words = ["journal", "export", str(place), "--all-projects"]
    assert main(["--home", str(home), *words]) == 0
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
    source = some_lines(tmp_path / "some.jsonl")
    whole = round_trip(tmp_path, source, 500)

    assert sorted(whole.splitlines()) == sorted(source.read_bytes().splitlines())


@pytest.mark.long
def test_all_that_goes_out_comes_back(tmp_path: Path) -> None:
    """Of all lines, those that can be captured."""
    whole = round_trip(tmp_path, LINES, 14_115, code=3)

    assert sorted(whole.decode().splitlines()) == sorted(captured_lines().values())


def round_trip(place: Path, source: Path, count: int, code: int = 0) -> bytes:
    """Capture *source*, export it, capture that elsewhere, and return what was exported."""
    run(place / "one", "capture", str(source), code=code)
    whole = exported(place / "one", place / "one.jsonl")

    captured = run(place / "two", "capture", str(place / "one.jsonl"))

    assert (captured["stored"], captured["refused_count"]) == (count, 0)
    assert heads_of(place / "two") == heads_of(place / "one")
    assert exported(place / "two", place / "two.jsonl") == whole
    return whole
