"""`journal restore --replace` over a store whose rows hold what eventsync never writes."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from eventsync_adapters.server import Serving
from tests.cli.conftest import Run
from tests.copies.test_restore import backup, delivered
from tests.damage.damaging import unguarded

__all__ = ["backup", "delivered"]

_GRANT = "SELECT revoked_at IS NOT NULL, paused FROM grants"
STATES = [
    ("UPDATE streams SET stream_id = 1.5", False),
    ("UPDATE targets SET target_no = x'00ff'", False),
    ("UPDATE leases SET expires_at = 'xyz', open_request = 1", False),
    ("UPDATE leases SET pid = 'xyz', expires_at = 4611686018427387904", False),
    ("UPDATE streams SET head = 'xyz'", True),
    ("UPDATE entries SET captured_at = x'00ff'", True),
    ("UPDATE grants SET revoked_at = 'xyz'", False),
    ("UPDATE grants SET revoked_at = x'00ff'", False),
    ("UPDATE grants SET revoked_at = 4611686018427387904", True),
    ("UPDATE grants SET revoked_by = x'00ff', revoked_reason = 1.5", True),
]


@pytest.mark.parametrize(("change", "is_known"), STATES)
def test_what_is_odd_there_is_not_known(
    run: Run, home: Path, backup: Path, delivered: Serving, change: str, *, is_known: bool
) -> None:
    """It gives way; nothing goes: what was revoked by it is over, or rests with all else."""
    del delivered
    run("target", "revoke")
    database = home / "eventsync" / "eventsync.db"
    unguarded(database, (change, ()))

    would = run("journal", "restore", str(backup), "--replace", "--dry-run", "--json")
    did = run("journal", "restore", str(backup), "--replace", "--json")

    assert (would.code, did.code) == (0, 0), (would, did)
    for key in ("grants_resting", "grants_revoked", "left_behind"):
        assert would.document[key] == did.document[key]
    with closing(sqlite3.connect(database)) as opened:
        (is_over, paused) = opened.execute(_GRANT).fetchone()
    assert paused == "restored from a backup" or is_over
    if is_known:
        assert is_over
    assert run("sync", "doctor").code == 0
    assert run("sync", "status").code == 0
    assert run("sync", "now", "--json").document["requests"] == 0


def test_a_header_that_lets_nobody_write(run: Run, home: Path, backup: Path) -> None:
    """It is damage as any other, and no file that is read-only."""
    database = home / "eventsync" / "eventsync.db"
    whole = database.read_bytes()
    odd = whole[:18] + b"\x09" + whole[19:]
    database.write_bytes(odd)

    ran = run("journal", "restore", str(backup), "--replace", "--json")

    assert ran.code == 0, ran
    assert Path(ran.document["put_aside"]).read_bytes() == odd
    assert run("sync", "status").code == 0


def test_a_damaged_backup_whose_streams_nobody_can_name(
    run: Run, events: Path, tmp_path: Path
) -> None:
    """The preview ends as the act does, and neither says what is left behind."""
    run("capture", str(events))
    copy = tmp_path / "copy.db"
    run("journal", "backup", str(copy))
    unguarded(copy, ("UPDATE streams SET stream = CAST(x'ff00' AS TEXT)", ()))

    words = ("journal", "restore", str(copy), "--replace", "--damaged")
    would, did = run(*words, "--dry-run", "--json"), run(*words, "--json")

    assert (would.code, did.code) == (0, 0), (would, did)
    assert would.document["left_behind"] is did.document["left_behind"] is None


def test_the_flaw_of_a_backup_names_its_file(run: Run, backup: Path) -> None:
    """And no copy of it that is gone by then."""
    unguarded(backup, ("UPDATE entries SET digest = 'none' WHERE position = 3", ()))

    words = ("journal", "restore", str(backup), "--replace", "--damaged")
    would, did = run(*words, "--dry-run", "--json"), run(*words, "--json")

    assert would.document["flaw"] == did.document["flaw"]
    assert str(backup) in did.document["flaw"]
