"""What looks at every stream reads their heads no more often because there are more of them."""

from pathlib import Path

import pytest

from eventsync_adapters.server import Serving
from eventsync_adapters.sqlite._journal import SqliteJournal
from tests.cli.conftest import Run

LOOKING = [
    ("journal", "verify"),
    ("journal", "verify", "--incremental"),
    ("journal", "quarantine", "--damaged", "--dry-run"),
    ("journal", "backup", "FILE", "--force"),
    ("journal", "restore", "FILE", "--replace", "--dry-run"),
    ("journal", "restore", "FILE", "--replace"),
    ("sync", "doctor"),
    ("sync", "retry", "--dry-run"),
    ("sync", "replay", "--all", "--dry-run"),
    ("sync", "replay", "--all"),
    ("sync", "status"),
    ("sync", "gc", "--older-than", "1d"),
    ("journal", "export", "FILE.jsonl", "--all-projects", "--force"),
    ("sync", "support-bundle", "FILE.zip", "--force"),
]


def _capture(run: Run, tmp_path: Path, streams: range) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("".join(f'{{"event_id":"e{n}","project_uuid":"p{n}"}}\n' for n in streams))
    assert run("capture", str(path)).code == 0
    for n in streams:
        assert run("target", "grant", "--project", f"p{n}").code == 0


def test_heads_are_not_read_for_each_stream(
    run: Run, tmp_path: Path, receiver: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As often with eight as with two."""
    heads, calls = SqliteJournal.heads, list[None]()

    def counting(journal: SqliteJournal) -> object:
        calls.append(None)
        return heads(journal)

    def counts() -> dict[str, int]:
        found = {}
        for words in LOOKING:
            calls.clear()
            ran = run(*(each.replace("FILE", str(tmp_path / "copy.db")) for each in words))
            assert ran.code == 0, (words, ran)
            found[" ".join(words)] = len(calls)
        return found

    monkeypatch.setattr(SqliteJournal, "heads", counting)
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", f"{receiver.url}/in")
    _capture(run, tmp_path, range(2))
    few = counts()
    _capture(run, tmp_path, range(2, 8))

    assert counts() == few
