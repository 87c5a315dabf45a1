"""`journal restore` over a home that holds little, or nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from eventsync_adapters.sqlite import open_stores
from eventsync_core.bodies import UploadFailure
from eventsync_core.payloads import Act, Deed
from eventsync_core.stores import Stores
from eventsync_core.testing import make_body
from tests.cli.bad_input import fails
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
