"""A head or a position far from where it should be holds up no command, and is told."""

from pathlib import Path

import pytest

from eventsync_adapters.server import Serving
from eventsync_core.journal import Head, LeftOut, is_astray
from eventsync_core.stores import MemoryStores
from eventsync_core.testing import make_event
from tests.cli.conftest import Run
from tests.damage.damaging import unguarded

_FAR = 1 << 62
_HEAD = "UPDATE streams SET head = ?1"
_LAST = "UPDATE entries SET position = ?1 WHERE position = 20"
_MIDDLE = "UPDATE entries SET position = ?1 WHERE position = 10"
_LOW = "UPDATE streams SET head = ?1 - ?1 + 3"
_NONE = "UPDATE streams SET head = ?1 - ?1"
_BELOW = "UPDATE streams SET head = ?1 - ?1 - 5"
_DAMAGE = [
    pytest.param((_HEAD,), 20, id="head"),
    pytest.param((_LAST,), 19, id="last"),
    pytest.param((_MIDDLE,), 19, id="middle"),
    pytest.param((_HEAD, _LAST), 19, id="both"),
]

pytestmark = pytest.mark.timeout(20)


@pytest.fixture
def database(run: Run, events: Path, home: Path, receiver: Serving) -> Path:
    """Twenty events are delivered."""
    run("capture", str(events))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", f"{receiver.url}/events")
    assert run("sync", "now").code == 0
    return home / "eventsync" / "eventsync.db"


def damage(database: Path, *changes: str) -> None:
    unguarded(database, *[(change, (_FAR,)) for change in changes])


@pytest.mark.parametrize(("changes", "delivered"), _DAMAGE)
def test_no_command_counts_up_to_it(
    run: Run, database: Path, tmp_path: Path, changes: tuple[str, ...], delivered: int
) -> None:
    """Each looks at what is there, and ends; what is not where it should be is counted."""
    target_id = run("target", "list", "--json").document["targets"][0]["target_id"]
    damage(database, *changes)

    assert run("sync", "gc", "--json").document["purged"] == delivered
    erased = run("journal", "purge", "--project", "default", "--dry-run", "--json").document
    assert erased["payloads"] == 20
    missing = _FAR - 20 if _HEAD in changes else 1
    archived = run("sync", "archive", str(tmp_path / "a"), "--dry-run", "--json").document
    assert archived["damaged_count"] == missing
    exported = run("journal", "export", str(tmp_path / "e"))
    assert (exported.code, f"damaged: {missing} events" in exported.err) == (3, True)
    assert run("sync", "replay", "--all", "--dry-run", "--json").document["replayed"] == delivered
    assert run("sync", "retry", "--json").code == 0
    held = run("journal", "verify", "--target", target_id, "--json").document
    assert held["agreed"] == delivered


@pytest.mark.parametrize(
    "changes", [(_HEAD,), (_LAST,), (_MIDDLE,), (_HEAD, _LAST), (_LOW,), (_NONE,), (_BELOW,)]
)
def test_it_is_told(run: Run, database: Path, changes: tuple[str, ...]) -> None:
    """By status without being asked, and by what examines the store."""
    damage(database, *changes)

    if changes != (_HEAD, _LAST):
        ran = run("sync", "status")
        assert (ran.code, "[journal_damaged]" in ran.err) == (5, True)
        assert run("sync", "status", "--check").code == 2
    assert run("journal", "verify").code == 5
    assert "journal_damaged" in run("sync", "doctor").out


@pytest.mark.parametrize("change", [_LOW, _NONE, _BELOW])
def test_a_head_below_what_is_there(
    run: Run, database: Path, events: Path, tmp_path: Path, change: str
) -> None:
    """Nobody calls a copy of it verified, and nothing is stored over what it holds."""
    damage(database, change)
    events.write_text('{"event_id": "new"}\n')

    assert run("capture", str(events)).code == 5
    assert run("journal", "backup", str(tmp_path / "copy.db")).code == 5
    assert run("journal", "export", str(tmp_path / "all.jsonl")).code == 0
    assert (tmp_path / "all.jsonl").read_text().count("\n") == 20
    purged = run("journal", "purge", "--project", "default", "--json").document
    assert purged["payloads"] == 20


def test_a_copy_of_streams_that_are_gone(run: Run, database: Path, tmp_path: Path) -> None:
    """Its entries are of none, and nobody calls it verified."""
    unguarded(database, ("DELETE FROM streams", ()))

    assert run("journal", "backup", str(tmp_path / "copy.db")).code == 5


def test_the_last_ones_stay_where_nobody_can_tell_them(run: Run, database: Path) -> None:
    """What would let all but the last go refuses, and so says what it would do."""
    damage(database, _HEAD)

    for command in (("gc", "--apply"), ("gc",), ("archive", "a", "--dry-run")):
        ran = run("sync", *command, "--keep", "5", "--json")
        assert (ran.code, ran.document["error"]["code"]) == (5, "store_unreadable")


def test_what_is_appended_meanwhile_leads_nobody_astray() -> None:
    """The head was read before."""
    journal = MemoryStores().journal
    journal.append("s", [make_event("e1"), make_event("e2"), make_event("e3")], at=1)
    (head,) = journal.heads()

    assert not is_astray(journal, Head("s", 1, b"", 0))
    assert not is_astray(journal, head)
    assert is_astray(journal, Head("s", 4, b"", 0))


def test_what_is_missing_is_counted_at_once() -> None:
    """The first of it is named."""
    left_out = LeftOut()

    left_out.skip("s", 5, _FAR)
    left_out.skip("s", 7, 7)

    assert left_out.count == _FAR - 6
    assert [each.position for _, each in left_out.first] == list(range(6, 1_006))
