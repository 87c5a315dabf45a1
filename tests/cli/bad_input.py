"""What every failure must look like, and that it took nothing away."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.cli.conftest import Ran, Run

PROGRAM = (sys.executable, "-m", "eventsync_cli")


def check_told(ran: Ran, code: int, error: str) -> Ran:
    """Check a failure told to a person: one line with its word, one with a fix."""
    assert ran.code == code, ran
    assert "Traceback" not in ran.out + ran.err
    lines = ran.err.splitlines()
    (place,) = [n for n, line in enumerate(lines) if line.endswith(f"[{error}]")]
    assert lines[place].startswith("eventsync: ")
    assert lines[place + 1].startswith("fix: ")
    return ran


def check_document(ran: Ran, code: int, error: str) -> Ran:
    """Check a failure told to a program: exactly one object with code, message and fix."""
    assert ran.code == code, ran
    assert ran.document["ok"] is False
    found = ran.document["error"]
    assert found["code"] == error
    assert found["message"].strip()
    assert "\n" not in found["message"]
    assert set(found["fix"]) in ({"argv"}, {"text"})
    assert all(found["fix"].values())
    return ran


def fails(run: Run, *words: str, code: int, error: str) -> Ran:
    """Run a command in both forms, check both, and return what the program was told."""
    check_told(run(*words), code, error)
    return check_document(run(*words, "--json"), code, error)


def keeps(run: Run, count: int) -> None:
    """Check that all *count* events stand there, whole."""
    ran = run("journal", "verify", "--json")
    assert (ran.code, ran.document["verified"], ran.document["broken_count"]) == (0, count, 0)


def launched(home: Path, *words: str, through: Sequence[str] = ()) -> Ran:
    """Run a command in a process of its own, started *through* another program."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONWARNINGS": "error"}
    # Under a limit on the size of files Python 3.11 puts cut bytecode in place, for all who follow.
    env |= {"PYTHONDONTWRITEBYTECODE": "1"} if through else {}
    done = subprocess.run(
        [*through, *PROGRAM, "--home", str(home), *words],
        capture_output=True,
        check=False,
        env=env,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
