"""
Run a command and die by SIGKILL at the nth statement of any database; print how many ran.

Words: the last statement, the most rows of a unit of work, and those of the command.
"""

import os
import signal
import sys
from types import FrameType
from typing import Any

from eventsync_cli.__main__ import main
from eventsync_core.migration import _migrate as migrating

_NAMES = ("execute", "executemany")


def run(last: int, words: list[str]) -> None:
    """Run *words*, but no more statements than *last*."""
    count = 0

    def watch(_: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        if event == "c_call" and getattr(argument, "__name__", "") in _NAMES:
            count += 1
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
