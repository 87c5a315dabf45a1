"""Private copies that cannot be made."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from eventsync_adapters import machine
from eventsync_adapters.legacy_queues import _copy
from tests.legacy.conftest import Scene
from tests.legacy.old import queue, rows

resource = pytest.importorskip("resource", reason="pipes and limits are of POSIX")


@pytest.mark.parametrize("part", ["-journal", "-wal"])
def test_a_pipe_beside_a_queue_is_not_waited_for(scene: Scene, part: str) -> None:
    """The file is named and left alone, and status ends too."""
    queue(scene.queue, ["e1"])
    os.mkfifo(f"{scene.queue}{part}")

    ran = scene.migrate()

    (error,) = (source["error"] for source in ran.document["sources"])
    assert (ran.code, error["code"]) == (3, "source_unreadable")
    assert f"its {part} is no file" in error["message"]
    status = scene.run("sync", "status").document["waiting_sources"]
    assert f"its {part} is no file" in status[0]["error"]


def test_a_link_to_a_device_is_not_read(scene: Scene) -> None:
    """It would never end."""
    queue(scene.queue, ["e1"])
    Path(f"{scene.queue}-wal").symlink_to("/dev/zero")

    assert "its -wal is no file" in scene.migrate().document["error"]["message"]


def test_a_copy_that_stands_still_is_given_up(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a disk that does not answer."""
    queue(scene.queue, ["e1"])
    start = machine.start_alone

    def sleep(_: Sequence[str]) -> Any:
        return start([sys.executable, "-c", "import time; time.sleep(600)"])

    monkeypatch.setattr(_copy, "_STILL_SECONDS", 0.05)
    monkeypatch.setattr(machine, "start_alone", sleep)

    assert "copying it stands still" in scene.migrate().document["error"]["message"]


def test_no_room_for_a_copy(scene: Scene, tmp_path: Path) -> None:
    """The folder that is full is named, and what to do; the source is no worse for it."""

    queue(scene.queue, [f"e{number}" for number in range(2_000)])
    size = scene.queue.stat().st_size
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))

    words = ["-m", "eventsync_cli", "--home", str(scene.place), "sync", "migrate", "--dry-run"]
    ran = subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        preexec_fn=limit,
    )

    assert ran.returncode == 3
    assert f"no room for a private copy in {tmp_path}: File too large" in ran.stdout
    assert "[no_room_for_copy]" in ran.stdout
    assert "TMPDIR" in ran.stderr
    assert len(rows(scene.queue)) == 2_000
