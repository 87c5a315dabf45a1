"""`capture --coalesce`, and what the journal tells of it afterwards."""

import json
from pathlib import Path

import pytest

from eventsync_adapters.server import Serving
from tests.cli.conftest import Run


def dossier(event_id: str, path: str = "spec.md", **members: object) -> str:
    """Return one line about an artifact of a mission's dossier."""
    payload = {
        "namespace": {"project_uuid": "p", "mission_slug": "m"},
        "artifact_id": {"path": path},
    }
    event = {"event_id": event_id, "event_type": "MissionDossierArtifactIndexed"}
    return json.dumps({**event, "payload": payload, **members}) + "\n"


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """Two events about one artifact, and one about another."""
    path = tmp_path / "three.jsonl"
    path.write_text(dossier("a") + dossier("b", "plan.md") + dossier("c"))
    return path


def test_by_default_nothing_is_superseded(run: Run, three: Path) -> None:
    """It means that an event is not delivered, so somebody must say so."""
    found = run("capture", str(three), "--json").document

    assert (found["stored"], found["superseded"]) == (3, 0)
    entries = run("journal", "list", "--json").document["entries"]
    assert [entry["superseded"] for entry in entries] == [False, False, False]


@pytest.mark.requirement("C2")
def test_each_event_s_fate_is_told(run: Run, three: Path) -> None:
    """By which event it was superseded and when, and which ones that stands for."""
    found = run("capture", "--coalesce", str(three), "--json").document

    assert (found["stored"], found["superseded"]) == (3, 1)
    entries = run("journal", "list", "--json").document["entries"]
    assert [entry["superseded"] for entry in entries] == [True, False, False]
    old, new = (run("journal", "show", name, "--json").document for name in "ac")
    assert (old["superseded_by"]["event_id"], old["superseded_by"]["position"]) == ("c", 3)
    assert (old["supersedes"], old["supersedes_count"]) == ([], 0)
    assert new["superseded_by"] is None
    assert [each["event_id"] for each in new["supersedes"]] == ["a"]
    assert new["supersedes"][0]["at"] == old["superseded_by"]["at"] == new["captured_at"]
    assert old["text"] == dossier("a").strip()


def test_a_person_reads_it_too(run: Run, three: Path) -> None:
    """In the counts, in the list and beside the event."""
    assert "superseded 1" in run("capture", "--coalesce", str(three)).out
    assert run("journal", "list").out.count("superseded") == 1
    assert "superseded by c at position 3" in run("journal", "show", "a").out
    assert "supersedes a at position 1" in run("journal", "show", "c").out


def test_the_configuration_can_say_so(run: Run, home: Path, three: Path) -> None:
    """For every capture of the home."""
    home.mkdir()
    (home / "config.toml").write_text("[capture]\ncoalesce = true\n")

    assert run("capture", str(three), "--json").document["superseded"] == 1


def test_an_unusable_setting_supersedes_nothing(run: Run, home: Path, three: Path) -> None:
    """Capture stores as ever and names the file."""
    home.mkdir()
    (home / "config.toml").write_text('[capture]\ncoalesce = "yes"\n')

    ran = run("capture", str(three), "--json")

    assert (ran.code, ran.document["stored"], ran.document["superseded"]) == (0, 3, 0)
    assert "config.toml" in ran.err


def test_what_is_superseded_is_not_delivered(run: Run, three: Path, receiver: Serving) -> None:
    """Status counts it in its class, and nothing is left to do."""
    run("capture", "--coalesce", str(three))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", f"{receiver.url}/in")

    found = run("sync", "now", "--json").document

    assert (found["counts"]["delivered"], found["remaining_owed"]) == (2, 0)
    assert receiver.inbox.count() == 2
    (target,) = run("sync", "status", "--json").document["targets"]
    (stream,) = target["streams"]
    assert (stream["classes"]["superseded"], stream["classes"]["delivered"]) == (1, 2)
    assert (stream["sum"], stream["coherent"]) == (3, True)
    assert run("sync", "status", "--check").code == 0
