"""`journal restore` over a home that holds little, or nothing."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from eventsync_adapters.sqlite import open_stores
from eventsync_core.bodies import UploadFailure
from eventsync_core.payloads import Act, Deed
from eventsync_core.stores import Stores
from eventsync_core.testing import make_body
from tests.cli.bad_input import fails, keeps
from tests.cli.conftest import Run
from tests.copies.test_restore import backup, delivered
from tests.legacy.old import queue

__all__ = ["backup", "delivered"]


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backup: Path) -> Path:
    """A new home, which commands are about from now on."""
    del backup
    place = tmp_path / "other"
    (place / "eventsync").mkdir(parents=True, mode=0o700)
    monkeypatch.setenv("SPEC_KITTY_HOME", str(place))
    return place


def _refused(run: Run, backup: Path) -> None:
    for more in ((), ("--dry-run",)):
        fails(run, "journal", "restore", str(backup), *more, code=4, error="home_not_empty")


def test_rows_that_were_set_aside_are_something(run: Run, other: Path, backup: Path) -> None:
    """They may stand nowhere else."""
    queue(other / "queue.db", [("x", "not an event")])
    assert run("sync", "migrate", "--take-quarantined").code == 0

    _refused(run, backup)

    assert run("journal", "quarantine", "--json").document["set_aside_count"] == 1


def test_what_was_dropped_on_record_is_something(
    run: Run, other: Path, backup: Path, tmp_path: Path
) -> None:
    """Its rows are never deleted."""
    del other
    lines = tmp_path / "local.jsonl"
    lines.write_text('{"event_id": "x"}\n')
    assert run("sync", "mode", "OPT_OUT", "--on-discard", "audit").code == 0
    assert run("capture", str(lines)).code == 0

    _refused(run, backup)

    assert run("audit", "list", "--json").document["audit_count"] == 1


def _refusal(stores: Stores) -> None:
    key = make_body("a").key
    failure = UploadFailure(
        key=key, reason="gone", size_bytes=1, first_failed_at=1, last_failed_at=1
    )
    stores.bodies.log(failure)


def _clock(stores: Stores) -> None:
    stores.journal.next_lamport("default")


def _purge(stores: Stores) -> None:
    stores.erasing.erase("default", (), Deed(act=Act.PURGE, actor="me", at=1, detail="default"))


@pytest.mark.parametrize("do", [_refusal, _clock, _purge])
def test_whatever_is_there_is_something(
    run: Run, other: Path, backup: Path, do: Callable[[Stores], None]
) -> None:
    """A refusal of a body, a clock that was handed out, a purge on record."""
    with open_stores(other / "eventsync" / "eventsync.db") as stores, stores.atomic():
        do(stores)

    _refused(run, backup)


def _empty(database: Path) -> None:
    database.touch(mode=0o600)


def _header(database: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as opened:
        opened.execute("CREATE TABLE t (x)")
        opened.execute("DROP TABLE t")


def _tables(database: Path) -> None:
    open_stores(database).close()


@pytest.mark.parametrize("make", [_empty, _header, _tables])
def test_a_store_that_holds_nothing_gives_way(
    run: Run, other: Path, backup: Path, make: Callable[[Path], None]
) -> None:
    """As a crash before the first commit leaves it, and as a host opens it."""
    make(other / "eventsync" / "eventsync.db")

    for more in (("--dry-run",), ()):
        ran = run("journal", "restore", str(backup), *more, "--json")
        assert ran.code == 0, ran
        assert (ran.document["events"], ran.document["left_behind"]) == (20, 0)
    keeps(run, 20)
    assert run("journal", "verify").code == 0


@pytest.mark.parametrize("is_gone", [True, False])
def test_what_a_lost_store_held_is_not_known(
    run: Run, home: Path, backup: Path, *, is_gone: bool
) -> None:
    """As long as a note tells that it was there: before and after."""
    assert run("journal", "verify", "--incremental").code == 0
    database = home / "eventsync" / "eventsync.db"
    database.unlink()
    if not is_gone:
        database.touch(mode=0o600)

    _refused(run, backup)

    for more in (("--dry-run",), ()):
        ran = run("journal", "restore", str(backup), "--replace", *more, "--json")
        assert (ran.code, ran.document["left_behind"]) == (0, None)
    keeps(run, 20)
