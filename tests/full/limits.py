"""Commands in a process of their own whose files may not grow beyond a limit."""

import io
import json
import os
import pkgutil
import signal
import sqlite3
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import eventsync_adapters
import eventsync_cli
import eventsync_core
from eventsync_cli.__main__ import main
from tests.cli.conftest import Ran

if sys.platform != "win32":
    import resource

DATABASE = "eventsync.db"
_UNFINISHED = ".eventsync-unfinished-"
_HOUR_NANOS = 3_600_000_000_000
_connect = sqlite3.connect
_time_ns = time.time_ns

Limit = Callable[[], None]


def import_all() -> None:
    """Import what commands import late, once here instead of in every fork."""
    for package in (eventsync_adapters, eventsync_cli, eventsync_core):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "otel" not in module.name:
                import_module(module.name)


def no_limit() -> None:
    """Let every file grow as far as the disk goes."""


def pages(database: int, copies: int) -> Limit:
    """Let a home's database have *database* pages at most, and a copy of it *copies*."""

    def connect(place: Any, *more: Any, **named: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = _connect(place, *more, **named)
        name = Path(unquote(urlsplit(str(place)).path)).name
        most = {DATABASE: database}.get(name, copies if name.startswith(_UNFINISHED) else 0)
        if most and "mode=ro" not in str(place):
            connection.execute(f"PRAGMA max_page_count = {most}")
        return connection

    def take() -> None:
        # Every connection of the adapters comes from here, and the pragma holds for one only.
        sqlite3.connect = connect  # type: ignore[assignment]

    return take


def file_size(size: int) -> Limit:
    """Let no file grow beyond *size* bytes."""

    def take() -> None:
        # Python 3.11 puts cut bytecode in place.
        sys.dont_write_bytecode = True
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return take


def forked(home: Path, words: Sequence[str], limit: Limit = no_limit, *, hours: int = 0) -> Ran:
    """Run a command under *limit* in a fork, *hours* later, and say how it ended."""
    out, into = os.pipe()
    with warnings.catch_warnings():
        # The receiver has a thread here, which waits; the fork does not need it.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os.close(out)
        _run(into, home, words, limit, hours)
    os.close(into)
    with os.fdopen(out, "rb") as answer:
        said = answer.read()
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, (status, words)
    return Ran(*json.loads(said))


def _run(into: int, home: Path, words: Sequence[str], limit: Limit, hours: int) -> None:
    told, talk = io.StringIO(), io.StringIO()
    code, done = -1, 1
    try:
        time.time_ns = lambda: _time_ns() + hours * _HOUR_NANOS
        with redirect_stdout(told), redirect_stderr(talk):
            limit()
            code = main(["--home", str(home), *words])
        with os.fdopen(into, "w") as answer:
            json.dump([code, told.getvalue(), talk.getvalue()], answer)
        done = 0
    finally:
        sys.stderr.flush()
        os._exit(done)
