"""The third table of "What happens when…": each situation is made, and comes out as it says."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from eventsync_cli.__main__ import main
from eventsync_cli.delivering import _exit_of
from eventsync_cli.failures import explain
from eventsync_core.census import Class
from eventsync_core.clock import MINUTE
from eventsync_core.desk import hold
from eventsync_core.dispatch import Budget, Drain, Report, drain
from eventsync_core.egress import unrecorded
from eventsync_core.errors import StoreBusyError, StoreFullError, StoreNotWritableError
from eventsync_core.ledger import Holder
from eventsync_core.payloads import Act, Deed
from eventsync_core.receivers import Batch, Gate, Script, StubReceiver, Verdict
from eventsync_core.restoring import settle
from eventsync_core.targets import BackOff, Limits
from eventsync_core.testing import HOLDER, make_envelope, make_event
from tests.core.dispatch.conftest import World
from tests.docs.conftest import commands, table

_PAGE = Path("docs/what-happens-when.md")
_WORD = re.compile(r"`([^`]+)`")
_CLASSES = {"held", "local_only", "archived_or_purged_undelivered"}
_NO_END = "\N{EN DASH}"
_OTHER = Holder(pid=42, started_at=1, boot="elsewhere")
_ADDRESS = "http://127.0.0.1:9"
_CHOOSE = ("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint")


@attrs.define
class _Gated(StubReceiver):
    def closed_gates(self) -> tuple[Gate, ...]:
        return (Gate.MISSING_AUTH,)


@attrs.define
class _Disturbed(StubReceiver):
    """Something happens while a request is on its way."""

    happens: Callable[[], None] = lambda: None

    def deliver(self, batch: Batch) -> Verdict:
        """See `DeliveryReceiver.deliver`."""
        self.happens()
        return super().deliver(batch)


def _gate(world: World) -> Report:
    world.receiver = _Gated(world.target.target_id)
    return world.drain()


def _revoked(world: World) -> Report:
    world.stores.grants.revoke(
        world.target.target_id, "default", actor="me", reason="test", at=world.clock()
    )
    return world.drain()


def _left_alone(world: World) -> Report:
    wait = BackOff(failures=1, retry_at=world.clock() + MINUTE, reason="503")
    world.stores.targets.set_back_off(world.target.target_id, wait)
    return world.drain()


def _paused(world: World) -> Report:
    world.stores.grants.pause(
        world.target.target_id, "default", "not admitted", actor="me", at=world.clock()
    )
    assert world.drain().stopped_because == "paused"
    world.stores.grants.resume(
        world.target.target_id, "default", actor="me", reason="test", at=world.clock()
    )
    world.stores.targets.pause(world.target.target_id, "moving")
    return world.drain()


def _off_record(world: World) -> Report:
    grants = world.stores.grants._grants
    grants.update({place: unrecorded(grant) for place, grant in grants.items()})
    return world.drain()


def _paused_meanwhile(world: World) -> Report:
    world.tell(Script(), capacity=Limits(max_events=1))
    task = Drain(
        stores=world.stores,
        target=world.target,
        receiver=world.receiver,
        clock=world.clock,
        holder=HOLDER,
        progress=lambda _: world.stores.targets.pause(world.target.target_id, "moving"),
    )
    return drain(task, ["default"])


def _busy(world: World) -> Report:
    world.stores.leases.acquire(world.target.target_id, "default", _OTHER, at=world.clock())
    return world.drain()


def _budget(world: World) -> Report:
    world.tell(Script(), capacity=Limits(max_events=1))
    return world.drain(budget=Budget(requests=1))


def _cuts(world: World) -> Report:
    world.tell(Script(poison=frozenset({"e1", "e2", "e3"})))
    return world.drain()


def _disturb(world: World, happens: Callable[[], None]) -> Report:
    world.receiver = _Disturbed(world.target.target_id, happens=happens)
    return world.drain()


def _interrupted(world: World) -> Report:
    def interrupt() -> None:
        raise KeyboardInterrupt

    return _disturb(world, interrupt)


def _taken_over(world: World) -> Report:
    def take_over() -> None:
        world.clock.advance(60)
        place = (world.target.target_id, "default")
        world.stores.leases.acquire(*place, _OTHER, at=world.clock())

    return _disturb(world, take_over)


def _oversized(world: World) -> Report:
    world.drain()
    world.tell(Script(), capacity=Limits(max_bytes=40))
    world.capture_these([make_envelope("big", text="x" * 50)])
    return world.drain()


def _transformed(world: World) -> Report:
    def spoil(envelope: dict[str, Any]) -> dict[str, Any]:
        if envelope["event_id"] == "e2":
            raise ValueError("no")
        return envelope

    world.receiver = StubReceiver(world.target.target_id, wire_transform=spoil)
    return world.drain()


def _held(world: World) -> Report:
    hold(world.stores, ["e1", "e2", "e3"], reason="", actor="me", at=world.clock())
    return world.drain()


def _local(world: World) -> Report:
    world.capture_these([make_envelope("local", event_type="MissionReopened")])
    report = world.drain()
    assert world.classes()[Class.LOCAL_ONLY] == 1
    return report


def _damaged(world: World) -> Report:
    spoilt = attrs.evolve(make_event("spoilt"), text="{}")
    world.stores.journal.append("default", [spoilt], at=world.clock())
    return world.drain()


def _purged(world: World) -> Report:
    deed = Deed(act=Act.ARCHIVE, actor="me", at=world.clock())
    world.stores.payloads.purge("default", [1, 2, 3], deed)
    report = world.drain()
    assert world.classes()[Class.ARCHIVED_OR_PURGED_UNDELIVERED] == 3
    return report


def _restored(world: World) -> Report:
    settle(world.stores, None, actor="me", at=world.clock())
    return world.drain()


def _set_back(world: World) -> Report:
    world.clock.advance(-3_600)
    return world.drain()


# By the first words of a row.
_SITUATIONS: dict[str, Callable[[World], Report]] = {
    "a gate is closed": _gate,
    "the stream is not granted": _revoked,
    "the target is left alone": _left_alone,
    "the target or the grant is paused": _paused,
    "a grant is not what was done to it by record": _off_record,
    "an operator pauses": _paused_meanwhile,
    "another drain": _busy,
    "the budget": _budget,
    "1,000 batches": _cuts,
    "Ctrl-C": _interrupted,
    "an event is larger": _oversized,
    "a host's": _transformed,
    "an event is held": _held,
    "an event is local": _local,
    "the text of an event is damaged": _damaged,
    "the payload of an event": _purged,
    "a late answer": _taken_over,
    "a backup was restored": _restored,
    "the clock is set back": _set_back,
}
_COMMANDS: dict[str, tuple[list[tuple[tuple[str, ...], str]], str]] = {
    "a secret, key": (
        [
            ((*_CHOOSE, f"{_ADDRESS}/a", "--header", "X-Key=env:EVENTSYNC_NONE"), "secret_missing"),
            ((*_CHOOSE, f"{_ADDRESS}/b", "--sign", "env:EVENTSYNC_NONE"), "secret_missing"),
            ((*_CHOOSE, f"{_ADDRESS}/c", "--ca", "/nowhere/ca.pem"), "certificates_unreadable"),
        ],
        "",
    ),
    "environment and configuration": (
        [(("sync", "server", _ADDRESS, "--team", "t"), "target_conflict")],
        "http://127.0.0.1:10",
    ),
}
_ARCHIVE, _PURGED_TEXT, _FULL = "`sync archive`", "the text of an event is asked", "the disk"
_ELSEWHERE = {
    "the process is killed",
    "the database",
    "the server is another",
    _ARCHIVE,
    _PURGED_TEXT,
    _FULL,
}


def _rows(root: Path) -> dict[str, list[str]]:
    """Return the cells of each row behind its first, by that."""
    lines = (root / _PAGE).read_text("utf-8").splitlines()
    start = lines.index("<!-- table: here -->") + 3
    count = len(table(root / _PAGE, "here"))
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines[start : start + count]
    ]
    return {row[0]: row[1:] for row in cells}


def _row(root: Path, title: str) -> list[str]:
    (found,) = (row for first, row in _rows(root).items() if first.startswith(title))
    return found


def test_every_situation_is_known(root: Path) -> None:
    """None is left out here, and none speaks of a situation twice."""
    known = [*_SITUATIONS, *_COMMANDS, *_ELSEWHERE]

    assert [sum(map(first.startswith, known)) for first in _rows(root)] == [1] * len(known)


@pytest.mark.parametrize("title", list(_SITUATIONS))
def test_a_drain_comes_out_as_it_says(
    root: Path, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outcomes, reason to stop and exit code."""
    monkeypatch.setattr("eventsync_core.dispatch._dispatch.MOST_CUTS", 2)
    said, stop, code, _ = _row(root, title)
    world = World()
    world.capture(3)

    report = _SITUATIONS[title](world)

    history = [world.stores.ledger.entry(world.target.target_id, "default", n) for n in range(1, 5)]
    outcomes = {entry.outcome.value for entry in history if entry and entry.outcome}
    if Class.UNKNOWN_EFFECT in world.classes():
        outcomes.add(Class.UNKNOWN_EFFECT.value)
    words = set(_WORD.findall(said)) - _CLASSES
    assert outcomes - {"success"} == words - {"success"}
    assert report.stopped_because.replace("missing_auth", "WORD") == stop.strip("`")
    assert _exit_of(report) == int(code)


@pytest.mark.parametrize("title", list(_COMMANDS))
def test_a_command_refuses_before_it_sends(
    root: Path,
    title: str,
    plain_environment: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its exit code is the one in the table, and nothing is noted."""
    row = _row(root, title)
    choices, server = _COMMANDS[title]
    (plain_environment / "events.jsonl").write_text('{"event_id": "e1"}\n')
    monkeypatch.setenv("SPEC_KITTY_HOME", str(plain_environment / "home"))
    main(["capture", "events.jsonl"])
    for words, error in choices:
        assert main(list(words)) == 0
        if server:
            monkeypatch.setenv("SPEC_KITTY_SAAS_URL", server)
        capsys.readouterr()

        code = main(["sync", "now", "--json"])

        assert (row[1], code) == (_NO_END, int(row[2]))
        assert json.loads(capsys.readouterr().out)["error"]["code"] == error


def test_a_store_that_cannot_be_used_ends_with_its_code(root: Path) -> None:
    """Locked, full or not writable."""
    for kind in (StoreBusyError, StoreFullError, StoreNotWritableError):
        assert explain(kind("no"))[1] == int(_row(root, "the database")[2])
    assert explain(StoreFullError("no"))[1] == int(_row(root, _FULL)[2])


def test_what_is_archived_or_purged(
    root: Path,
    plain_environment: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Refused while a target has not got it; what went is still told of."""
    (plain_environment / "events.jsonl").write_text('{"event_id": "e1"}\n')
    monkeypatch.setenv("SPEC_KITTY_HOME", str(plain_environment / "home"))
    main(["capture", "events.jsonl"])
    main([*_CHOOSE, f"{_ADDRESS}/a"])
    file = plain_environment / "old.jsonl.gz"

    assert main(["sync", "archive", str(file)]) == int(_row(root, _ARCHIVE)[2])
    assert not file.exists()
    assert main(["sync", "archive", str(file), "--include-undelivered"]) == 0

    capsys.readouterr()
    assert main(["journal", "show", "e1", "--json"]) == int(_row(root, _PURGED_TEXT)[2])
    assert json.loads(capsys.readouterr().out)["purged"]["act"] == "archive"


def test_the_commands_that_are_named_exist(root: Path) -> None:
    """Each command in the tables is one of the click tree, with the options it is given."""
    known = {name.removeprefix("eventsync "): command for name, command in commands().items()}
    groups = {name.split()[0] for name in known if " " in name}
    found = [
        word.removeprefix("eventsync ").split()
        for word in _WORD.findall((root / _PAGE).read_text("utf-8"))
        if word.removeprefix("eventsync ").split()[0] in groups
    ]

    assert found
    for words in found:
        command = known[" ".join(words[:2])]
        options = {option for each in command.params for option in each.opts}
        assert {word for word in words if word.startswith("--")} <= options
