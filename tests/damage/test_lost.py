"""A store that was there and cannot be reached is unknown, and never a store without events."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from eventsync import migrate_legacy, open_store
from eventsync_core.errors import StoreUnreadableError
from eventsync_core.receivers import StubReceiver
from eventsync_core.testing import make_stub_target
from tests.cli.conftest import Run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes are POSIX's")


def _unmounted(path: Path) -> None:
    place = path.parent.rename(path.parent.with_name("elsewhere"))
    path.parent.symlink_to(place.with_name("unmounted"))


def _moved(path: Path) -> None:
    path.rename(path.with_name("elsewhere.db"))
    path.symlink_to("unmounted.db")


def _looped(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("lose", [_unmounted, _moved, _looped, _pipe, _emptied])
def test_what_was_there(run: Run, home: Path, events: Path, lose: Callable[[Path], None]) -> None:
    """Whoever looks is told so, with every key of the status."""
    run("capture", str(events))
    run("journal", "verify", "--incremental")
    keys = run("sync", "status", "--json").document.keys()
    lose(home / "eventsync" / "eventsync.db")

    status = run("sync", "status", "--json")
    assert (status.code, status.document["error"]["code"]) == (5, "store_unreadable")
    assert status.document["event_journal"]["retained_event_count"] is None
    assert keys < status.document.keys()
    assert run("sync", "status", "--check").code == 2
    assert "eventsync_up 0" in run("sync", "status", "--prometheus").out
    findings = run("sync", "doctor", "--json").document["findings"]
    assert "store_unreadable" in [each["code"] for each in findings]
    assert run("journal", "verify").code == 5
    for words in (("capture", str(events)), ("sync", "gc"), ("sync", "doctor", "--mend")):
        assert run(*words).code == 5
    assert run("sync", "status").code == 5


@pytest.mark.parametrize("lose", [_emptied, Path.unlink])
def test_what_was_there_is_not_made_anew(
    run: Run, home: Path, events: Path, lose: Callable[[Path], None], tmp_path: Path
) -> None:
    """Neither by a command nor by a host; a copy of it comes back, and who says so begins anew."""
    copy, database = str(tmp_path / "copy.db"), home / "eventsync" / "eventsync.db"
    run("capture", str(events))
    run("journal", "verify", "--incremental")
    run("journal", "backup", copy)
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", "http://127.0.0.1:9/events")
    lose(database)

    ran = run("capture", str(events), "--json")
    assert (ran.code, ran.document["error"]["code"]) == (5, "store_unreadable")
    assert run("sync", "now").code == 5
    backup = run("journal", "backup", str(tmp_path / "none.db"))
    assert "verified.json beside it tells of it [store_unreadable]" in backup.err
    unwilling = run("journal", "restore", copy, "--json").document["error"]
    assert "tells of it; the backup would take its place" in unwilling["message"]
    ran = run("sync", "archive", str(tmp_path / "old.gz"), "--json")
    assert (ran.code, ran.document["error"]["code"]) == (5, "store_unreadable")
    for dry_run in (True, False):
        with pytest.raises(StoreUnreadableError):
            migrate_legacy(home, places=[events], dry_run=dry_run)
    with open_store(home) as store, pytest.raises(StoreUnreadableError):
        store.capture({"event_id": "e1"})
    with open_store(home) as store, pytest.raises(StoreUnreadableError):
        store.drain(make_stub_target(), StubReceiver("t"))

    ran = run("journal", "restore", copy, "--json")
    assert (ran.code, ran.document["error"]["code"]) == (4, "home_not_empty")
    assert "verified.json beside it tells of it" in ran.document["error"]["message"]
    assert run(*ran.document["error"]["fix"]["argv"][1:]).code == 0
    lose(database)
    (database.parent / "verified.json").unlink()
    assert run("capture", str(events)).code == 0


def test_a_note_that_cannot_be_understood(run: Run, home: Path, events: Path) -> None:
    """All is read then, as if nothing were noted; a pipe keeps nobody waiting."""
    run("capture", str(events))
    note = home / "eventsync" / "verified.json"
    for position in ("1e999", "9" * 23, "true", '"7"', "-1"):
        note.write_text(f'{{"schema": 1, "streams": {{"default": [{position}, "00"]}}}}')
        assert run("journal", "verify", "--incremental").code == 0
    note.unlink()
    os.mkfifo(note)

    assert run("journal", "verify", "--incremental").code in (0, 4)
