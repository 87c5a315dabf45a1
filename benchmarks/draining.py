"""Draining to a loopback sink: with the next batch packed ahead and without."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import ours, raw
from benchmarks.figures import MODES, Figure, events, timed
from eventsync_adapters.http import Transport

_WAYS = {True: "", False: ", not pipelined"}


@contextmanager
def _sink() -> Iterator[tuple[str, int]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.sink"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield "127.0.0.1", int(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate()


def drain(folder: Path, scale: int, corpus: Path | None) -> list[Figure]:
    """Drain 10,000 to a loopback sink, then again to a fresh target; bytes on disk."""
    figures = []
    label, texts = events(corpus, 10_000 // scale)
    for mode in MODES:
        plain = raw.connect(folder / f"raw-{mode}.db", mode)
        raw.append(plain, texts, each=False)
        with _sink() as (host, port):
            theirs = timed(lambda: raw.drain(plain, host, port))  # noqa: B023
            for ahead, way in _WAYS.items():
                path = folder / mode / way.strip(", ") / "drain.db"
                mine, again, size = _twice(path, mode, texts, f"http://{host}:{port}", ahead=ahead)
                name = f"drain {len(texts)} ({mode}, {label}{way})"
                figures.append(Figure(name, mine * 1e3, theirs * 1e3, "ms", 2.0))
                second = f"{name}: second target against first"
                figures.append(Figure(second, again, mine, "s", 1.05))
        plain.close()
        if mode == "truncate":
            beyond = (size - sum(len(text.encode()) for text in texts)) / len(texts)
            reach = 380.0 if corpus else 480.0
            disk = f"bytes on disk per delivered event beyond its payload ({label})"
            figures.append(Figure(disk, beyond, 1, "B", reach))
    return figures


def _twice(
    path: Path, mode: str, texts: list[str], url: str, *, ahead: bool
) -> tuple[float, float, int]:
    """Return the seconds to the first and the second target, and the file's size after one."""
    with (
        ours.open_home(path, mode) as stores,
        Transport(monotonic=time.monotonic) as transport,
    ):
        ours.append(stores, texts, each=False)
        first, second = (ours.granted(stores, f"{url}/{name}") for name in ("a", "b"))
        receiver, other = ours.over_http(first, transport), ours.over_http(second, transport)
        mine = timed(lambda: ours.deliver(stores, first, receiver, ahead=ahead))
        size = path.stat().st_size
        again = timed(lambda: ours.deliver(stores, second, other, ahead=ahead))
    return mine, again, size
