"""The last line of an overflow file, while nothing ends it."""

from pathlib import Path

import pytest

from tests.legacy.conftest import Scene
from tests.legacy.old import envelope


@pytest.fixture
def overflow(scene: Scene) -> Path:
    """A whole line and the first half of another."""
    path = scene.place / "overflow-2026-02-02T02.jsonl"
    path.write_text(envelope("e1") + "\n" + envelope("e2")[:20])
    return path


def test_half_a_line_is_never_taken(scene: Scene, overflow: Path) -> None:
    """Its writer may be in the middle of it; what it writes then is one event."""
    scene.migrate()
    ran = scene.migrate("--take-quarantined")

    assert (ran.code, ran.document["error"]["code"]) == (3, "unfinished")
    assert ran.document["sources"][0]["rows_left"] == 1
    assert "no newline ends it" in ran.document["quarantined"][0]["detail"]
    with overflow.open("a") as writer:
        writer.write(envelope("e2")[20:] + "\n")
    assert scene.migrate().document["imported"] == 1
    assert scene.entries()["e2"].event.text == envelope("e2")


def test_half_a_line_that_somebody_ended_is_taken(scene: Scene, overflow: Path) -> None:
    """As every other that holds no event."""
    with overflow.open("a") as file:
        file.write("\n")

    ran = scene.migrate("--take-quarantined")

    assert (ran.code, ran.document["removed"]) == (0, 2)
    assert overflow.read_text().split() == []


def test_an_event_behind_one_that_left_is_stored_without_the_blanks(
    scene: Scene, overflow: Path
) -> None:
    """They were never its own."""
    overflow.write_text(envelope("e1"))
    scene.migrate()
    with overflow.open("a") as writer:
        writer.write(envelope("e2") + "\n")

    ran = scene.migrate()

    assert (ran.code, ran.document["removed"]) == (0, 1)
    assert scene.entries()["e2"].event.text == envelope("e2")
    assert overflow.read_text().split() == []
