"""Bringing old queues home: against a raw program, and when there is nothing to do."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import old_queues
from benchmarks.figures import Figure, grown, timed
from eventsync import migrate_legacy
from eventsync_core.migration import MigrationRules

_CALLS = 25


def migrate(folder: Path, scale: int, _: Path | None) -> list[Figure]:
    """Migrate 20,000 rows; then calls with nothing to do, and a status while rows wait."""
    count = 20_000 // scale
    made = old_queues.make_queue(folder / "made.db", count)
    theirs = timed(lambda: old_queues.import_raw(made, folder / "raw.db"))
    figures = []
    for name, rules in (
        ("library", MigrationRules()),
        ("library, sources kept", MigrationRules(keep_sources=True)),
    ):
        home = _home(folder / name, made)
        mine = timed(lambda: migrate_legacy(home, rules=rules))  # noqa: B023
        figures.append(Figure(f"migrate {count} ({name})", mine * 1e3, theirs * 1e3, "ms", 5.0))
    home = _home(folder / "process", made)
    mine = timed(lambda: _command(home, "migrate"))
    again = timed(lambda: _command(home, "migrate"))
    figures.append(Figure(f"migrate {count} (command)", mine * 1e3, theirs * 1e3, "ms", 5.0))
    figures.append(Figure("the command with nothing to do, of that", again * 1e3, mine * 1e3, "ms"))
    return [*figures, *_idle(folder, made), *_growth(folder, scale)]


def _growth(folder: Path, scale: int) -> list[Figure]:
    """Peak memory growth with ten times the rows, against that with 20,000 (Linux only)."""
    found = []
    for rows in (20_000 // scale, 200_000 // scale):
        home = folder / f"rows-{rows}"
        old_queues.make_queue(home / "waiting", rows)
        old_queues.make_queue(home / "queues" / "queue-0000000000000000.db", 2, seed=1)
        found.append(grown("migrate", home))
        shutil.rmtree(home)
    name = f"peak memory growth migrating {200_000 // scale:,} against {20_000 // scale:,}"
    return [Figure(name, found[1], found[0], "MB")]


def _idle(folder: Path, made: Path) -> list[Figure]:
    """Measure a call that finds nothing new beside 0, 3 and 30 files, and status."""
    figures = []
    for settled in (0, 3, 30):
        home = folder / f"settled-{settled}"
        home.mkdir()
        for number in range(settled):
            old_queues.make_queue(home / "queues" / f"queue-{number:016x}.db", 2, seed=number)
        migrate_legacy(home)
        idle = _usual(lambda: migrate_legacy(home))  # noqa: B023
        name = f"migrate_legacy with nothing to do, {settled} old files"
        figures.append(Figure(name, idle * 1e3, 10.0, "ms", 1.0))
    quiet, waiting = folder / "settled-3", folder / "waiting"
    shutil.copytree(quiet, waiting)
    shutil.copy(made, waiting / "queue.db")
    for home in (quiet, waiting):
        _command(home, "status")
    without, told = (
        sorted(timed(lambda: _command(home, "status")) for _ in range(9))[4]  # noqa: B023
        for home in (quiet, waiting)
    )
    name = "sync status while rows wait, against without"
    return [*figures, Figure(name, told * 1e3, without * 1e3, "ms")]


def _home(home: Path, made: Path) -> Path:
    home.mkdir()
    shutil.copy(made, home / "queue.db")
    return home


def _usual(call: Callable[[], object]) -> float:
    return sorted(timed(call) for _ in range(_CALLS))[_CALLS // 2]


def _command(home: Path, word: str) -> None:
    command = [sys.executable, "-m", "eventsync_cli", "--home", str(home), "sync", word]
    subprocess.run(command, check=True, capture_output=True)
