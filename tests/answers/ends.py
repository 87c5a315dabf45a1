"""One way from capture to ledger, and several other ends that answer alike."""

import contextlib
import gzip
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, cast

import attrs

from eventsync_adapters.alongside import alongside
from eventsync_adapters.http import ExternalReceiver, TeamspaceReceiver, Timeouts, Transport
from eventsync_adapters.server import serve
from eventsync_adapters.sqlite import open_stores
from eventsync_core.capture import capture_many
from eventsync_core.census import Class
from eventsync_core.codec import write_document
from eventsync_core.dispatch import Budget, Drain, Report, drain
from eventsync_core.ingest import Inbox, MemoryInbox, answer_batch
from eventsync_core.ledger import Holder
from eventsync_core.receivers import (
    Batch,
    DeliveryReceiver,
    RequestRule,
    Script,
    StubReceiver,
    Verdict,
)
from eventsync_core.stores import MemoryStores, Stores
from eventsync_core.targets import Kind, Limits, Target, make_target
from eventsync_core.testing import HOLDER, ManualClock, make_envelope, make_stub_target
from tests.answers.fault_server import FaultServer, fault_server, read_request, reset

ENDS = ("stub", "teamspace", "external", "socket")
_HOURS = 48 * 3_600


@attrs.define
class Noting:
    """A receiver that notes the ids of every batch it is given, and the last body."""

    receiver: DeliveryReceiver
    offered: list[list[str]] = attrs.field(factory=list)
    body: bytes = b""

    def deliver(self, batch: Batch) -> Verdict:
        """See `DeliveryReceiver.deliver`."""
        self.offered.append(list(batch.event_ids))
        self.body = batch.body
        return self.receiver.deliver(batch)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.receiver, name)


@attrs.define(kw_only=True)
class World:
    """
    A store, a target, and its other end, which obeys scripts and tells what it holds.

    `another` opens the same store once more, as another process would. A world that
    `prepares_ahead` packs the next batch while one is on its way, as `sync now` does.
    """

    stores: Stores
    target: Target
    noting: Noting
    clock: ManualClock
    tell: Callable[[Script], None]
    holds: Callable[[], dict[str, str]]
    another: Callable[[], AbstractContextManager[Stores]]
    prepares_ahead: bool = False
    streams: list[str] = attrs.field(factory=lambda: ["default"])

    def grant(self, stream: str = "default", *, from_position: int = 0) -> None:
        """Let the stream go to the target."""
        self.stores.grants.grant(
            self.target.target_id,
            stream,
            from_position=from_position,
            actor="me",
            reason="test",
            at=self.clock(),
        )

    def capture(self, *texts: str) -> None:
        """Capture *texts*; all must be new."""
        for result in capture_many(self.stores, texts, at=self.clock()):
            assert getattr(result, "state", "") in ("stored", "held")

    def capture_ids(self, *ids: str, **members: object) -> list[str]:
        """Capture an event for each of *ids*; return them."""
        self.capture(*(make_envelope(event_id, **members) for event_id in ids))
        return list(ids)

    def drain(self, *streams: str, budget: Budget | None = None) -> Report:
        """Drain as `sync now` would."""
        task = self.task(self.stores, cast(DeliveryReceiver, self.noting), HOLDER)
        return drain(attrs.evolve(task, budget=budget or Budget()), streams or self.streams)

    def task(self, stores: Stores, receiver: DeliveryReceiver, holder: Holder) -> Drain:
        """Return the arguments of a drain by *holder*."""
        return Drain(
            stores=stores,
            target=self.target,
            receiver=receiver,
            clock=self.clock,
            holder=holder,
            alongside=alongside if self.prepares_ahead else None,
        )

    def drain_later(self) -> Report:
        """Drain again two days later, when no wait of any kind is left."""
        self.clock.advance(_HOURS)
        return self.drain()

    def limit(self, **limits: int) -> None:
        """Let the receiver know of these limits."""
        cast(StubReceiver, self.noting.receiver).capacity = Limits(**limits)

    def offered(self) -> list[list[str]]:
        """Return the ids of each request since the last look."""
        found, self.noting.offered = self.noting.offered, []
        return found

    def classes(self, stream: str = "default") -> dict[str, int]:
        """Return the classes that hold anything."""
        tally = self.stores.backlog.tally(self.target.target_id, stream, at=self.clock.now)
        assert tally.is_coherent
        return {Class(name).value: count for name, count in tally.classes().items() if count}

    def rows(self, stream: str = "default") -> dict[str, tuple[str, int, int]]:
        """Return outcome, attempts and rejections of every event, by id."""
        found = {}
        for kept in self.stores.journal.entries(stream):
            row = self.stores.ledger.entry(self.target.target_id, stream, kept.position)
            if row is not None:
                word = row.outcome.value if row.outcome else "owed"
                found[kept.event.event_id] = (word, row.attempts, row.rejections)
        return found

    def history(self, event_id: str) -> list[tuple[str, str]]:
        """Return what history keeps of one event, as (outcome, reason)."""
        found = self.stores.journal.find(event_id)
        assert found is not None
        items = self.stores.ledger.history(found.stream, found.position)
        return [(item.outcome.value, item.reason) for item in items]


def counts(report: Report) -> dict[str, int]:
    """Return the counts of a report that are not nought."""
    return {word: count for word, count in report.counts().items() if count}


def granted(
    stores: Stores,
    target: Target,
    receiver: DeliveryReceiver,
    *,
    clock: ManualClock,
    tell: Callable[[Script], None],
    holds: Callable[[], dict[str, str]],
    another: Callable[[], AbstractContextManager[Stores]] | None = None,
) -> World:
    """Return a world in which the stream `default` may go to the target."""
    stores.targets.register(target, at=clock())
    world = World(
        stores=stores,
        target=target,
        noting=Noting(receiver),
        clock=clock,
        tell=tell,
        holds=holds,
        another=another or (lambda: contextlib.nullcontext(stores)),
    )
    world.grant()
    return world


@contextlib.contextmanager
def open_end(name: str, folder: Path) -> Iterator[World]:
    """Open the other end of that name, with a store of its own in *folder*."""
    if name == "stub":
        yield _stub_world()
        return
    with contextlib.ExitStack() as stack:
        clock = ManualClock()

        def another() -> AbstractContextManager[Stores]:
            path = folder / f"{name}.db"
            return contextlib.closing(open_stores(path, durability="normal", clock=clock))

        stores = stack.enter_context(another())
        timeouts = Timeouts(connect=10, read=10, answer=20)
        transport = stack.enter_context(
            Transport(monotonic=time.monotonic, timeouts=timeouts, verify=False)
        )
        if name == "socket":
            server = stack.enter_context(fault_server())
            teller = Teller(server)
            target = make_target(Kind.EXTERNAL, f"{server.url}/events?key=1")
            receiver: DeliveryReceiver = ExternalReceiver(target, transport)
            world = granted(
                stores,
                target,
                receiver,
                clock=clock,
                tell=teller.tell,
                holds=teller.holds,
                another=another,
            )
            world.prepares_ahead = True
            yield world
            return
        serving = stack.enter_context(serve(None, clock=clock))
        serving.start()
        if name == "teamspace":
            target = make_target(Kind.TEAMSPACE, serving.url, team="team", user="me@a.example")
            receiver = TeamspaceReceiver(
                target, transport, saas_enabled=True, token=lambda: "a-token"
            )
        else:
            target = make_target(Kind.EXTERNAL, f"{serving.url}/events")
            receiver = ExternalReceiver(target, transport)
        world = granted(
            stores,
            target,
            receiver,
            clock=clock,
            tell=serving.set_script,
            holds=lambda: _held(serving.inbox),
            another=another,
        )
        world.prepares_ahead = name == "teamspace"
        yield world


def _stub_world() -> World:
    target, clock = make_stub_target(), ManualClock()
    stub = StubReceiver(target.target_id)

    def tell(script: Script) -> None:
        stub.script = script

    return granted(
        MemoryStores(), target, stub, clock=clock, tell=tell, holds=lambda: dict(stub.received)
    )


def _held(inbox: Inbox) -> dict[str, str]:
    return {kept.event_id: kept.text for kept in inbox.received()}


class Teller:
    """Lets a bare socket answer as a script says, each time in another framing of HTTP."""

    def __init__(self, server: FaultServer) -> None:
        self.script = Script()
        self.inbox = MemoryInbox()
        self._answers = 0
        server.behaviour = self._behave

    def tell(self, script: Script) -> None:
        """Answer every request from now on as *script* says."""
        self.script = script

    def holds(self) -> dict[str, str]:
        """Return the texts kept, by id."""
        return _held(self.inbox)

    def _behave(self, connection: socket.socket) -> None:
        rule = self.script.next_request()
        if rule.cut == "before":
            # Without it the client may be told before its first byte has left.
            connection.recv(1)
            reset(connection)
            return
        asked = read_request(connection)
        if asked is None:
            return
        status, headers, body = self._answer(asked.body, rule)
        if rule.cut and not rule.replaces_answer:
            reset(connection)
            return
        self._answers += 1
        connection.sendall(framed(status, headers, body, kind=self._answers % len(FRAMINGS)))

    def _answer(self, body: bytes, rule: RequestRule) -> tuple[int, dict[str, str], bytes]:
        if rule.replaces_answer:
            return rule.status, dict(rule.headers), (rule.body or "").encode()
        reply = answer_batch(self.inbox, body, self.script)
        return reply.status, dict(rule.headers), write_document(reply.document).encode()


FRAMINGS = ("length", "chunks", "close", "gzip")
"""How a body can be told from what follows it."""


def framed(status: int, headers: dict[str, str], body: bytes, *, kind: int) -> bytes:
    """Return the bytes of an answer after which the connection is closed."""
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{key}: {word}" for key, word in headers.items())]
    framing = FRAMINGS[kind]
    if framing == "gzip":
        body = gzip.compress(body, compresslevel=1, mtime=0)
        lines.append("content-encoding: GZIP")
    if framing in ("length", "gzip"):
        lines.append(f"CONTENT-LENGTH:{len(body)}")
    if framing == "chunks":
        lines.append("Transfer-Encoding: chunked")
        body = b"".join(_chunk(body[at : at + 7]) for at in range(0, len(body), 7)) + _chunk(b"")
    lines.append("Connection: close")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _chunk(part: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(part), part)


def ids(count: int, prefix: str = "e") -> Sequence[str]:
    """Return so many ids."""
    return [f"{prefix}{number}" for number in range(1, count + 1)]
