"""A host captures whatever is closed, is shown what is, and delivers once it is open."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
import pytest

from eventsync_adapters.sqlite import open_stores
from eventsync_core.authority import Claims, resolve
from eventsync_core.capture import capture
from eventsync_core.clock import MINUTE, SECOND
from eventsync_core.dispatch import Drain, Report, drain
from eventsync_core.errors import StoreBusyError
from eventsync_core.ledger import Holder, Lease, Opening
from eventsync_core.policy import Mode
from eventsync_core.receivers import Answer, Batch, Gate, StubReceiver, Verdict, interpret
from eventsync_core.status import Foreground, Setting, Status, as_document, collect
from eventsync_core.stores import MemoryStores, Stores
from eventsync_core.targets import BackOff, Target
from eventsync_core.testing import HOLDER, ManualClock, make_envelope, make_stub_target

_OTHER = Holder(pid=42, started_at=1, boot="elsewhere")
_OF_THE_RECEIVER = [
    Gate.SAAS_DISABLED,
    Gate.MISSING_AUTH,
    Gate.MISSING_TEAM,
    Gate.ENDPOINT_MISSING,
]


@attrs.define
class _Receiver(StubReceiver):
    """Takes everything, unless a gate is closed or the network is down."""

    closed: list[Gate] = attrs.field(factory=list, kw_only=True)
    fault: Answer | None = attrs.field(default=None, kw_only=True)

    def closed_gates(self) -> Sequence[Gate]:
        """See `DeliveryReceiver.closed_gates`."""
        return self.closed

    def deliver(self, batch: Batch) -> Verdict:
        """See `DeliveryReceiver.deliver`."""
        if self.fault is not None:
            return interpret(batch.event_ids, self.fault)
        return super().deliver(batch)


@attrs.define
class Host:
    """What a host puts together: stores, a target, what reaches it, and its own settings."""

    stores: Stores
    target: Target = attrs.field(factory=make_stub_target)
    clock: ManualClock = attrs.field(factory=ManualClock)
    receiver: _Receiver = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.receiver = _Receiver(self.target.target_id)
        self.stores.targets.register(self.target, at=self.clock())
        self.grant()

    def grant(self) -> None:
        """Let the stream go there."""
        self.stores.grants.grant(
            self.target.target_id,
            "default",
            from_position=0,
            actor="me",
            reason="test",
            at=self.clock(),
        )

    def drain(self) -> Report:
        """Deliver what is owed."""
        task = Drain(
            stores=self.stores,
            target=self.target,
            receiver=self.receiver,
            clock=self.clock,
            holder=HOLDER,
        )
        return drain(task, ["default"])

    def status(self) -> Status:
        """Look at everything."""
        setting = Setting(
            mode=Mode.TEAMSPACE,
            authority=resolve(Claims(), home="/h"),
            foreground=Foreground(
                package_version="1", executable_path="/p", source_path="/s", pid=1
            ),
            database_path="/d",
            current=self.target,
            gates=tuple(gate.value for gate in self.receiver.closed),
        )
        return collect(self.stores, setting, at=self.clock())

    def gates(self) -> list[str]:
        """Return the words of the closed gates, which their reasons carry too."""
        document = as_document(self.status(), (), exit_code=0)
        words: list[str] = document["gates"]
        assert [reason["gate"] for reason in document["gate_reasons"]] == words
        return words

    def is_untouched(self) -> bool:
        """Say whether nothing was ever noted of the first entry at the target."""
        target_id, ledger = self.target.target_id, self.stores.ledger
        noted = (
            ledger.entry(target_id, "default", 1),
            ledger.history("default", 1),
            ledger.requests(target_id, "default"),
        )
        return not any(noted) and self.stores.targets.get(target_id).back_off == BackOff()


@pytest.fixture(params=["memory", "sqlite"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Host]:
    if request.param == "memory":
        yield Host(MemoryStores())
        return
    with open_stores(tmp_path / "eventsync.db") as stores:
        yield Host(stores)


def _captures(host: Host) -> None:
    receipt = capture(host.stores, make_envelope("e1"), at=host.clock())
    assert (receipt.state, receipt.durable) == ("stored", host.stores.is_durable)


def _delivers(host: Host) -> None:
    assert host.gates() == []
    assert host.drain().counts()["delivered"] == 1
    assert host.gates() == []


@pytest.mark.requirement("J6")
@pytest.mark.parametrize("gate", _OF_THE_RECEIVER)
def test_a_gate_of_the_receiver(host: Host, gate: Gate) -> None:
    """It stops before any request, is shown, and leaves nothing behind."""
    host.receiver.closed = [gate]
    _captures(host)

    report = host.drain()

    assert (report.stopped_because, report.requests) == (f"gate:{gate}", 0)
    assert host.gates() == [gate.value]
    assert (report.message, report.fix) == (
        host.status().gate_reasons[0].message,
        host.status().gate_reasons[0].fix,
    )
    assert host.is_untouched()
    host.receiver.closed = []
    _delivers(host)


@pytest.mark.requirement("J6")
def test_all_gates_are_shown_in_their_order(host: Host) -> None:
    """Whatever order they are told in; nothing is shown twice."""
    host.receiver.closed = [*reversed(_OF_THE_RECEIVER), Gate.MISSING_AUTH]
    host.stores.grants.revoke(
        host.target.target_id, "default", actor="me", reason="", at=host.clock()
    )

    assert host.gates() == [*(gate.value for gate in _OF_THE_RECEIVER), "no_grant"]


def test_without_a_grant(host: Host) -> None:
    """The command that helps names the stream that waits."""
    host.stores.grants.revoke(
        host.target.target_id, "default", actor="me", reason="", at=host.clock()
    )
    _captures(host)

    assert host.drain().stopped_because == "no_grant"
    assert host.gates() == ["no_grant"]
    assert host.status().gate_reasons[0].fix_argv == ("eventsync", "target", "grant")
    assert host.is_untouched()
    host.grant()
    _delivers(host)


def test_another_drain_at_work(host: Host) -> None:
    """Shown with its process, and since when its request is on its way; then it is gone."""
    _captures(host)
    at = host.clock()
    lease = host.stores.leases.acquire(host.target.target_id, "default", _OTHER, at=at)
    assert isinstance(lease, Lease)

    assert host.drain().stopped_because == "busy"
    assert host.gates() == ["store_locked"]
    (reason,) = host.status().gate_reasons
    assert reason.message == "process 42 is draining stream default"
    opening = Opening(positions=(1,), body_bytes=1, digest=b"d" * 32)
    host.stores.ledger.open_request(lease, opening, at=at)
    assert "on its way since 2023" in host.status().gate_reasons[0].message

    host.clock.advance(16)
    _delivers(host)


def test_a_store_that_cannot_be_read_for_now(host: Host) -> None:
    """The gate carries the error's own words, and nothing else of the store is known."""
    setting = attrs.evolve(host.status().setting, store_error=StoreBusyError("held by one"))

    (reason,) = collect(None, setting, at=host.clock()).gate_reasons

    assert (reason.code, reason.message) == ("store_locked", "held by one")


_UNOPENED = Answer(fault="no connection: refused", reached=False, no_connection=True)


def test_without_network(host: Host) -> None:
    """From the request that could not be opened until one is answered; status asks nobody."""
    host.receiver.fault = _UNOPENED
    _captures(host)

    assert host.drain().stopped_because == "target_backoff"
    assert host.gates() == ["network_unavailable"]
    (reason,) = host.status().gate_reasons
    assert reason.fix_argv == ("eventsync", "target", "resume")
    assert "no connection: refused; left alone until" in reason.message
    assert host.drain().stopped_because == "target_backoff"

    host.clock.advance(2)
    host.receiver.fault = None
    assert host.gates() == ["network_unavailable"]
    assert host.status().gate_reasons[0].fix_argv == ("eventsync", "sync", "now")
    assert host.drain().counts()["delivered"] == 1
    assert host.gates() == []


@pytest.mark.parametrize(
    "answered",
    [
        Answer(status=503),
        Answer(status=400),
        Answer(status=412),
        Answer(fault="the connection broke off"),
        Answer(fault="token: env:T is not set or empty", reached=False),
    ],
)
def test_what_is_no_lack_of_network_opens_the_gate(host: Host, answered: Answer) -> None:
    """A server that answers is reached, and a secret that is missing says nothing of a network."""
    _captures(host)
    for fault in (_UNOPENED, answered):
        host.receiver.fault = fault
        host.drain()
        host.clock.advance(MINUTE // SECOND)

    assert host.gates() == []


def test_a_request_that_was_lost_tells_nothing_of_the_network(host: Host) -> None:
    """Nobody heard what came of it: the gate stands, as the back-off does."""
    _captures(host)
    host.receiver.fault = _UNOPENED
    host.drain()
    host.clock.advance(2)
    target_id = host.target.target_id
    lease = host.stores.leases.acquire(target_id, "default", _OTHER, at=host.clock())
    assert isinstance(lease, Lease)
    opening = Opening(positions=(1,), body_bytes=1, digest=b"d" * 32)
    host.stores.ledger.open_request(lease, opening, at=host.clock())
    host.clock.advance(16)
    assert isinstance(
        host.stores.leases.acquire(target_id, "default", HOLDER, at=host.clock()), Lease
    )
    host.clock.advance(16)

    assert host.gates() == ["network_unavailable"]


def test_another_target_is_not_shown(host: Host) -> None:
    """The network is about the way to the current target only."""
    host.receiver.fault = _UNOPENED
    _captures(host)
    host.drain()
    host.target = make_stub_target("two")
    host.stores.targets.register(host.target, at=host.clock())
    host.grant()

    assert host.gates() == []
