"""
What a process leaves behind that dies by SIGKILL, at every step that it makes.

Steps are statements of any database, and writes to files without a buffer. Before each, a fork
copies the home: that is what such a death leaves, for what was written stays and locks go.

As a program: the home, the folder for the copies, how many steps to go before the next copy, the
most rows of a unit of work, and the words of the command.
"""

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from eventsync_cli.__main__ import main
from eventsync_core.migration import _migrate as migrating

_NAMES = ("execute", "executemany", "write")


def watch(home: Path, into: Path, *words: str, every: int, at_once: int = 20_000) -> None:
    """
    Run the command *words* to its end, with a copy of *home* in *into* at each moment.

    A unit of work of a migration has at most *at_once* rows.
    """
    command = [sys.executable, __file__, str(home), str(into), str(every), str(at_once)]
    ran = subprocess.run(
        [*command, "--home", str(home), "--json", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def each_moment(into: Path, home: Path) -> Iterator[str]:
    """Yield the number of each step, with *home* as it stood before that."""
    for copy in sorted(into.iterdir()):
        shutil.rmtree(home)
        copy.rename(home)
        yield copy.name


def _is_step(called: Any) -> bool:
    if getattr(called, "__name__", "") not in _NAMES:
        return False
    return called.__name__ != "write" or isinstance(called.__self__, io.FileIO)


def _run(home: Path, into: Path, every: int, words: list[str]) -> int:
    count = 0

    def on_call(_: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        if event == "c_call" and _is_step(argument):
            count += 1
            if count % every == 0:
                _copy(home, into / f"{count:06}")

    into.mkdir()
    sys.setprofile(on_call)
    code = main(words)
    sys.setprofile(None)
    return code


def _copy(home: Path, copy: Path) -> None:
    """Copy in another process: here, closing a database would drop the locks on it."""
    child = os.fork()
    if not child:
        sys.setprofile(None)
        try:
            shutil.copytree(home, copy, symlinks=True)
        finally:
            os._exit(not copy.exists())
    assert os.waitpid(child, 0)[1] == 0


if __name__ == "__main__":
    migrating._ROWS_AT_ONCE = migrating._ROWS_IN_ONE_UNIT = int(sys.argv[4])
    sys.exit(_run(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[5:]))
