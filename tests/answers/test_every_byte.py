"""One exchange, broken at every byte: nothing is called delivered that was not acknowledged."""

import socket
import time
from collections.abc import Iterator
from typing import Literal

import attrs
import pytest

from eventsync_adapters.http import ExternalReceiver, Timeouts, Transport
from eventsync_core.codec import write_document
from eventsync_core.dispatch import Report
from eventsync_core.stores import MemoryStores
from eventsync_core.targets import Kind, make_target
from eventsync_core.testing import ManualClock, make_envelope
from tests.answers.ends import World, framed, granted
from tests.answers.fault_server import FaultServer, fault_server, read_request, reset, stall

Way = Literal["cut", "stall", "garbage", "reset"]
WAYS: tuple[Way, ...] = ("cut", "stall", "garbage", "reset")

_IDS = ("e1", "e2", "e3")
_RESULTS = write_document(
    {"results": [{"event_id": event_id, "status": "success"} for event_id in _IDS]}
).encode()
_ANSWERS = [
    framed(200, {"Content-Type": "application/json"}, _RESULTS, kind=kind) for kind in (0, 1, 2)
]
_GARBAGE = (b"\x00", b"\xff\xfe", b"}", b'"', b"\r\n", b"\r\n\r\n", b"\x1f\x8b\x08", b"zz" * 40)
_SENSIBLE = {"caught_up", "target_backoff", "protocol"}
_NO_PATIENCE_SECONDS = 0.004


@attrs.define
class OtherEnd:
    """
    What the server is to do next, and what it holds.

    It stores the events of a request only after all of its answer has left.
    """

    server: FaultServer
    answer: bytes = _ANSWERS[0]
    breaks_at: int | None = None
    asks_only: int | None = None
    way: Way = "cut"
    garbage: bytes = b""
    held: set[str] = attrs.field(factory=set)
    said: bytes = b""
    asked_size: int = 0

    def behave(self, connection: socket.socket) -> None:
        """Serve one connection."""
        if self.asks_only is not None:
            _take(connection, self.asks_only)
            self._break(connection)
            return
        asked = read_request(connection)
        if asked is None:
            return
        self.asked_size = asked.size
        self.said = self.answer if self.breaks_at is None else self.answer[: self.breaks_at]
        is_garbled = self.breaks_at is not None and self.way == "garbage"
        if is_garbled:
            self.said += self.garbage + self.answer[self.breaks_at :]
        if self.said == self.answer or is_garbled:
            self.held.update(asked.event_ids)
        connection.sendall(self.said)
        if self.breaks_at is not None:
            self._break(connection)

    def _break(self, connection: socket.socket) -> None:
        if self.way == "stall":
            stall(connection)
        elif self.way == "reset":
            reset(connection)
        elif self.asks_only is not None and self.way == "garbage":
            connection.sendall(self.garbage)


def _take(connection: socket.socket, count: int) -> None:
    while count > 0 and (chunk := connection.recv(count)):
        count -= len(chunk)


@pytest.fixture
def other_end() -> Iterator[OtherEnd]:
    """Return what a bare socket is told to do."""
    with fault_server() as server:
        end = OtherEnd(server)
        server.behaviour = end.behave
        yield end


def _transport(read_seconds: float) -> Transport:
    timeouts = Timeouts(connect=10, read=read_seconds)
    return Transport(monotonic=time.monotonic, timeouts=timeouts, verify=False)


@pytest.fixture
def patient() -> Iterator[Transport]:
    """Return a way to the server that waits."""
    with _transport(10) as opened:
        yield opened


@pytest.fixture
def hasty() -> Iterator[Transport]:
    """Return a way to the server that gives up at once."""
    with _transport(_NO_PATIENCE_SECONDS) as opened:
        yield opened


def _world(end: OtherEnd, transport: Transport) -> World:
    target, clock = make_target(Kind.EXTERNAL, f"{end.server.url}/events"), ManualClock()
    receiver = ExternalReceiver(target, transport)
    world = granted(
        MemoryStores(),
        target,
        receiver,
        clock=clock,
        tell=lambda _: None,
        holds=lambda: dict.fromkeys(end.held, ""),
    )
    world.capture(*(make_envelope(event_id, aggregate_id="one") for event_id in _IDS))
    return world


def _delivered(world: World) -> set[str]:
    return {key for key, row in world.rows().items() if row[0] in ("success", "duplicate")}


def _acknowledged(said: bytes) -> set[str]:
    """Return the ids whose entry arrived untouched; JSON allows line breaks between its parts."""
    entries = {event_id: f'{{"event_id":"{event_id}","status":"success"}}' for event_id in _IDS}
    whole = said.replace(b"\r\n", b"").decode("latin-1")
    return {event_id for event_id, entry in entries.items() if entry in whole}


def _check(report: Report, world: World, end: OtherEnd, where: object) -> None:
    assert report.stopped_because in _SENSIBLE, where
    assert report.selected == len(_IDS), where
    assert report.counts()["rejected"] == report.counts()["terminal_failed"] == 0, where
    assert _delivered(world) <= end.held, where


def _recover(world: World, end: OtherEnd, transport: Transport, where: object) -> None:
    """Drain much later, from a server in good health: it must come to hold everything."""
    end.breaks_at = end.asks_only = None
    end.answer = _ANSWERS[0]
    world.noting.receiver = ExternalReceiver(world.target, transport)
    report = world.drain_later()
    assert (report.stopped_because, report.remaining_owed) == ("caught_up", 0), where
    assert _delivered(world) == set(_IDS), where
    assert end.held >= set(_IDS), where


@pytest.mark.requirement("M15")
@pytest.mark.parametrize("framing", range(3), ids=("length", "chunks", "close"))
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.long)])
def test_an_answer_broken_at_every_byte(
    other_end: OtherEnd, patient: Transport, hasty: Transport, way: Way, framing: int, step: int
) -> None:
    """Never a delivery without its acknowledgement; later all are delivered."""
    answer = _ANSWERS[framing]
    for at in range(0, len(answer), 1 if (framing, way) == (0, "cut") else step):
        where = (way, framing, at)
        other_end.answer, other_end.breaks_at, other_end.way = answer, at, way
        other_end.held.clear()
        other_end.garbage = _GARBAGE[at % len(_GARBAGE)]
        world = _world(other_end, hasty if way == "stall" else patient)

        report = world.drain()

        _check(report, world, other_end, where)
        if framing != 1:
            assert _delivered(world) <= _acknowledged(other_end.said), where
        if way != "garbage":
            assert not _delivered(world), where
            assert report.counts()["unknown_effect"] == len(_IDS), where
        _recover(world, other_end, patient, where)


@pytest.mark.requirement("M15")
@pytest.mark.parametrize("way", WAYS)
def test_a_request_broken_off_while_it_is_read(
    other_end: OtherEnd, patient: Transport, hasty: Transport, way: Way
) -> None:
    """
    What the server read of it cannot be known: of unknown effect, and offered again.

    A reset before it was read at all may come before the first byte has left.
    """
    assert _world(other_end, patient).drain().is_clean
    size = other_end.asked_size
    assert size > 200
    for count in range(0, size, 12):
        other_end.asks_only, other_end.way = count, way
        other_end.held.clear()
        other_end.garbage = _GARBAGE[count // 12 % len(_GARBAGE)] * 3
        world = _world(other_end, hasty if way == "stall" else patient)

        report = world.drain()

        _check(report, world, other_end, (way, count))
        unsent = report.counts()["transient"] if count == 0 else 0
        assert report.counts()["unknown_effect"] + unsent == len(_IDS), (way, count)
        assert report.stopped_because == "target_backoff", (way, count)
        _recover(world, other_end, patient, (way, count))


@pytest.mark.requirement("M15")
def test_a_closed_port_has_no_effect(other_end: OtherEnd, patient: Transport) -> None:
    """Nothing left this machine: the events are transient and never count as seen."""
    world = _world(other_end, patient)
    other_end.server.close()

    report = world.drain()

    assert report.stopped_because == "target_backoff"
    assert world.rows() == dict.fromkeys(_IDS, ("transient", 1, 0))
    row = world.stores.ledger.entry(world.target.target_id, "default", 1)
    assert row is not None
    assert not row.seen


def test_the_exchange_is_answered_when_it_is_whole(other_end: OtherEnd, patient: Transport) -> None:
    """In each framing: otherwise the tests above would prove nothing."""
    for answer in _ANSWERS:
        other_end.answer = answer
        world = _world(other_end, patient)

        assert world.drain().is_clean
        assert _delivered(world) == set(_IDS)
