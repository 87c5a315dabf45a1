"""What is measured: each case returns figures of ours against the raw program's."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import ours, raw
from benchmarks.corpus import made_events
from benchmarks.draining import drain
from benchmarks.exceptions import exceptions
from benchmarks.figures import MODES, Figure, events, grown, timed
from benchmarks.migrating import migrate
from benchmarks.status import look
from eventsync_adapters import machine


def append(folder: Path, scale: int, corpus: Path | None) -> list[Figure]:
    """Append one by one and in bulk, both journal modes."""
    figures = []
    for mode in MODES:
        label, texts = events(corpus, 5_000 // scale)
        plain = raw.connect(folder / f"raw-{mode}.db", mode)
        with ours.open_home(folder / mode / "one.db", mode) as stores:
            mine = timed(lambda: ours.append(stores, texts, each=True))  # noqa: B023
        theirs = timed(lambda: raw.append(plain, texts, each=True))  # noqa: B023
        each = 1e6 / len(texts)
        name = f"append one by one, durable ({mode}, {label})"
        figures.append(Figure(name, mine * each, theirs * each, "us", 1.3))
        plain.close()
        figures.extend(_bulk(folder, mode, *events(corpus, 100_000 // scale)))
    return figures


def _bulk(folder: Path, mode: str, label: str, texts: list[str]) -> list[Figure]:
    each = 1e6 / len(texts)
    plain = raw.connect(folder / f"raw-bulk-{mode}.db", mode)
    theirs = timed(lambda: raw.append(plain, texts, each=False)) * each
    plain.close()
    proven = raw.connect(folder / f"raw-proven-{mode}.db", mode)
    same = timed(lambda: raw.append_proven(proven, texts)) * each
    proven.close()
    with ours.open_home(folder / mode / "bulk.db", mode) as stores:
        mine = timed(lambda: ours.append(stores, texts, each=False)) * each
    name = f"append in bulk ({mode}, {label}"
    return [
        Figure(f"{name})", mine, theirs, "us", 2.5),
        Figure(f"{name}; raw with the same digests)", mine, same, "us"),
    ]


def select(folder: Path, scale: int, _: Path | None) -> list[Figure]:
    """Select the next 1,000, an idle pass and the counts, at 10k, 100k and 1M entries."""
    figures: list[Figure] = []
    small: Sequence[float] = ()
    for size in dict.fromkeys((10_000, 100_000 // scale, 1_000_000 // scale)):
        found = _select_at(folder / str(size) / "eventsync.db", size)
        small = small or found
        at = f"at {size:,} against at 10,000"
        figures.append(Figure(f"select 1,000, {at}", found[0] * 1e3, small[0] * 1e3, "ms", 2))
        figures.append(Figure(f"idle pass, {at}", found[1] * 1e3, small[1] * 1e3, "ms", 2))
        figures.append(Figure(f"status counts, {at}", found[2] * 1e3, small[2] * 1e3, "ms", 1.5))
        figures.append(Figure(f"whole status, {at}", found[4] * 1e3, small[4] * 1e3, "ms", 2))
        figures.append(
            Figure(f"select 1,000 at {size:,} against raw", found[0] * 1e3, found[3] * 1e3, "ms")
        )
    return figures


def _select_at(path: Path, size: int) -> tuple[float, float, float, float, float]:
    with ours.open_home(path, "wal") as stores:
        for start in range(0, size, 10_000):
            ours.append(stores, made_events(10_000, start=start), each=False)
        busy, idle = (ours.granted(stores, f"http://localhost/{name}") for name in ("a", "b"))
        ours.deliver(stores, busy, ours.Instant(busy), events=size - 1_000)
        ours.deliver(stores, idle, ours.Instant(idle))
        backlog, ledger = stores.backlog, ours.Instant(idle)
        room = 10_000_000

        def next_thousand() -> object:
            return backlog.tail(busy.target_id, "default", max_events=1_000, max_bytes=room)

        chosen = backlog.tail(busy.target_id, "default", max_events=1_000, max_bytes=room)[0]
        assert len(chosen) == 1_000
        selecting = min(timed(next_thousand) for _ in range(15))
        passing = min(timed(lambda: ours.deliver(stores, idle, ledger)) for _ in range(15))
        counting = min(
            timed(lambda: backlog.tally(busy.target_id, "default", at=machine.now()))
            for _ in range(15)
        )
        looking = min(timed(lambda: look(stores, busy)) for _ in range(15))
    plain = raw.connect(path.with_name("raw.db"), "wal")
    raw.append(plain, made_events(10_000), each=False)
    reading = min(timed(lambda: raw.select(plain, 5_000, 1_000)) for _ in range(15))
    plain.close()
    return selecting, passing, counting, reading, looking


def start(folder: Path, _: int, __: Path | None) -> list[Figure]:
    """Cold start of `--version`, of one capture and of a status, against `python -c pass`."""
    event = folder / "one.jsonl"
    home = ["--home", str(folder / "home")]
    event.write_text(made_events(1)[0] + "\n", encoding="utf-8")
    program = [sys.executable, "-m", "eventsync_cli"]
    commands = {
        "eventsync --version": ([*program, "--version"], 4.5),
        "eventsync capture, one event": ([*program, *home, "capture", str(event)], 8.0),
        "eventsync sync status": ([*program, *home, "sync", "status"], None),
    }
    for command, _reach in commands.values():
        subprocess.run(command, check=True, capture_output=True)
    bare = _cold([sys.executable, "-c", "pass"])
    return [
        Figure(f"cold start: {name}", _cold(command) * 1e3, bare * 1e3, "ms", reach)
        for name, (command, reach) in commands.items()
    ]


def _cold(command: list[str]) -> float:
    def run() -> None:
        subprocess.run(command, check=True, capture_output=True)

    return sorted(timed(run) for _ in range(9))[4]


def memory(folder: Path, scale: int, _: Path | None) -> list[Figure]:
    """Peak memory growth while draining 100,000, in a process of its own (Linux only)."""
    count = 100_000 // scale
    with ours.open_home(folder / "eventsync.db", "wal") as stores:
        for first in range(0, count, 10_000):
            ours.append(stores, made_events(10_000, start=first), each=False)
    growth = grown("drain", folder / "eventsync.db")
    return [Figure(f"peak memory growth draining {count:,}", growth, 1.0, "MB", 25)]


CASES: dict[str, Callable[[Path, int, Path | None], list[Figure]]] = {
    "append": append,
    "drain": drain,
    "select": select,
    "exceptions": exceptions,
    "start": start,
    "memory": memory,
    "migrate": migrate,
}
