"""HTTP as it is met in the wild: crumbs, interim answers, and connections that die between two."""

import json
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from eventsync_adapters.http import ExternalReceiver, Timeouts, Transport
from eventsync_core.stores import MemoryStores
from eventsync_core.targets import Kind, make_target
from eventsync_core.testing import ManualClock
from tests.answers.ends import World, counts, framed, granted, ids
from tests.answers.fault_server import FaultServer, fault_server, read_request, reset

_INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


def _acknowledged(connection: socket.socket, *, kind: int = 0) -> bytes:
    """Read a request, and return the bytes that acknowledge all of it."""
    asked = read_request(connection)
    if asked is None:
        raise OSError("the client left")
    results = [{"event_id": event_id, "status": "success"} for event_id in asked.event_ids]
    return framed(200, {}, json.dumps({"results": results}).encode(), kind=kind)


def _in_crumbs(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in _acknowledged(connection, kind=1):
        connection.sendall(bytes([byte]))


def _after_interim_answers(connection: socket.socket) -> None:
    connection.sendall(_INTERIM + _acknowledged(connection))


def _interim_only(connection: socket.socket) -> None:
    _acknowledged(connection)
    connection.sendall(_INTERIM)


def _says_more_than_it_has(connection: socket.socket) -> None:
    answer = _acknowledged(connection)
    length = int(answer.partition(b"CONTENT-LENGTH:")[2].partition(b"\r\n")[0])
    connection.sendall(answer.replace(b"LENGTH:%d" % length, b"LENGTH:%d" % (length + 1)))


def _says_less_than_it_has(connection: socket.socket) -> None:
    answer = _acknowledged(connection)
    length = int(answer.partition(b"CONTENT-LENGTH:")[2].partition(b"\r\n")[0])
    connection.sendall(answer.replace(b"LENGTH:%d" % length, b"LENGTH:%d" % (length - 1)))


def _in_an_old_version(connection: socket.socket) -> None:
    connection.sendall(_acknowledged(connection, kind=2).replace(b"HTTP/1.1", b"HTTP/1.0"))


def _of_another_protocol(connection: socket.socket) -> None:
    _acknowledged(connection)
    connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")


def _without_compression(connection: socket.socket) -> None:
    """Say gzip of a body that is none."""
    answer = _acknowledged(connection)
    connection.sendall(answer.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n", 1))


def _in_an_unknown_coding(connection: socket.socket) -> None:
    answer = _acknowledged(connection)
    connection.sendall(answer.replace(b"\r\n\r\n", b"\r\nContent-Encoding: br\r\n\r\n", 1))


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """Return a bare socket."""
    with fault_server() as opened:
        yield opened


@pytest.fixture
def near(server: FaultServer) -> Iterator[World]:
    """Return a world whose target is that socket."""
    target, clock = make_target(Kind.EXTERNAL, f"{server.url}/events"), ManualClock()
    with Transport(
        monotonic=time.monotonic, timeouts=Timeouts(connect=10, read=10), verify=False
    ) as transport:
        yield granted(
            MemoryStores(),
            target,
            ExternalReceiver(target, transport),
            clock=clock,
            tell=lambda _: None,
            holds=dict,
        )


@pytest.mark.requirement("M1")
@pytest.mark.parametrize("behaviour", [_in_crumbs, _after_interim_answers, _in_an_old_version])
def test_an_odd_way_to_say_yes_is_a_yes(
    server: FaultServer, near: World, behaviour: Callable[[socket.socket], None]
) -> None:
    """What arrives whole is believed."""
    server.behaviour = behaviour
    near.capture_ids(*ids(3))

    assert counts(near.drain()) == {"selected": 3, "delivered": 3}


@pytest.mark.requirement("M7")
@pytest.mark.requirement("M15")
@pytest.mark.parametrize(
    ("behaviour", "stop"),
    [
        (_interim_only, "target_backoff"),
        (_of_another_protocol, "target_backoff"),
        (_says_more_than_it_has, "protocol"),
        (_says_less_than_it_has, "protocol"),
        (_without_compression, "protocol"),
        (_in_an_unknown_coding, "protocol"),
    ],
)
def test_a_yes_that_is_not_whole_is_none(
    server: FaultServer, near: World, behaviour: Callable[[socket.socket], None], stop: str
) -> None:
    """Everything is of unknown effect, and offered again later."""
    server.behaviour = behaviour
    near.capture_ids(*ids(3))

    report = near.drain()

    assert counts(report) == {"selected": 3, "unknown_effect": 3}
    assert (report.stopped_because, report.requests) == (stop, 1)
    server.behaviour = _in_crumbs
    assert counts(near.drain_later()) == {"selected": 3, "delivered": 3}


@pytest.mark.requirement("M15")
def test_a_connection_that_dies_between_two_requests(server: FaultServer, near: World) -> None:
    """The second one may have been read: of unknown effect. The first stays delivered."""

    def dies(connection: socket.socket) -> None:
        connection.sendall(_acknowledged(connection).replace(b"Connection: close\r\n", b""))
        connection.recv(1)
        reset(connection)

    server.behaviour = dies
    near.capture_ids(*ids(3))
    near.limit(max_events=1)

    report = near.drain()

    assert near.offered() == [["e1"], ["e2"]]
    assert near.rows() == {"e1": ("success", 1, 0), "e2": ("unknown_effect", 1, 0)}
    assert (report.stopped_because, report.remaining_owed) == ("target_backoff", 2)
    server.behaviour = _in_crumbs
    assert counts(near.drain_later()) == {"selected": 2, "delivered": 2}
