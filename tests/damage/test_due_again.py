"""What is owed is sent once, and nothing that is settled, whatever became of what is due when."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
import pytest

from eventsync_adapters import machine
from eventsync_core.clock import DAY
from tests.cli.conftest import Run
from tests.cli.listeners import Heard, Listener, listening
from tests.damage.damaging import unguarded
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
