"""A disk that is full: exit 5 with a fix, nothing half written, and it goes on afterwards."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from eventsync_adapters.server import Serving
from tests.cli.bad_input import check_document, check_told, keeps, launched
from tests.cli.conftest import Ran, Run

CHILD = Path(__file__).with_name("small_disk_child.py")
IS_ROOT = sys.platform != "win32" and os.geteuid() == 0
UNSHARE = ["unshare", "--mount", *([] if IS_ROOT else ["--map-root-user"])]


def may_mount() -> bool:
    """Say whether this user may mount a disk of his own; root always may."""
    if IS_ROOT and sys.platform == "linux":
        return True
    if sys.platform != "linux":
        return False
    done = subprocess.run([*UNSHARE, "true"], capture_output=True, check=False)
    return done.returncode == 0


needs_mount = pytest.mark.skipif(
    not may_mount(), reason="not root, and this system lets nobody else mount"
)


def write_events(path: Path, count: int, *, prefix: str = "big", size: int = 2_000) -> Path:
    """Write *count* events of *size* bytes each."""
    path.write_text(
        "".join(f'{{"event_id": "{prefix}{n}", "t": "{"x" * size}"}}\n' for n in range(count))
    )
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_file_that_may_not_grow(run: Run, home: Path, events: Path, tmp_path: Path) -> None:
    """The store refuses what does not fit, keeps what it has, and takes it once it may grow."""
    run("capture", str(events))
    size = (home / "eventsync" / "eventsync.db").stat().st_size
    many = write_events(tmp_path / "many.jsonl", 300)
    limited = ("sh", "-c", f'ulimit -f {size // 512 + 64}; exec "$@"', "sh")

    plain = launched(home, "capture", str(many), through=limited)
    told = launched(home, "capture", str(many), "--json", through=limited)

    check_told(plain, 5, "store_not_writable")
    assert check_document(told, 5, "store_not_writable").document["stored"] == 0
    keeps(run, 20)
    assert run("capture", str(many), "--json").document["stored"] == 300
    keeps(run, 320)


def on_small_disk(home: Path, commands: Sequence[Sequence[str]]) -> list[Ran]:
    """Run *commands* where the home is a disk of 1,200 KiB."""
    home.mkdir()
    script = 'mount -t tmpfs -o size=1200k,mode=700 none "$1" && shift && exec "$@"'
    program = [sys.executable, str(CHILD), str(home), json.dumps(commands)]
    done = subprocess.run(
        [*UNSHARE, "sh", "-c", script, "sh", str(home), *program],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [Ran(*json.loads(line)) for line in done.stdout.splitlines()]


@needs_mount
def test_a_disk_that_fills_up_during_capture(home: Path, events: Path, tmp_path: Path) -> None:
    """What was stored before is whole, and what fits is still taken."""
    many = write_events(tmp_path / "many.jsonl", 500)
    few = write_events(tmp_path / "few.jsonl", 3, prefix="few", size=10)

    first, plain, told, verified, later, last = on_small_disk(
        home,
        [
            ["capture", str(events), "--json"],
            ["capture", str(many)],
            ["capture", str(many), "--json"],
            ["journal", "verify", "--json"],
            ["capture", str(few), "--json"],
            ["journal", "verify", "--json"],
        ],
    )

    assert (first.code, first.document["stored"]) == (0, 20)
    check_told(plain, 5, "store_full")
    assert check_document(told, 5, "store_full").document["stored"] == 0
    assert (verified.code, verified.document["verified"]) == (0, 20)
    assert (later.code, later.document["stored"]) == (0, 3)
    assert (last.code, last.document["verified"]) == (0, 23)


@needs_mount
def test_a_disk_too_full_to_begin(home: Path, events: Path) -> None:
    """Not even the first page of a store fits; once there is space it begins."""
    plain, told, status, done = on_small_disk(
        home,
        [
            ["fill", "0"],
            ["capture", str(events)],
            ["capture", str(events), "--json"],
            ["sync", "status", "--json"],
            ["free"],
            ["capture", str(events), "--json"],
        ],
    )

    check_told(plain, 5, "store_full")
    check_document(told, 5, "store_full")
    assert (status.code, status.document["event_journal"]["retained_event_count"]) == (0, 0)
    assert done.document["stored"] == 20


@needs_mount
@pytest.mark.parametrize(
    "leave", [0, *(pytest.param(each, marks=pytest.mark.long) for each in (12_288, 24_576))]
)
def test_a_disk_that_fills_up_during_a_drain(
    home: Path, events: Path, receiver: Serving, leave: int
) -> None:
    """What could not be noted is offered again; in the end all arrived, once each."""
    chosen = ["sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", f"{receiver.url}/in"]
    *_, plain, told, status, verified, now, again = on_small_disk(
        home,
        [
            ["capture", str(events)],
            chosen,
            ["fill", str(leave)],
            ["sync", "now"],
            ["sync", "now", "--json"],
            ["sync", "status", "--json"],
            ["journal", "verify", "--json"],
            ["free"],
            ["sync", "now", "--json"],
            ["sync", "now", "--json"],
        ],
    )

    if leave == 0:
        check_told(plain, 5, "store_full")
        check_document(told, 5, "store_full")
    assert plain.code in (0, 5)
    assert told.code in (0, 5)
    assert (status.code, verified.code, verified.document["verified"]) == (0, 0, 20)
    assert now.document["remaining_owed"] == 0
    assert (again.code, again.document["requests"]) == (0, 0)
    held = [kept.text for kept in receiver.inbox.received()]
    assert held == events.read_text().splitlines()
