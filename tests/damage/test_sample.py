"""`sync doctor` looks at the newest entries of each stream, `--thorough` at all."""

from pathlib import Path

import pytest

from eventsync_cli import examining
from tests.cli.conftest import Run
from tests.damage.damaging import spoil


@pytest.mark.parametrize(("event_id", "is_told"), [("e2", False), ("e18", True)])
def test_the_newest_are_looked_at(
    run: Run,
    home: Path,
    events: Path,
    monkeypatch: pytest.MonkeyPatch,
    event_id: str,
    *,
    is_told: bool,
) -> None:
    """The chain of the entry before them is where the look begins."""
    monkeypatch.setattr(examining, "_SAMPLE", 5)
    run("capture", str(events))
    assert run("sync", "doctor", "--json").document["findings"] == []
    spoil(home / "eventsync" / "eventsync.db", [event_id], '{"event_id": "another"}')

    for words, told in (((), is_told), (("--thorough",), True)):
        findings = run("sync", "doctor", *words, "--json").document["findings"]
        assert [each["code"] for each in findings] == ["journal_damaged"] * told
