"""A project with bodies, as the command line sees it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.cli.conftest import Ran, Run

PROJECT = "0F8FAD5B-d9cb-469f-a165-70867728950e"
STREAM = PROJECT.lower()
NAMED = ("--mission", "m-1", "--mission-type", "software-dev", "--manifest-version", "1")


def add(run: Run, mission: Path, *names: str, project: str = PROJECT) -> Ran:
    """Add artifacts of *mission*, by default three."""
    files = [str(mission / name) for name in names or ("spec.md", "plan.md", "research/a.csv")]
    more = ("--root", str(mission), "--project", project, "--json")
    return run("body", "add", *files, *NAMED, *more)


def states(run: Run) -> list[str]:
    """Return where each body stands with the current target."""
    return [body["state"] for body in run("body", "list", "--json").document["bodies"]]


def compatibility(run: Run) -> tuple[int, int]:
    """Return what status counts of bodies: waiting, and in the failure log."""
    counts = run("sync", "status", "--json").document["body_upload_compatibility"]
    assert set(counts) == {"body_upload_queue_count", "body_upload_failure_log_count"}
    return counts["body_upload_queue_count"], counts["body_upload_failure_log_count"]


def capture(run: Run, mission: Path, *ids: str, project: str = PROJECT) -> None:
    """Capture an event for each of *ids*."""
    path = mission / "events.jsonl"
    events = [{"event_id": each, "project_uuid": project} for each in ids]
    path.write_text("".join(json.dumps(each) + "\n" for each in events))
    assert run("capture", str(path)).code == 0


def current(run: Run) -> Mapping[str, Any]:
    """Return what status says of the current target."""
    targets = run("sync", "status", "--json").document["targets"]
    found: Mapping[str, Any] = next(each for each in targets if each["is_current"])
    return found
