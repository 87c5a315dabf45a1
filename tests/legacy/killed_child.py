"""
Run a command and die by SIGKILL at the nth step; print how many there were.

Words: the last step, the most rows of a unit of work, and those of the command.

Steps are statements of any database, and writes to files without a buffer.
"""

import io
import os
import signal
import sys
from types import FrameType
from typing import Any

from eventsync_cli.__main__ import main
from eventsync_core.migration import _migrate as migrating

_NAMES = ("execute", "executemany", "write")


def _is_step(called: Any) -> bool:
    return called.__name__ != "write" or isinstance(called.__self__, io.FileIO)


def run(last: int, words: list[str]) -> None:
    """Run *words*, but no more steps than *last*."""
    count = 0

    def watch(_: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        if event == "c_call" and getattr(argument, "__name__", "") in _NAMES:
            count += _is_step(argument)
            if count > last:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)
    code = main(words)
    sys.setprofile(None)
    sys.stderr.write(f"\n{count}\n")
    sys.exit(code)


if __name__ == "__main__":
    migrating._ROWS_AT_ONCE = migrating._ROWS_IN_ONE_UNIT = int(sys.argv[2])
    run(int(sys.argv[1]), sys.argv[3:])
