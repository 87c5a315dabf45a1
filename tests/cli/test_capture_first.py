"""Events are stored before anyone asks for a login or a network, and go once there is one."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import attrs
import pytest

from eventsync_adapters import machine
from eventsync_adapters.server import Serving, serve
from eventsync_adapters.sqlite import open_stores
from eventsync_core.clock import MINUTE
from eventsync_core.receivers import Gate, RequestRule, Script
from tests.cli.conftest import Run
from tests.cli.gates import EXTERNAL, Scene


@pytest.fixture
def scene(
    run: Run, home: Path, receiver: Serving, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Scene]:
    with ExitStack() as later:
        yield Scene(run, home, receiver, monkeypatch, later)


@pytest.mark.requirement("J7")
def test_captured_before_login_delivered_after(scene: Scene, events: Path) -> None:
    """Before anything was chosen at all, and without capturing again."""
    scene.run("capture", str(events))
    assert scene.run("sync", "now").code == 0
    assert scene.status()["gates"] == []

    scene.log_in()

    assert scene.run("sync", "now", "--json").document["counts"]["delivered"] == 20
    held = [kept.text for kept in scene.server.inbox.received()]
    assert held == events.read_text().splitlines()


@pytest.mark.requirement("J7")
def test_a_login_as_somebody_else_gets_what_was_captured_before(scene: Scene, events: Path) -> None:
    """The target is whoever is logged in at delivery: another team and user are another one."""
    scene.log_in("--team", "a", "--user", "a@one.example", "--token", "env:ES_TOKEN")
    scene.environment.delenv("ES_TOKEN")
    scene.run("capture", str(events))
    first = scene.run("sync", "now", "--json")
    assert first.document["stopped_because"] == "gate:missing_auth"

    scene.log_in("--team", "b", "--user", "b@one.example")
    done = scene.run("sync", "now", "--json").document

    assert (done["target"]["team"], done["target"]["user"]) == ("b", "b@one.example")
    assert done["counts"]["delivered"] == 20
    one, other = scene.status()["targets"]
    assert (one["team"], one["streams"][0]["classes"]["delivered"]) == ("a", 0)
    assert (other["team"], other["streams"][0]["classes"]["delivered"]) == ("b", 20)


def _without_network(scene: Scene) -> int:
    """Deliver to a server that is switched off, and return its port; the wait is over at once."""
    scene.environment.setattr(machine, "chance", lambda: 0.0)
    with serve(None, clock=machine.now) as gone:
        gone.start()
        url = gone.url
    scene.run(*EXTERNAL, url)
    assert scene.status()["gates"] == []
    now = scene.run("sync", "now", "--json")
    assert (now.code, now.document["stopped_because"]) == (3, "target_backoff")
    return int(url.rpartition(":")[2])


def test_without_network_captured_and_delivered_later(scene: Scene, events: Path) -> None:
    """Status asks nobody: a request finds out that the network is back, and opens the gate."""
    assert scene.run("capture", str(events)).code == 0
    port = _without_network(scene)
    before = scene.content()
    status = scene.status()

    assert status["gates"] == ["network_unavailable"]
    assert status["gate_reasons"][0]["fix"] == {"argv": ["eventsync", "sync", "now"]}
    assert scene.content() == before
    assert not [row for row in before if any(gate.value in row for gate in Gate)]
    with serve(None, clock=machine.now, port=port) as back:
        back.start()
        assert scene.status()["gates"] == ["network_unavailable"]
        done = scene.run("sync", "now", "--json")

    assert (done.code, done.document["counts"]["delivered"]) == (0, 20)
    assert scene.status()["gates"] == []


def test_while_it_is_left_alone_the_gate_opens_by_resuming(scene: Scene, events: Path) -> None:
    """The fix is a command, and `sync now` says what the matter is until then."""
    scene.run("capture", str(events))
    port = _without_network(scene)
    with open_stores(scene.database) as stores:
        (target,) = stores.targets.targets()
        longer = attrs.evolve(target.back_off, retry_at=machine.now() + 10 * MINUTE)
        stores.targets.set_back_off(target.target_id, longer)
    refused = scene.run("sync", "now", "--json")

    assert (refused.code, refused.document["stopped_because"]) == (3, "target_backoff")
    assert refused.document["requests"] == 0
    assert "no connection" in refused.document["error"]["message"]
    (reason,) = scene.status()["gate_reasons"]
    assert (reason["gate"], "no connection" in reason["message"]) == ("network_unavailable", True)
    assert scene.run(*reason["fix"]["argv"][1:]).code == 0
    assert scene.status()["gates"] == []
    with serve(None, clock=machine.now, port=port) as back:
        back.start()
        assert scene.run("sync", "now", "--json").document["counts"]["delivered"] == 20


@pytest.mark.parametrize(
    "words",
    [
        ("http://nowhere.invalid/in",),
        ("http://127.0.0.1:1/in",),
        ("https://{server}/in",),
        ("http://elsewhere.example/in", "--proxy", "http://127.0.0.1:1"),
    ],
    ids=["name", "route", "TLS", "proxy"],
)
def test_what_a_lack_of_network_is(scene: Scene, events: Path, words: tuple[str, ...]) -> None:
    """Whatever stands before the first byte; a server that answers is none, whatever it says."""
    scene.environment.setattr(machine, "chance", lambda: 0.0)
    place = scene.server.url.partition("://")[2]
    scene.run("capture", str(events))
    assert scene.run(*EXTERNAL, *(word.format(server=place) for word in words)).code == 0

    assert scene.run("sync", "now").code == 3
    assert scene.status()["gates"] == ["network_unavailable"]

    scene.server.set_script(Script(requests=[RequestRule(status=503)]))
    scene.run(*EXTERNAL, scene.server.url, "--proxy", "")
    assert scene.run("sync", "now", "--json").document["stopped_because"] == "target_backoff"
    assert scene.status()["gates"] == []


@pytest.mark.parametrize("word", ["no_auth", "sync_disabled", "saas_disabled", "daemon_lock"])
def test_a_reason_in_the_envelope_is_neither_heeded_nor_sent(
    scene: Scene, tmp_path: Path, word: str
) -> None:
    """Whatever an older program wrote there, the event goes, without it."""
    path = tmp_path / "blocked.jsonl"
    path.write_text(f'{{"event_id": "e1", "drain_blocked_reason": "{word}", "n": 1.50}}\n')
    scene.log_in()

    assert scene.run("capture", str(path)).code == 0
    assert word not in scene.run("sync", "status", "--json").out
    done = scene.run("sync", "now", "--json")

    assert done.document["counts"]["delivered"] == 1
    (kept,) = scene.server.inbox.received()
    assert kept.text == '{"event_id": "e1", "n": 1.50}'


@pytest.mark.requirement("F5")
def test_local_retention_has_no_gate(scene: Scene, events: Path) -> None:
    """Nobody is to be told: stored, nothing sent, and nothing in the way of it."""
    scene.run("capture", str(events))

    now = scene.run("sync", "now", "--json")

    assert (now.code, now.document["requests"]) == (0, 0)
    assert (scene.status()["gates"], scene.status()["gate_reasons"]) == ([], [])
    assert scene.status()["event_journal"]["retained_event_count"] == 20
