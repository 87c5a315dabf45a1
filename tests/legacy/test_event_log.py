"""A git event log, whose lines move."""

from pathlib import Path

from tests.legacy.conftest import Scene
from tests.legacy.old import envelope, queue


def test_a_settled_conflict_stays_settled(scene: Scene, tmp_path: Path) -> None:
    """On whatever line its content stands; and an open one keeps no other line from being taken."""
    queue(scene.queue, ["e1"])
    other = envelope("e1", payload={"n": 2})
    log = tmp_path / "status.events.jsonl"
    log.write_text(f"{other}\nnonsense\n")
    words = ("--from", str(log))
    ran = scene.migrate(*words, "--take-quarantined")
    assert (ran.code, ran.document["conflicts_count"]) == (3, 1)
    assert ran.document["conflicts"][0]["source"] == str(log)
    assert scene.migrate(*words, "--take-quarantined", "--resolve", "keep-journal").code == 0

    log.write_text(f"{envelope('e0')}\n{other}\n")

    ran = scene.migrate(*words)
    assert (ran.code, ran.document["conflicts_count"], ran.document["resolved"]) == (0, 0, 1)
    log.write_text(f"{envelope('e1', payload={'n': 3})}\n{other}\n")
    assert scene.migrate(*words).document["conflicts_count"] == 1
