"""What the strict envelope makes of events that older programs wrote."""

import json
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from eventsync_core.events import strict_envelope

QUEUES = Path(__file__).parents[3] / "shared" / "legacy-queues"

pytestmark = pytest.mark.skipif(not QUEUES.exists(), reason="../shared with real queues is absent")


def _events(name: str, folder: Path) -> Iterator[dict[str, Any]]:
    with tarfile.open(QUEUES / f"{name}.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    for path in sorted(folder.rglob("queue*.db")):
        with closing(sqlite3.connect(path)) as connection:
            for (text,) in connection.execute("SELECT data FROM queue"):
                yield json.loads(text)


def test_what_version_3_emits_is_valid(tmp_path: Path) -> None:
    """Every event of its queues."""
    found = [strict_envelope(event) for event in _events("3.2.4-happy", tmp_path)]

    assert len(found) > 50
    assert set(found) == {None}


def test_what_came_before_is_not(tmp_path: Path) -> None:
    """It lacks what was added since."""
    found = [strict_envelope(event) for event in _events("2.1.0-duplicates", tmp_path)]

    assert len(found) > 50
    assert all(flaw and "build_id is missing" in flaw for flaw in found)
