"""What every case of the benchmarks shares."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import attrs

from benchmarks.corpus import file_events, made_events

MODES = ("truncate", "wal")


@attrs.frozen
class Figure:
    """One measurement of ours and of the raw program, in the same unit; smaller is better."""

    name: str
    ours: float
    raw: float
    unit: str
    reach: float | None = None


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that *work* took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def events(corpus: Path | None, count: int) -> tuple[str, list[str]]:
    """Return what the events are called, and *count* of them: made, or those of *corpus*."""
    if corpus is None:
        return "1 KB events", made_events(count)
    return corpus.name.split(".")[0], file_events(corpus)[:count]


def grown(work: str, place: Path) -> float:
    """Return by how many MB the peak memory of a process grows while it does *work*."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.growth", work, str(place)],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)
