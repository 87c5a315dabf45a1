"""Answers that come too late, and answers that are too long."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import cast

import attrs
import pytest

from eventsync_adapters.http import ExternalReceiver, Timeouts, Transport
from eventsync_core.dispatch import Report, drain
from eventsync_core.ledger import Holder
from eventsync_core.receivers import Batch, DeliveryReceiver, RequestRule, Script, Verdict
from eventsync_core.stores import MemoryStores
from eventsync_core.targets import Kind, make_target
from eventsync_core.testing import ManualClock
from tests.answers.ends import Noting, World, counts, framed, granted, ids
from tests.answers.fault_server import fault_server, read_request

_OTHER = Holder(pid=2, started_at=2, boot="elsewhere")
_MORE_THAN_A_LEASE_SECONDS = 60


@attrs.define
class Slow(Noting):
    """A receiver whose first answer arrives after another drain took over and finished."""

    meanwhile: Callable[[], Report] = attrs.field(kw_only=True)
    reports: list[Report] = attrs.field(factory=list, kw_only=True)

    def deliver(self, batch: Batch) -> Verdict:
        """See `DeliveryReceiver.deliver`."""
        verdict = super().deliver(batch)
        if not self.reports:
            self.reports.append(self.meanwhile())
        return verdict


def _overtaken(world: World, *, first: str, second: Script) -> tuple[Report, Report]:
    """Drain with the answer *first*, which arrives after a drain that was told *second*."""
    inner = world.noting.receiver

    def meanwhile() -> Report:
        world.clock.advance(_MORE_THAN_A_LEASE_SECONDS)
        world.tell(second)
        with world.another() as stores:
            return drain(world.task(stores, inner, _OTHER), ["default"])

    slow = Slow(inner, meanwhile=meanwhile)
    world.noting = slow
    body = json.dumps({"results": [{"event_id": "e1", "status": first}]})
    world.tell(Script(requests=[RequestRule(body=body)]))
    report = world.drain()
    (other,) = slow.reports
    return report, other


@pytest.mark.requirement("L11")
@pytest.mark.parametrize("late", ["pending", "rejected", "misunderstood"])
def test_a_late_no_undoes_no_delivery(world: World, late: str) -> None:
    """The lease is another's: what came late is not kept, and the drain says that it is busy."""
    world.capture_ids("e1")

    report, other = _overtaken(world, first=late, second=Script())

    assert counts(other) == {"selected": 1, "delivered": 1}
    assert report.stopped_because == "busy"
    assert world.rows()["e1"][0] == "success"
    assert world.rows()["e1"][2] == 0
    assert world.drain_later().requests == 0


@pytest.mark.requirement("L6")
@pytest.mark.parametrize("meanwhile", ["rejected", "pending", "misunderstood"])
def test_a_late_acknowledgement_is_a_fact(world: World, meanwhile: str) -> None:
    """Whoever holds the lease: the target has the event, and it is not offered again."""
    world.capture_ids("e1")

    report, _ = _overtaken(
        world, first="success", second=Script(events={"e1": {"status": meanwhile}})
    )

    assert report.stopped_because == "busy"
    assert world.classes() == {"delivered": 1}
    assert world.drain_later().requests == 0


@pytest.mark.requirement("L6")
def test_two_acknowledgements_are_one_delivery(world: World) -> None:
    """One row, whoever was first."""
    world.capture_ids("e1")

    _overtaken(world, first="success", second=Script(events={"e1": {"status": "duplicate"}}))

    assert world.classes() == {"delivered": 1}
    assert world.rows()["e1"][0] in ("success", "duplicate")


_PADDING = "x" * 400_000


def _answer_at_length(connection: socket.socket) -> None:
    asked = read_request(connection)
    if asked is None:
        return
    results = [
        {"event_id": event_id, "status": "success", "echo": _PADDING}
        for event_id in asked.event_ids
    ]
    connection.sendall(framed(200, {}, json.dumps({"results": results}).encode(), kind=0))


def _answer_without_end(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"<p>hello" * 300_000)


@pytest.fixture
def transport() -> Iterator[Transport]:
    """Return a way to the server."""
    timeouts = Timeouts(connect=10, read=10)
    with Transport(monotonic=time.monotonic, timeouts=timeouts, verify=False) as opened:
        yield opened


def _at(url: str, transport: Transport) -> World:
    target = make_target(Kind.EXTERNAL, f"{url}/events")
    receiver = ExternalReceiver(target, transport)
    return granted(
        MemoryStores(),
        target,
        cast(DeliveryReceiver, receiver),
        clock=ManualClock(),
        tell=lambda _: None,
        holds=dict,
    )


def test_an_answer_too_long_to_be_read_does_not_stop_the_drain(transport: Transport) -> None:
    """What it was about is of unknown effect and not sent again; the rest goes in halves."""
    with fault_server() as server:
        server.behaviour = _answer_at_length
        world = _at(server.url, transport)
        world.capture_ids(*ids(8))
        world.limit(max_events=4)

        first = world.drain()
        later = world.drain_later()

    assert world.offered() == [ids(4), ["e5", "e6"], ["e7", "e8"], ["e1", "e2"], ["e3", "e4"]]
    assert counts(first) == {"selected": 8, "delivered": 4, "unknown_effect": 4}
    assert (first.stopped_because, first.remaining_owed) == ("caught_up", 4)
    assert counts(later) == {"selected": 4, "delivered": 4}


@pytest.mark.requirement("M7")
def test_a_page_without_end_stops_the_drain(transport: Transport) -> None:
    """After one request: this is no event endpoint."""
    with fault_server() as server:
        server.behaviour = _answer_without_end
        world = _at(server.url, transport)
        world.capture_ids(*ids(8))
        world.limit(max_events=4)

        report = world.drain()

    assert (report.stopped_because, report.requests) == ("protocol", 1)
    assert counts(report) == {"selected": 4, "unknown_effect": 4}
