"""Whose lease may be taken at once: a dead process's on this machine, and nobody else's."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from eventsync_adapters import machine
from eventsync_adapters.sqlite import open_stores
from eventsync_core.census import Class
from eventsync_core.clock import SECOND
from eventsync_core.dispatch import Drain, drain
from eventsync_core.ledger import Holder, Lease, Opening
from eventsync_core.receivers import StubReceiver
from eventsync_core.testing import make_stub_target
from tests.crash.scenes import Held, Home, ended, make_home, receiving


@pytest.fixture
def held() -> Iterator[Held]:
    """Return a receiver that listens."""
    with receiving(Held()) as held:
        yield held


@pytest.fixture
def home(tmp_path: Path, held: Held) -> Home:
    """Return a home with two captured events."""
    home = make_home(tmp_path / "home", held.url)
    home.capture(["e1", "e2"])
    return home


def hold(home: Home, holder: Holder, *, at: int) -> None:
    """Take the lease as *holder*, and let a request with the first event leave."""
    with open_stores(home.database) as stores:
        lease = stores.leases.acquire(home.target.target_id, "default", holder, at=at)
        assert isinstance(lease, Lease)
        opening = Opening(positions=(1,), body_bytes=10, digest=b"d" * 32)
        assert stores.ledger.open_request(lease, opening, at=at)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_holder_is_replaced_at_once(home: Home, held: Held) -> None:
    """What it had under way is of unknown effect, is sent again, and known to the receiver."""
    held.which = range(1)
    victim = home.start("sync", "now")
    held.wait_for(1)
    assert home.classes() == {Class.IN_FLIGHT: 2}
    victim.send_signal(signal.SIGKILL)
    victim.communicate()

    assert home.classes() == {Class.UNKNOWN_EFFECT: 2}
    code, status = home.run("sync", "status")
    assert (code, status["targets"][0]["remaining_owed"]) == (0, 2)
    before = machine.now()
    code, document = home.run("sync", "now")

    assert (code, document["counts"]["duplicate"], document["requests"]) == (0, 2, 1)
    assert home.lease().token == 2
    assert home.requests()[1].opened_at - before < 15 * SECOND
    assert [(request.answer, request.closed_at is None) for request in home.requests()] == [
        ("lost", True),
        ("go_on", False),
    ]
    assert held.requests == [["e1", "e2"]] * 2
    assert home.classes() == {Class.DELIVERED: 2}


def found_wrong(home: Home) -> set[str]:
    """Return what doctor finds besides the folders of the test."""
    found = home.run("sync", "doctor")[1]["findings"]
    return {each["code"] for each in found} - {"permissions_open"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize(
    "words", [("gc", "--apply"), pytest.param(("archive", "out.gz"), marks=pytest.mark.long)]
)
def test_what_a_killed_holder_carried_keeps_nothing_here(
    home: Home, held: Held, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """What the targets that count have may go; the counters are right before and after."""
    other = make_stub_target("other")
    with open_stores(home.database) as stores:
        stores.targets.register(other, at=1)
        stores.grants.grant(other.target_id, "default", from_position=0, actor="t", reason="", at=1)
        task = Drain(
            stores=stores,
            target=other,
            receiver=StubReceiver(other.target_id),
            clock=machine.now,
            holder=machine.this_process(),
        )
        assert drain(task, ["default"]).is_clean
    held.which = range(1)
    victim = home.start("sync", "now")
    held.wait_for(1)
    act = ("sync", words[0], *(str(tmp_path / each) if "." in each else each for each in words[1:]))
    act = (*act, "--target", other.target_id)
    assert home.run(*act)[1]["stayed"]["in_flight"] == 2
    victim.send_signal(signal.SIGKILL)
    victim.communicate()

    foreseen = home.run("sync", "gc", "--target", other.target_id)[1]
    code, done = home.run(*act)

    assert (code, foreseen["purged"], done["journal_size_bytes_after"]) == (0, 2, 0)
    assert done["stayed"]["in_flight"] == 0
    assert [request.answer for request in home.requests()] == ["lost"]
    assert not found_wrong(home)
    held.which = range(0)
    assert home.run("sync", "now")[0] == 0
    assert not found_wrong(home)


def test_a_killed_holder_of_the_program_before_is_replaced_at_once(home: Home, held: Held) -> None:
    """It named the boot alone, without the container."""
    ours = machine.this_process()
    gone = attrs.evolve(ours, pid=2**31, boot=ours.boot.partition(" ")[0])
    hold(home, gone, at=machine.now())

    assert home.drain_here().is_clean
    assert held.requests[0][0] == "e1"


def test_a_living_process_is_waited_for(home: Home, held: Held) -> None:
    """This one lives; what it has under way is in flight."""
    hold(home, machine.this_process(), at=machine.now())

    code, document = home.run("sync", "now")

    assert (code, document["stopped_because"], held.requests) == (3, "busy", [])
    assert home.classes() == {Class.IN_FLIGHT: 1, Class.OWED: 1}


def test_another_boot_or_machine_is_waited_for_until_expiry(home: Home, held: Held) -> None:
    """Nothing can be known of its processes; when its time is up its request is lost."""
    hold(home, attrs.evolve(machine.this_process(), boot="elsewhere"), at=machine.now())
    assert home.drain_here().stopped_because == "busy"
    assert home.classes() == {Class.IN_FLIGHT: 1, Class.OWED: 1}
    with open_stores(home.database) as stores:
        lease = home.lease()
        assert stores.leases.renew(lease, at=machine.now() - 16 * SECOND)

    assert home.classes() == {Class.UNKNOWN_EFFECT: 1, Class.OWED: 1}
    assert home.drain_here().is_clean
    assert held.requests[0][0] == "e1"
    assert home.requests()[0].answer == "lost"


def test_a_number_that_another_process_has_now_is_no_holder(home: Home, held: Held) -> None:
    """A process with that number lives, but began at another time."""
    ours = machine.this_process()
    earlier = attrs.evolve(ours, started_at=ours.started_at - 10 * SECOND)
    hold(home, earlier, at=machine.now())

    assert home.drain_here().is_clean
    assert [event_id for request in held.requests for event_id in request] == ["e1", "e2"]


def test_a_holder_that_just_ended_is_replaced(home: Home, held: Held) -> None:
    """Also while nobody has asked for its exit code yet."""
    child = home.start("sync", "status")
    born = machine._started_at(child.pid)
    ended(child)
    assert born is not None
    holder = Holder(pid=child.pid, started_at=born, boot=machine.boot_name())
    hold(home, holder, at=machine.now())

    assert home.drain_here().is_clean
    assert len(held.requests) == 2
