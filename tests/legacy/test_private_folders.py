"""Folders for private copies are nobody else's while they are in use."""

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from eventsync_adapters import machine
from eventsync_adapters.legacy_queues import _folders


@pytest.mark.skipif(sys.platform == "win32", reason="Windows holds files for removers as well")
def test_who_removes_a_folder_lets_nobody_take_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that was made but not held yet is removed by another run, and never given out."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    hold, remove = machine.try_to_hold, shutil.rmtree
    removed: list[Path] = []

    def held(descriptor: int) -> bool | None:
        monkeypatch.setattr(machine, "try_to_hold", hold)
        _folders._remove_abandoned(tmp_path)
        return hold(descriptor)

    def removing(path: str, **_: Any) -> None:
        folder = Path(path)
        with (folder / "held").open("rb") as again:
            if (folder / "copy.db").exists() or hold(again.fileno()) is not False:
                raise AssertionError("it may be somebody's")
        removed.append(folder)
        remove(path)

    monkeypatch.setattr(machine, "try_to_hold", held)
    monkeypatch.setattr(shutil, "rmtree", removing)
    with _folders.private_folder() as folder:
        monkeypatch.setattr(shutil, "rmtree", remove)
        assert folder.is_dir()
        assert folder not in removed
        assert len(removed) == 1
    assert list(tmp_path.iterdir()) == []
