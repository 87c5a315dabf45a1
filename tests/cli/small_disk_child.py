"""Runs commands on a home whose disk is small; started where the disk is mounted."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

_BLOCK = 4_096


def fill(path: Path, leave: int) -> None:
    """Take all space but *leave* bytes."""
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(b"\0" * _BLOCK):
            pass
    with path.open("r+b") as file:
        file.truncate(max(path.stat().st_size - leave, 0))


def main(home: Path, commands: list[list[str]]) -> None:
    """Run each command and print how it ended; `fill N` and `free` change the disk instead."""
    filler = home / "filler"
    for command in commands:
        if command[0] == "fill":
            fill(filler, int(command[1]))
            continue
        if command[0] == "free":
            filler.unlink()
            continue
        program = [sys.executable, "-m", "eventsync_cli", "--home", str(home), *command]
        done = subprocess.run(program, capture_output=True, text=True, check=False)
        sys.stdout.write(json.dumps([done.returncode, done.stdout, done.stderr]) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
