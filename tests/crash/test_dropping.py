"""SIGKILL at many moments: whatever was said to be dropped is on record."""

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from eventsync_adapters.sqlite import open_for_reading, open_stores

SEED = 20_261_121
CHILD = Path(__file__).with_name("dropping_child.py")
TOGETHER = 5

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")


@pytest.mark.requirement("F7")
def test_what_was_dropped_is_on_record(tmp_path: Path) -> None:
    """Whole calls, in order, and the journal holds nothing."""
    rng = random.Random(SEED)
    path = tmp_path / "home" / "eventsync.db"
    open_stores(path).close()
    said: list[str] = []
    for turn in range(5):
        child = subprocess.Popen(
            [sys.executable, str(CHILD), str(path), str(turn * 1_000_000), str(TOGETHER)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        said += [child.stdout.readline().strip() for _ in range(rng.randint(1, 3 * TOGETHER))]
        child.send_signal(signal.SIGKILL)
        rest, _ = child.communicate()
        said += [line for line in rest.splitlines(keepends=True) if line.endswith("\n")]

        stores = open_for_reading(path)
        assert stores is not None
        with stores:
            rows = stores.audit.rows(limit=1_000_000)
            assert stores.journal.heads() == []
        assert {line.strip() for line in said} <= {row.event_id for row in rows}, f"turn {turn}"
        assert [row.number for row in rows] == list(range(1, len(rows) + 1))
        assert len(rows) % TOGETHER == 0
