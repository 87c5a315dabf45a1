"""What is owed is sent once, and nothing that is settled, whatever became of what is due when."""

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import attrs
import pytest

from eventsync_adapters import machine
from eventsync_core.clock import DAY
from tests.cli.conftest import Run
from tests.cli.listeners import Heard, Listener, listening
from tests.damage.damaging import behind_an_index, unguarded
from tests.damage.test_doctor import found, mend

_FIRST = {"e2": "rejected", "e3": "pending", "e4": "transient_error"}
_OPEN = set(_FIRST)


@attrs.define
class Scene:
    """A home of six events: two were taken, three are still owed, and the last is held."""

    run: Run
    database: Path
    said: dict[str, str]
    listener: Listener

    def change(self, sql: str) -> None:
        """Change something behind the back of all that guards it."""
        unguarded(self.database, (sql, ()))

    def drained(self, times: int = 3) -> Counter[str]:
        """Return what was sent by so many drains, some time later, to one who takes it all."""
        self.said.clear()
        del self.listener.heard[:]
        for _ in range(times):
            assert self.run("sync", "now").code in (0, 3)
        bodies = [json.loads(each.body)["events"] for each in self.listener.heard if each.body]
        return Counter(event["event_id"] for events in bodies for event in events)

    def fixed(self, code: str, *options: str) -> None:
        """Carry out what is printed for *code*; nothing is wrong then."""
        before = found(self.run, *options)
        fixes = [each["fix"]["argv"] for each in before.values()]
        assert fixes == [["eventsync", "sync", "doctor", "--mend"]] * len(fixes)
        mend(self.run, before[code])
        assert found(self.run, "--thorough") == {}
        assert self.run("journal", "verify").code == 0


@pytest.fixture
def scene(run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    said, true = dict(_FIRST), machine.now

    def answer(heard: Heard) -> tuple[int, Mapping[str, str], bytes]:
        ids = [event["event_id"] for event in json.loads(heard.body)["events"]]
        results = [{"event_id": name, "status": said.get(name, "success")} for name in ids]
        return 200, {}, json.dumps({"results": results}).encode()

    def later() -> int:
        return true() + (3 * DAY if not said else 0)

    events = tmp_path / "events.jsonl"
    lines = [{"event_id": f"e{n}", "aggregate_id": f"a{n}", "project_uuid": "p"} for n in range(6)]
    events.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with listening(answer) as listener:
        run("capture", str(events))
        run("journal", "hold", "e5")
        run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", f"{listener.url}/events")
        run("target", "grant", "--project", "p")
        run("sync", "now")
        monkeypatch.setattr(machine, "now", later)
        yield Scene(run, home / "eventsync" / "eventsync.db", said, listener)


def test_the_scene(scene: Scene) -> None:
    """Undamaged."""
    assert found(scene.run) == {}
    assert scene.drained() == dict.fromkeys(_OPEN, 1)


LEDGER: dict[str, tuple[str, set[str]]] = {
    "a delivered one has a time": ("due_at = 5 WHERE position = 1", _OPEN),
    "an open one becomes delivered": ("outcome = 'success' WHERE position = 5", _OPEN - {"e4"}),
    "an open one becomes refused": (
        "outcome = 'terminal_failed' WHERE position = 3",
        _OPEN - {"e2"},
    ),
    "a delivered one becomes open": (
        "outcome = 'unknown_effect' WHERE position = 1",
        _OPEN | {"e0"},
    ),
    "the unknown lose their time": ("due_at = NULL WHERE outcome = 'unknown_effect'", _OPEN),
    "the rejected lose their time": ("due_at = NULL WHERE outcome = 'rejected'", _OPEN),
    "the pending lose their time": ("due_at = NULL WHERE outcome = 'pending'", _OPEN),
    "all are owed next year": ("due_at = due_at + 31536000000000 WHERE due_at > 0", _OPEN),
    "one is owed long ago": ("due_at = 7 WHERE position = 5", _OPEN),
}


@pytest.mark.parametrize("name", LEDGER)
def test_a_row_of_the_ledger(scene: Scene, name: str) -> None:
    """Its word tells whether it is owed."""
    change, expected = LEDGER[name]
    scene.change(f"UPDATE ledger SET {change}")  # noqa: S608
    scene.fixed("due_differs")

    assert scene.drained() == dict.fromkeys(expected, 1)
    assert found(scene.run) == {}


@pytest.mark.parametrize("name", list(LEDGER)[:3])
def test_what_is_settled_is_not_sent_before_it_is_mended(scene: Scene, name: str) -> None:
    """A due row that is left of it, in whichever lane, offers it to nobody."""
    change, expected = LEDGER[name]
    scene.change(f"UPDATE ledger SET {change}")  # noqa: S608
    scene.change(
        "INSERT OR IGNORE INTO due SELECT target_no, stream_id, 'rejected', due_at, position, "
        "NULL, 1 FROM ledger WHERE due_at IS NOT NULL"
    )

    assert not set(scene.drained()) - expected
    scene.fixed("due_differs")
    assert not scene.drained()


def _beside_an_index(scene: Scene) -> None:
    behind_an_index(scene.database, "due_by_owed", "UPDATE due SET due_at = 9 WHERE position = 5")


def _beside_the_other_index(scene: Scene) -> None:
    change = "DELETE FROM due WHERE position = 4"
    behind_an_index(scene.database, "due_by_aggregate", change)


def _flipped(scene: Scene) -> None:
    """Let one byte of the times in the table be another, so that its rows are out of order."""
    with closing(sqlite3.connect(scene.database)) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'due'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        (due_at,) = connection.execute("SELECT due_at FROM due WHERE position = 4").fetchone()
    content = bytearray(scene.database.read_bytes())
    place = content.index(due_at.to_bytes(8, "big"), (page - 1) * size, page * size)
    content[place] ^= 0x40
    scene.database.write_bytes(content)


def _changed(sql: str) -> Callable[[Scene], None]:
    return lambda scene: scene.change(sql)


STORED: dict[str, Callable[[Scene], None]] = {
    **{
        f"due.{column}": _changed(f"UPDATE due SET {column} = x'ff41' WHERE position = 5")  # noqa: S608
        for column in ("stream_id", "lane", "due_at", "aggregate")
    },
    "held_rows": _changed("INSERT INTO held_rows VALUES (1, 'x', 6)"),
    "superseded_rows": _changed("INSERT INTO superseded_rows VALUES (1, 'x', 5)"),
    "tallies": _changed("UPDATE tallies SET entries = 'x'"),
    "held_counts": _changed("UPDATE held_counts SET hold = x'ff41'"),
    "an index": _beside_an_index,
    "another index": _beside_the_other_index,
    "the order": _flipped,
}


@pytest.mark.parametrize("name", STORED)
def test_what_follows_from_the_rest(scene: Scene, name: str) -> None:
    """SQLite complains of it, and it is written anew; newer events need no old copy for that."""
    STORED[name](scene)
    scene.fixed("database_damaged", "--thorough")

    assert scene.drained() == dict.fromkeys(_OPEN, 1)
    assert found(scene.run, "--thorough") == {}


def test_what_does_not_follow_needs_a_copy(scene: Scene) -> None:
    """Also where something else does."""
    scene.change("UPDATE due SET stream_id = 'x' WHERE position = 5")
    scene.change("UPDATE requests SET digest = x'ff'")

    assert "argv" not in found(scene.run)["database_damaged"]["fix"]


def test_a_held_one_whose_ledger_row_is_gone(scene: Scene) -> None:
    """It stays held, and when it is released it is sent."""
    run = scene.run
    run("journal", "hold", "e4")
    scene.change("DELETE FROM ledger WHERE position = 5")
    assert "--mend" in run("journal", "verify", "--json").document["error"]["fix"]["argv"]
    scene.fixed("due_differs")

    assert scene.drained() == dict.fromkeys(_OPEN - {"e4"}, 1)
    assert run("journal", "release", "e4").code == 0
    assert scene.drained() == {"e4": 1}
    assert found(run) == {}
