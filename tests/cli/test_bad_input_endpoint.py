"""Endpoints that misbehave: exit 3, a word for it, nothing lost, and a good one gets it all."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from eventsync_adapters import machine
from eventsync_adapters.server import Serving
from eventsync_core.receivers import RequestRule, Script
from tests.cli.bad_input import check_document, check_told, keeps
from tests.cli.conftest import Run
from tests.http.conftest import Behaviour, FaultServer


def says(raw: bytes) -> Behaviour:
    """Return what sends *raw* and closes the connection."""
    return lambda connection: connection.sendall(raw)


def answers(status: str, body: bytes = b"", *headers: bytes) -> Behaviour:
    """Return what sends a whole answer."""
    fields = [b"HTTP/1.1 " + status.encode(), b"Content-Length: %d" % len(body), *headers]
    return says(b"\r\n".join(fields) + b"\r\n\r\n" + body)


def never_ends(connection: socket.socket) -> None:
    """Send a body for as long as anyone reads it."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(b'{"results": []}' + b" " * 65_536)


def resets(connection: socket.socket) -> None:
    """Close in a way that discards what is on its way."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


HTML = b"<!doctype html><title>It works!</title>"
FAULTS: dict[str, tuple[Behaviour, str, str]] = {
    "HTML": (answers("200 OK", HTML, b"Content-Type: text/html"), "protocol", "unknown_effect"),
    "204": (says(b"HTTP/1.1 204 No Content\r\n\r\n"), "protocol", "unknown_effect"),
    "no batch answer": (answers("200 OK", b'{"ok": true}'), "protocol", "unknown_effect"),
    "an array": (answers("200 OK", b"[]"), "protocol", "unknown_effect"),
    "deep JSON": (answers("200 OK", b"[" * 100_000), "protocol", "unknown_effect"),
    "nothing per event": (answers("200 OK", b'{"results": []}'), "caught_up", "unknown_effect"),
    "other events": (
        answers("200 OK", b'{"results": [{"event_id": "other", "status": "success"}, 7, null]}'),
        "caught_up",
        "unknown_effect",
    ),
    "301": (
        answers("301 Moved", b"", b"Location: https://elsewhere.example/"),
        "protocol",
        "transient",
    ),
    "307": (answers("307 Moved", b"", b"Location: /in2"), "protocol", "transient"),
    "closes at once": (says(b""), "target_backoff", "unknown_effect"),
    "resets": (resets, "target_backoff", "unknown_effect"),
    "breaks off in the head": (says(b"HTTP/1.1 200 O"), "target_backoff", "unknown_effect"),
    "breaks off in the body": (
        says(b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"results": ['),
        "protocol",
        "unknown_effect",
    ),
    "broken chunks": (
        says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        "protocol",
        "unknown_effect",
    ),
    "broken gzip": (
        answers("200 OK", b"no gzip", b"Content-Encoding: gzip"),
        "protocol",
        "unknown_effect",
    ),
    "not HTTP": (says(b"SSH-2.0-OpenSSH_9.6\r\n"), "target_backoff", "unknown_effect"),
    "noise": (says(bytes(range(256)) * 40), "target_backoff", "unknown_effect"),
    "never ends": (never_ends, "caught_up", "unknown_effect"),
    "401": (answers("401 Unauthorized", b'{"error": "who?"}'), "target_backoff", "transient"),
    "403": (answers("403 Forbidden", HTML), "target_backoff", "transient"),
    "408": (answers("408 Request Timeout"), "target_backoff", "transient"),
    "410": (answers("410 Gone"), "paused", "transient"),
    "412": (
        answers("412 Precondition", b'{"error_description": "please upgrade"}'),
        "protocol",
        "transient",
    ),
    "418": (answers("418 Teapot"), "protocol", "transient"),
    "429": (answers("429 Too Many", b"", b"Retry-After: 7"), "target_backoff", "transient"),
    "500": (answers("500 Oh no", HTML), "target_backoff", "transient"),
    "503": (answers("503 Busy", b"", b"Retry-After: soon"), "target_backoff", "transient"),
}


@pytest.fixture
def fault_server() -> Iterator[Callable[..., FaultServer]]:
    """Return a function that starts a server with those behaviours."""
    servers: list[FaultServer] = []

    def start(*behaviours: Behaviour) -> FaultServer:
        servers.append(FaultServer(*behaviours))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def choose(run: Run, url: str) -> None:
    """Make *url* the target, with the stream granted to it."""
    assert run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", url).code == 0


def classes(run: Run) -> dict[str, int]:
    """Return the classes that the status gives for the current target, checked."""
    status = run("sync", "status", "--json")
    assert status.code == 0
    (target,) = [each for each in status.document["targets"] if each["is_current"]]
    (stream,) = target["streams"]
    assert (stream["coherent"], stream["sum"], stream["captured"]) == (True, 20, 20)
    return {name: count for name, count in stream["classes"].items() if count}


def check_counts(counts: Any, **expected: int) -> None:
    """Check that every selected event is in exactly one count."""
    assert {name: count for name, count in counts.items() if count} == {"selected": 20, **expected}


def goes_elsewhere(run: Run, events: Path, receiver: Serving) -> None:
    """Check that nothing was lost: another target gets every event, byte for byte."""
    keeps(run, 20)
    choose(run, f"{receiver.url}/in")
    ran = run("sync", "now", "--json")
    assert (ran.code, ran.document["counts"]["delivered"]) == (0, 20)
    held = [kept.text for kept in receiver.inbox.received()]
    assert held == events.read_text().splitlines()


@pytest.mark.parametrize("kind", FAULTS)
def test_an_endpoint_that_misbehaves(
    run: Run,
    events: Path,
    receiver: Serving,
    fault_server: Callable[..., FaultServer],
    kind: str,
) -> None:
    """Nothing counts as delivered; the status says what is known; nothing is lost."""
    behaviour, stopped, outcome = FAULTS[kind]
    server = fault_server(behaviour)
    run("capture", str(events))
    choose(run, f"{server.url}/in")

    ran = run("sync", "now", "--json")

    check_document(ran, 3, "work_left" if stopped == "caught_up" else stopped)
    assert ran.document["stopped_because"] == stopped
    assert (ran.document["requests"], len(server.requests)) == (1, 1)
    check_counts(ran.document["counts"], **{outcome: 20})
    assert ran.document["remaining_owed"] == 20
    found = {"transient": "in_backoff"}.get(outcome, outcome)
    assert classes(run) == {found: 20}
    goes_elsewhere(run, events, receiver)


@pytest.mark.parametrize("kind", ["HTML", "301", "closes at once", "412", "410", "500"])
def test_a_person_is_told_in_one_line(
    run: Run, events: Path, fault_server: Callable[..., FaultServer], kind: str
) -> None:
    """The reason and a fix stand on stderr, the counts on stdout."""
    behaviour, stopped, _ = FAULTS[kind]
    server = fault_server(behaviour)
    run("capture", str(events))
    choose(run, f"{server.url}/in")

    ran = check_told(run("sync", "now"), 3, stopped)

    assert "selected 20" in ran.out
    assert {"412": "please upgrade", "301": "elsewhere.example"}.get(kind, "") in ran.err


def test_a_refused_connection(run: Run, events: Path, receiver: Serving) -> None:
    """Nobody was reached: transient without effect."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    run("capture", str(events))
    choose(run, f"http://127.0.0.1:{port}/in")

    ran = check_document(run("sync", "now", "--json"), 3, "target_backoff")

    check_counts(ran.document["counts"], transient=20)
    assert classes(run) == {"in_backoff": 20}
    goes_elsewhere(run, events, receiver)


def test_everything_is_too_large(
    run: Run, events: Path, receiver: Serving, fault_server: Callable[..., FaultServer]
) -> None:
    """413 halves down to single events, which are then final there, and go elsewhere."""
    server = fault_server(*[answers("413 Too Large")] * 60)
    run("capture", str(events))
    choose(run, f"{server.url}/in")

    ran = run("sync", "now", "--json")

    assert ran.code == 3
    check_counts(ran.document["counts"], terminal_failed=20)
    assert classes(run) == {"terminal_failed": 20}
    assert run("sync", "status", "--json").document["terminal_failures"]["count"] == 20
    goes_elsewhere(run, events, receiver)


RECOVERS: dict[str, RequestRule] = {
    "401": RequestRule(status=401),
    "412": RequestRule(status=412, body='{"error_description": "please upgrade"}'),
    "429": RequestRule(status=429, headers={"Retry-After": "1"}),
    "500": RequestRule(status=500),
    "HTML": RequestRule(body="<html>"),
    "307": RequestRule(status=307, headers={"Location": "/x"}),
    "cut before": RequestRule(cut="before"),
    "cut after": RequestRule(cut="after"),
    "410": RequestRule(status=410),
}


@pytest.mark.parametrize("kind", RECOVERS)
def test_the_same_endpoint_recovers(
    run: Run, events: Path, receiver: Serving, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Once it answers in earnest, every event is there once, in order, and known as such."""
    receiver.set_script(Script(requests=[RECOVERS[kind]]))
    run("capture", str(events))
    choose(run, f"{receiver.url}/in")
    assert run("sync", "now").code == 3
    if kind == "410":
        assert run("sync", "now", "--json").document["stopped_because"] == "paused"
        choose(run, f"{receiver.url}/in")
    started = machine.now()
    monkeypatch.setattr(machine, "now", lambda: started + 3_600_000_000)

    ran = run("sync", "now", "--json")

    assert (ran.code, ran.document["remaining_owed"]) == (0, 0)
    check_counts(
        ran.document["counts"], **{"duplicate" if kind == "cut after" else "delivered": 20}
    )
    assert classes(run) == {"delivered": 20}
    held = [kept.text for kept in receiver.inbox.received()]
    assert held == events.read_text().splitlines()
    keeps(run, 20)
