"""Print by how many MB the peak memory of this process grows: `drain STORE` or `migrate HOME`."""

import re
import sys
from pathlib import Path

from benchmarks import ours
from eventsync import migrate_legacy

_STATUS = Path("/proc/self/status")


def _peak_kb() -> int:
    """Return this process's own peak; `getrusage` would count the one of its parent too."""
    found = re.search(r"VmHWM:\s+(\d+) kB", _STATUS.read_text(encoding="ascii"))
    return int(found[1]) if found else 0


def _drain(path: Path) -> float:
    with ours.open_home(path, "wal") as stores:
        target = ours.granted(stores, "http://localhost/a")
        before = _peak_kb()
        ours.deliver(stores, target, ours.Instant(target))
        return (_peak_kb() - before) / 1024


def _migrate(home: Path) -> float:
    migrate_legacy(home)
    # Everything is loaded by now; what grows from here on is due to the rows.
    (home / "waiting").rename(home / "queue.db")
    before = _peak_kb()
    migrate_legacy(home)
    return (_peak_kb() - before) / 1024


if __name__ == "__main__":
    work = {"drain": _drain, "migrate": _migrate}[sys.argv[1]]
    sys.stdout.write(f"{work(Path(sys.argv[2])):.1f}\n")
