"""Print by how many MB the peak memory of this process grows while it drains a store."""

import re
import sys
from pathlib import Path

from benchmarks import ours

_STATUS = Path("/proc/self/status")


def _peak_kb() -> int:
    """Return this process's own peak; `getrusage` would count the one of its parent too."""
    found = re.search(r"VmHWM:\s+(\d+) kB", _STATUS.read_text(encoding="ascii"))
    return int(found[1]) if found else 0


if __name__ == "__main__":
    with ours.open_home(Path(sys.argv[1]), "wal") as stores:
        target = ours.granted(stores, "http://localhost/a")
        before = _peak_kb()
        ours.deliver(stores, target, ours.Instant(target))
        sys.stdout.write(f"{(_peak_kb() - before) / 1024:.1f}\n")
