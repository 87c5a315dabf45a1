"""A lease runs out while its holder's request is unanswered, and another drain takes over."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import attrs
import pytest

from eventsync_adapters import machine
from eventsync_adapters.sqlite import open_stores
from eventsync_core.capture import capture_many
from eventsync_core.census import Class
from eventsync_core.clock import SECOND
from eventsync_core.dispatch import Drain, Report, drain
from eventsync_core.ledger import Holder
from eventsync_core.receivers import Batch, RequestRule, Script, StubReceiver, Verdict
from eventsync_core.stores import MemoryStores, Stores
from eventsync_core.targets import Limits, Target
from eventsync_core.testing import ManualClock, make_envelope, make_stub_target
from tests.crash.scenes import Held, ended, make_home, receiving
from tests.crash.test_kill import MODES, prepare

_FIRST = Holder(pid=1, started_at=1, boot="one machine")
_SECOND = Holder(pid=2, started_at=2, boot="another machine")


def _nothing() -> None:
    """Nothing happens meanwhile."""


@attrs.define
class Slow(StubReceiver):
    """Takes a request, lets `meanwhile` happen once, and then answers."""

    meanwhile: Callable[[], object] = _nothing

    def deliver(self, batch: Batch) -> Verdict:
        """See `DeliveryReceiver.deliver`."""
        verdict = super().deliver(batch)
        happen, self.meanwhile = self.meanwhile, _nothing
        happen()
        return verdict


@attrs.define
class Sender:
    """A process with a store of its own, a connection of its own and everybody's clock."""

    stores: Stores
    target: Target
    clock: ManualClock
    holder: Holder
    receiver: Slow = attrs.field(init=False)
    progress: Callable[[Report], None] = lambda _: None

    def __attrs_post_init__(self) -> None:
        self.receiver = Slow(self.target.target_id, capacity=Limits(max_events=2))

    def tell(self, rule: RequestRule | None = None, **said: dict[str, str]) -> None:
        """Let the next request of this sender be answered so."""
        self.receiver.script = Script(requests=[rule] if rule else [], events=said)

    def drain(self) -> Report:
        """Drain the default stream."""
        task = Drain(
            stores=self.stores,
            target=self.target,
            receiver=self.receiver,
            clock=self.clock,
            holder=self.holder,
            progress=self.progress,
        )
        return drain(task, ["default"])

    def classes(self) -> dict[Class, int]:
        """Return the classes that hold anything."""
        tally = self.stores.backlog.tally(self.target.target_id, "default", at=self.clock.now)
        assert tally.is_coherent
        return {name: count for name, count in tally.classes().items() if count}


@attrs.frozen
class Pair:
    """Two senders of one stream of four events, two to a request."""

    one: Sender
    two: Sender
    clock: ManualClock

    def take_over(self) -> Report:
        """Let the first one's lease run out, and the second one drain."""
        self.clock.advance(16)
        return self.two.drain()


@pytest.fixture(params=["memory", *MODES])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    """Return two senders over one store in memory, or one file that each has open."""
    clock, target = ManualClock(), make_stub_target()
    with ExitStack() as stack:
        if request.param == "memory":
            first: Stores = MemoryStores()
            second = first
        else:
            path = tmp_path / "eventsync.db"
            prepare(path, request.param)
            first, second = (stack.enter_context(open_stores(path, clock=clock)) for _ in range(2))
        capture_many(first, [make_envelope(f"e{n}") for n in range(1, 5)], at=clock())
        first.targets.register(target, at=clock())
        first.grants.grant(
            target.target_id, "default", from_position=0, actor="me", reason="", at=clock()
        )
        yield Pair(
            Sender(first, target, clock, _FIRST),
            Sender(second, target, clock, _SECOND),
            clock,
        )


def test_the_second_sends_what_may_not_have_arrived(pair: Pair) -> None:
    """First of all what was on its way; the first drain then sends nothing more."""
    pair.one.receiver.meanwhile = pair.take_over

    report = pair.one.drain()

    assert pair.two.receiver.requests == [("e1", "e2"), ("e3", "e4")]
    assert pair.one.receiver.requests == [("e1", "e2")]
    assert (report.stopped_because, report.message) == ("busy", "another drain took over")
    assert pair.one.classes() == {Class.DELIVERED: 4}
    history = pair.one.stores.ledger.requests(pair.one.target.target_id, "default")
    assert [request.positions for request in history] == ["3-4", "1-2", "1-2"]


def test_a_late_acknowledgement_is_a_fact(pair: Pair) -> None:
    """What the second one could not deliver is delivered, and is not sent again."""
    pair.two.tell(RequestRule(status=503))
    pair.one.receiver.meanwhile = pair.take_over

    report = pair.one.drain()

    assert report.stopped_because == "busy"
    assert pair.one.classes() == {Class.DELIVERED: 2, Class.OWED: 2}
    pair.clock.advance(3600)
    pair.two.drain()
    assert pair.two.receiver.requests == [("e1", "e2"), ("e3", "e4")]


@pytest.mark.parametrize(
    "told",
    [
        RequestRule(status=503),
        RequestRule(status=410),
        RequestRule(status=400, body="{}"),
        RequestRule(status=413, body="{}"),
        RequestRule(status=302),
        None,
    ],
)
def test_a_late_refusal_is_not_believed(pair: Pair, told: RequestRule | None) -> None:
    """Rows, grant and target stay as the second one left them; no piece of it is sent again."""
    no = {"status": "rejected", "error_category": "project_not_admitted"}
    pair.one.tell(told, **({} if told else {"e1": no, "e2": no}))
    pair.two.tell(RequestRule(status=503))
    target_id, stores, left = pair.one.target.target_id, pair.one.stores, list[object]()

    def standing() -> list[object]:
        rows = [stores.ledger.entry(target_id, "default", n) for n in range(1, 5)]
        grant = stores.grants.get(target_id, "default")
        return [
            *rows,
            stores.targets.get(target_id).paused,
            grant,
            stores.ledger.history("default", 1),
        ]

    def then_look() -> None:
        assert pair.take_over().stopped_because == "target_backoff"
        left.extend(standing())

    pair.one.receiver.meanwhile = then_look

    report = pair.one.drain()

    assert (report.stopped_because, report.requests) == ("busy", 1)
    assert standing() == left
    assert pair.one.classes() == {Class.IN_BACKOFF: 2, Class.OWED: 2}


def test_one_event_is_acknowledged_late_and_another_refused(pair: Pair) -> None:
    """Of one answer the first is kept and the second is not."""
    pair.one.tell(None, e2={"status": "rejected", "error": "no"})
    pair.two.tell(RequestRule(status=503))
    pair.one.receiver.meanwhile = pair.take_over

    pair.one.drain()

    assert pair.one.classes() == {Class.DELIVERED: 1, Class.IN_BACKOFF: 1, Class.OWED: 2}


def test_a_drain_that_slept_between_requests_sends_nothing_more(pair: Pair) -> None:
    """It asks for its lease again before each request."""

    def sleep(_: Report) -> None:
        pair.one.progress = lambda _: None
        pair.take_over()

    pair.one.progress = sleep

    report = pair.one.drain()

    assert (report.stopped_because, report.requests) == ("busy", 1)
    assert pair.one.receiver.requests == [("e1", "e2")]
    # The first answer was not noted when the second drain began: it had cause to ask.
    assert pair.two.receiver.requests == [("e1", "e2"), ("e3", "e4")]
    assert pair.one.classes() == {Class.DELIVERED: 4}


def test_a_lease_that_ran_out_and_nobody_took_is_still_good(pair: Pair) -> None:
    """A laptop that slept an hour goes on where it was."""
    pair.one.receiver.meanwhile = lambda: pair.clock.advance(3_600)

    assert pair.one.drain().is_clean
    assert pair.one.receiver.requests == [("e1", "e2"), ("e3", "e4")]


def test_until_the_lease_runs_out_the_second_is_busy(pair: Pair) -> None:
    """It sends nothing, and the first goes on."""
    said: list[Report] = []

    def try_early() -> None:
        pair.clock.advance(14)
        said.append(pair.two.drain())

    pair.one.receiver.meanwhile = try_early

    assert pair.one.drain().is_clean
    assert (said[0].stopped_because, said[0].requests) == ("busy", 0)
    assert pair.two.receiver.requests == []


@contextmanager
def thawed_at_last(process: "subprocess.Popen[str]") -> Iterator[None]:
    """Whatever happens in the block, let the process run on at its end."""
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


def stop_between_reads(process: "subprocess.Popen[str]", database: Path) -> None:
    """Stop the process at a moment at which it reads nothing: a reader keeps writers out."""
    while True:
        os.kill(process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        connection = sqlite3.connect(database, timeout=0, isolation_level=None)
        try:
            connection.execute("BEGIN EXCLUSIVE")
            return  # noqa: TRY300 - only a file that nobody reads ends the loop
        except sqlite3.OperationalError:
            os.kill(process.pid, signal.SIGCONT)
        finally:
            connection.close()


@pytest.fixture
def held() -> Iterator[Held]:
    """Return a receiver that holds its first request."""
    with receiving(Held(which=range(1))) as held:
        yield held


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot stop a process")
@pytest.mark.parametrize("status", [200, 503])
def test_a_stopped_process_wakes_up_and_lets_go(tmp_path: Path, held: Held, status: int) -> None:
    """It was frozen in mid-request for longer than its lease; another drain did its work."""
    home = make_home(tmp_path / "home", held.url)
    home.capture([f"e{number}" for number in range(300)], size=2_000)
    frozen = home.start("sync", "now")
    held.wait_for(1)
    with thawed_at_last(frozen):
        stop_between_reads(frozen, home.database)
        # This drain's clock is ahead: for it the lease has run out already.
        ahead = home.drain(clock=lambda: machine.now() + 16 * SECOND, holder=_SECOND)
        assert (held.answered, ahead.stopped_because) == (len(held.requests) - 1, "caught_up")
        assert ahead.counts()["duplicate"] == len(held.requests[0])
        so_far = len(held.requests)
        if status != 200:
            held.replies[held.requests[0][0]] = (status, "")
        held.answer()
    code, document = ended(frozen)

    assert (code, document["stopped_because"], document["requests"]) == (3, "busy", 1)
    assert len(held.requests) == so_far
    assert home.classes() == {Class.DELIVERED: 300}
    assert home.drain_here().is_clean
    assert len(held.requests) == so_far
