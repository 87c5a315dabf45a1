"""Changes a store and is killed in the middle of the transaction."""

import os
import signal
import sqlite3
import sys


def main(path: str) -> None:
    """Spill uncommitted pages of a cache that is far too small into the file, then die."""
    connection = sqlite3.connect(path, isolation_level=None)
    if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        connection.execute("PRAGMA journal_mode = TRUNCATE")
    connection.execute("PRAGMA cache_size = 2")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE streams SET head = head + 1000, kept = kept + 1000, lamport = 77")
    connection.executemany(
        "INSERT INTO payloads VALUES (?, ?)", [(n, "x" * 8_000) for n in range(9_000, 9_200)]
    )
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1])
