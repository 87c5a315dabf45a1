"""Whatever keeps events here: they are stored, the gate is shown, and it opens by itself."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import pytest

from eventsync_adapters import machine, sqlite
from eventsync_adapters.server import Serving
from eventsync_adapters.sqlite import open_for_reading, open_stores
from eventsync_core.receivers import Gate
from tests.cli.conftest import Run
from tests.cli.gates import CAUSES, EXTERNAL, Open, Scene, another_drain
from tests.docs.conftest import table

_PAGE = Path("docs/what-happens-when.md")
_NO_STOP = "\N{EN DASH}"


@pytest.fixture
def scene(
    run: Run, home: Path, receiver: Serving, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Scene]:
    with ExitStack() as later:
        yield Scene(run, home, receiver, monkeypatch, later)


def _in_the_table(gate: Gate, root: Path) -> tuple[str, int]:
    """Return how the page says that `sync now` ends while the gate is closed."""
    rows = {row[0]: row for row in reversed(table(root / _PAGE, "gates"))}
    return rows[gate.value][2], int(rows[gate.value][3])


@pytest.fixture
def root() -> Path:
    return Path(__file__).parents[2]


@pytest.mark.requirement("J6")
@pytest.mark.parametrize("cause", CAUSES)
def test_captured_while_a_gate_is_closed(
    scene: Scene, events: Path, root: Path, cause: str
) -> None:
    """Stored, refused by the gate that status names, and delivered once its cause is gone."""
    close, gate = CAUSES[cause]
    open_it = close(scene)
    stop, code = _in_the_table(gate, root)

    captured = scene.run("capture", str(events), "--json")
    assert (captured.code, captured.document["stored"]) == (0, 20)
    before = scene.content()
    assert not [row for row in before if gate.value in row]
    status = scene.run("sync", "status", "--json")
    now = scene.run("sync", "now", "--json")

    assert (status.code, status.document["gates"]) == (0, [gate.value])
    assert gate.value in scene.run("sync", "status").out
    assert (now.code, now.document["stopped_because"]) == (code, stop)
    assert now.document["requests"] == 0
    assert scene.content() == before

    open_it()

    assert scene.status()["gates"] == []
    done = scene.run("sync", "now", "--json")
    assert (done.code, done.document["counts"]["delivered"]) == (0, 20)
    assert len(scene.server.inbox.received()) == 20


@pytest.mark.parametrize("cause", CAUSES)
def test_every_gate_has_a_reason_and_a_fix(scene: Scene, events: Path, cause: str) -> None:
    """A command helps as it stands; a text names the address it is about."""
    close, gate = CAUSES[cause]
    close(scene)
    scene.run("capture", str(events))

    (reason,) = scene.status()["gate_reasons"]

    assert reason["gate"] == gate.value
    assert reason["message"]
    if "argv" in reason["fix"]:
        assert scene.run(*reason["fix"]["argv"][1:]).code == 0
        assert scene.status()["gates"] == []
    elif gate in (Gate.MISSING_AUTH, Gate.MISSING_TEAM):
        assert f"eventsync sync server {scene.server.url} --t" in reason["fix"]["text"]
    else:
        assert reason["fix"]["text"]


def test_a_fix_is_for_the_home_that_was_named(scene: Scene, tmp_path: Path, events: Path) -> None:
    """And for a stream that waits there."""
    there = ("--home", str(tmp_path / "there"))
    scene.run(*there, *EXTERNAL, scene.server.url)
    scene.run(*there, "target", "revoke")
    scene.run(*there, "--project", "p1", "capture", str(events))

    (reason,) = scene.run(*there, "sync", "status", "--json").document["gate_reasons"]
    assert scene.run(*reason["fix"]["argv"][1:]).code == 0

    assert scene.run(*there, "sync", "status", "--json").document["gates"] == []
    assert scene.run(*there, "sync", "now", "--json").document["counts"]["delivered"] == 20


@pytest.mark.parametrize(
    ("cause", "blank", "own"),
    [("no token is named", "NAME", "ES_TOKEN"), ("no team", "TEAM", "t")],
)
def test_the_command_in_a_fix_opens_the_gate(
    scene: Scene, events: Path, cause: str, blank: str, own: str
) -> None:
    """With a name of one's own in it; what else was chosen stays."""
    CAUSES[cause][0](scene)
    scene.run("capture", str(events))

    (reason,) = scene.status()["gate_reasons"]
    words = reason["fix"]["text"].partition("eventsync ")[2].replace(blank, own).split()
    assert scene.run(*words).code == 0

    assert scene.run("sync", "now", "--json").document["counts"]["delivered"] == 20


@pytest.mark.requirement("J6")
def test_of_several_gates_the_first_is_named(scene: Scene, events: Path) -> None:
    """SaaS, login, team, in this order; status shows all of them, and each opens alone."""
    scene.run("sync", "server", scene.server.url)
    scene.run("capture", str(events))
    words = ["saas_disabled", "missing_auth", "missing_team"]
    steps: list[Open] = [
        lambda: scene.environment.setenv("SPEC_KITTY_ENABLE_SAAS_SYNC", "1"),
        lambda: scene.log_in("--token", "env:ES_TOKEN"),
        lambda: scene.log_in("--team", "t"),
    ]

    for step in steps:
        now = scene.run("sync", "now", "--json")
        assert scene.status()["gates"] == words
        assert (now.code, now.document["stopped_because"]) == (4, f"gate:{words.pop(0)}")
        step()

    assert scene.status()["gates"] == words == []
    assert scene.run("sync", "now", "--json").document["counts"]["delivered"] == 20


def test_who_drains_is_named(scene: Scene, events: Path) -> None:
    """Its process, and since when its request is on its way."""
    release = another_drain(scene)
    scene.run("capture", str(events))

    text = scene.run("sync", "status").out
    assert f"process {machine.this_process().pid} is draining stream default" in text
    scene.run("target", "revoke")
    assert scene.status()["gates"] == ["no_grant"]

    release()
    scene.run("target", "grant")
    assert scene.status()["gates"] == []


def test_the_store_is_locked_in_the_middle_of_a_commit(scene: Scene, events: Path) -> None:
    """What was captured before goes afterwards; what is captured now is refused, not lost."""
    scene.run(*EXTERNAL, scene.server.url)
    scene.run("capture", str(events))
    more = events.with_name("more.jsonl")
    more.write_text('{"event_id": "more"}\n')
    patch = scene.environment
    patch.setattr(sqlite, "open_stores", partial(open_stores, busy_seconds=0))
    patch.setattr(sqlite, "open_for_reading", partial(open_for_reading, busy_seconds=0))
    with closing(sqlite3.connect(scene.database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        status = scene.run("sync", "status", "--json")
        now = scene.run("sync", "now", "--json")
        captured = scene.run("capture", str(more), "--json")

    assert (status.code, status.document["gates"]) == (5, ["store_locked"])
    (reason,) = status.document["gate_reasons"]
    assert reason["fix"]["text"]
    assert (now.code, now.document["error"]["code"]) == (5, "store_busy")
    assert (captured.code, captured.document["error"]["code"]) == (5, "store_busy")
    assert scene.status()["gates"] == []
    assert scene.run("capture", str(more)).code == 0
    assert scene.run("sync", "now", "--json").document["counts"]["delivered"] == 21


def test_the_page_lists_every_gate(root: Path) -> None:
    """In the order in which they are named; only one of them never stops a drain by itself."""
    rows = table(root / _PAGE, "gates")

    assert list(dict.fromkeys(row[0] for row in rows)) == [gate.value for gate in Gate]
    assert [row[3] for row in rows if row[2] == _NO_STOP] == ["5"]
    assert _in_the_table(Gate.NETWORK_UNAVAILABLE, root) == ("target_backoff", 3)
