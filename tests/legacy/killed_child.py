"""
Run a command and die by SIGKILL at the nth step; print how many there were.

Steps are statements of any database, and writes to files without a buffer.
"""

import io
import os
import signal
import sys
from types import FrameType
from typing import Any

from eventsync_cli.__main__ import main

_NAMES = ("execute", "executemany")


def _is_step(called: Any) -> bool:
    name = getattr(called, "__name__", "")
    is_raw = isinstance(getattr(called, "__self__", None), io.FileIO)
    return name in _NAMES or (name == "write" and is_raw)


def run(last: int, words: list[str]) -> None:
    """Run *words*, but no more statements than *last*."""
    count = 0

    def watch(_: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        if event == "c_call" and _is_step(argument):
            count += 1
            if count > last:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)
    code = main(words)
    sys.setprofile(None)
    sys.stderr.write(f"\n{count}\n")
    sys.exit(code)


if __name__ == "__main__":
    run(int(sys.argv[1]), sys.argv[2:])
