"""Two processes on one stream: no gap, no double, no clock twice."""

import subprocess
import sys
from pathlib import Path

import pytest

from eventsync_adapters.sqlite import open_stores
from eventsync_core.integrity import verify
from tests.sqlite.conftest import World
from tests.sqlite.test_storage import make_wal

CHILD = Path(__file__).with_name("appending_child.py")


@pytest.mark.requirement("J9")
@pytest.mark.parametrize("wal", [False, True])
def test_two_processes_append(world: World, *, wal: bool) -> None:
    """Every position from 1 on is there once, and no lamport clock is given twice."""
    world.stores.close()
    if wal:
        make_wal(world.path)
    children = [
        subprocess.Popen(
            [sys.executable, str(CHILD), str(world.path), name, "60"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("a", "b")
    ]
    said = []
    for child in children:
        out, err = child.communicate()
        assert (child.returncode, err) == (0, "")
        said.append([tuple(int(word) for word in line.split()) for line in out.splitlines()])

    positions = sorted(position for lines in said for position, _ in lines)
    clocks = [clock for lines in said for _, clock in lines]
    assert positions == list(range(1, 121))
    assert sorted(clocks) == list(range(1, 121))
    for lines in said:
        assert lines == sorted(lines)
    with open_stores(world.path) as stores:
        assert verify(stores.journal, "default").good == 120
