"""Files that may be read, and not be written."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.legacy.conftest import Scene
from tests.legacy.old import envelope, queue, rows

A = "aaaaaaaaaaaaaaaa"


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Return what makes the system say that a place may not be written to, to root as well."""
    access, refused = os.access, list[Path]()

    def said(path: Path, mode: int) -> bool:
        return not (mode & os.W_OK and Path(path) in refused) and access(path, mode)

    monkeypatch.setattr(os, "access", said)
    return refused.append


@pytest.mark.parametrize("place", ["queue.db", "."])
def test_a_preview_knows_a_queue_that_cannot_be_emptied(
    scene: Scene, refuse: Callable[[Path], None], place: str
) -> None:
    """It may not be written, or no journal may be made beside it; nothing is tried."""
    queue(scene.queue, ["e1"])
    refuse(scene.place / place)

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"], ran.document["removed"]) == (3, 1, 0)
    assert ran.document["error"]["code"] == "source_not_emptied"
    assert rows(scene.queue) == ["e1"]
    assert scene.migrate("--keep-sources").code == 0


def test_a_preview_knows_lines_that_cannot_be_emptied(
    scene: Scene, refuse: Callable[[Path], None]
) -> None:
    """Only the file itself has to be written."""
    one, other = (scene.place / f"overflow-{number}.jsonl" for number in (1, 2))
    one.write_text(envelope("e1") + "\n")
    other.write_text(envelope("e2") + "\n")
    refuse(one)
    refuse(scene.place)

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"], ran.document["removed"]) == (3, 2, 1)
    assert str(one) in ran.document["error"]["message"]
    assert (one.read_text(), other.read_text().split()) == (envelope("e1") + "\n", [])
