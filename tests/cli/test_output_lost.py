"""Output that nobody gets: a reader that left is no error, a full disk is."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.bad_input import PROGRAM
from tests.cli.conftest import Run

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
WORDS = [
    ("--version",),
    pytest.param(("--version", "--json"), marks=pytest.mark.long),
    pytest.param(("--help",), marks=pytest.mark.long),
    ("sync", "now", "--help", "--json"),
    ("sync", "status"),
    ("sync", "status", "--json"),
    pytest.param(("journal", "list"), marks=pytest.mark.long),
    ("journal", "list", "--json"),
]


@needs_full
@pytest.mark.parametrize("words", WORDS)
def test_output_to_a_full_disk(run: Run, home: Path, events: Path, words: tuple[str, ...]) -> None:
    """It is exit 5, and told once."""
    run("capture", str(events))

    with FULL.open("wb") as full:
        done = subprocess.run(
            [*PROGRAM, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    assert done.returncode == 5
    assert done.stderr.count("the output cannot be written: No space left on device") == 1
    assert "Traceback" not in done.stderr


@needs_full
def test_what_was_done_is_done(run: Run, home: Path, events: Path) -> None:
    """Only what was said of it is lost."""
    with FULL.open("wb") as full:
        done = subprocess.run(
            [*PROGRAM, "capture", str(events)], stdout=full, stderr=subprocess.PIPE, check=False
        )

    assert done.returncode == 5
    assert run("capture", str(events), "--json").document["duplicates"] == 20


@needs_full
def test_a_failure_keeps_its_code(run: Run, home: Path) -> None:
    """What went wrong first says more."""
    with FULL.open("wb") as full:
        done = subprocess.run(
            [*PROGRAM, "sync", "mode", "NOPE", "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode == 64
    assert done.stderr.count("[output_lost]") == 1


@pytest.mark.parametrize("words", WORDS)
def test_a_reader_that_left(run: Run, home: Path, events: Path, words: tuple[str, ...]) -> None:
    """It wanted no more."""
    run("capture", str(events))
    reading, writing = os.pipe()
    os.close(reading)

    done = subprocess.run([*PROGRAM, *words], stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)

    assert (done.returncode, done.stderr) == (0, b"")
