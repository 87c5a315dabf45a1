"""Run a command that is sent a signal by itself, in the midst of a chosen commit."""

import os
import signal
import sys

from eventsync_adapters.sqlite._connection import Database
from eventsync_cli.__main__ import main


def signal_at(number: int, nth: int, *, times: int) -> None:
    """Send this process signal *number* so many *times*, right before its *nth* commit."""
    commit, left = Database.commit, nth

    def commit_and_be_told(self: Database) -> None:
        nonlocal left
        left -= 1
        if not left:
            for _ in range(times):
                os.kill(os.getpid(), number)
        commit(self)

    Database.commit = commit_and_be_told  # type: ignore[method-assign]


if __name__ == "__main__":
    signal_at(signal.Signals[sys.argv[1]], int(sys.argv[2]), times=int(sys.argv[3]))
    sys.exit(main(sys.argv[4:]))
