"""SIGTERM and SIGINT at bad moments: the command ends soon, says so once, and nothing is lost."""

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eventsync_core.census import Class
from tests.crash.scenes import Held, Home, ended, make_home, receiving, stalling

SOON = 20
"""Seconds for an end that takes a tenth of one; a request's own time-out is three times that."""

CHILD = Path(__file__).with_name("terminated_child.py")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


@pytest.fixture
def held() -> Iterator[Held]:
    """Return a receiver that listens."""
    with receiving(Held()) as held:
        yield held


def three(home: Home) -> Home:
    """Capture three events and return the home."""
    home.capture(["e1", "e2", "e3"])
    return home


def check_interrupted(code: int, document: Any, *, unknown: int) -> None:
    """Look at what an interrupted drain says."""
    assert (code, document["ok"], document["stopped_because"]) == (3, False, "interrupted")
    assert document["error"]["code"] == "interrupted"
    assert document["counts"]["unknown_effect"] == document["counts"]["selected"] == unknown


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_during_a_request_ends_the_command(tmp_path: Path, held: Held, name: str) -> None:
    """The lease is free, what was on its way is of unknown effect, and goes at once again."""
    home = three(make_home(tmp_path / "home", held.url))
    held.which = range(1)
    drain = home.start("sync", "now")
    held.wait_for(1)

    drain.send_signal(signal.Signals[name])

    check_interrupted(*ended(drain, within=SOON), unknown=3)
    assert held.answered == 0
    assert home.lease().expires_at == 0
    assert home.classes() == {Class.UNKNOWN_EFFECT: 3}
    assert home.drain_here().counts()["duplicate"] == 3
    assert held.requests == [["e1", "e2", "e3"]] * 2
    assert home.classes() == {Class.DELIVERED: 3}


@pytest.mark.parametrize(
    "first",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"],
)
def test_a_server_that_stalls_does_not_hold_it_up(tmp_path: Path, first: bytes) -> None:
    """Wherever in its answer it stopped."""
    with stalling(first) as (url, came):
        home = three(make_home(tmp_path / "home", url))
        drain = home.start("sync", "now")
        assert came.wait(SOON)

        drain.send_signal(signal.SIGTERM)

        check_interrupted(*ended(drain, within=SOON), unknown=3)
    assert home.lease().expires_at == 0


def test_two_signals_are_as_one(tmp_path: Path, held: Held) -> None:
    """One JSON object, exit 3; the lease is free, or its holder is provably dead."""
    home = three(make_home(tmp_path / "home", held.url))
    held.which = range(1)
    drain = home.start("sync", "now")
    held.wait_for(1)

    for name in ("SIGTERM", "SIGINT"):
        drain.send_signal(signal.Signals[name])

    code, document = ended(drain, within=SOON)
    assert document["error"]["code"] == "interrupted"
    # On a busy machine the second one may come when the command has ended already.
    assert code in (3, -signal.SIGINT)
    assert home.classes() == {Class.UNKNOWN_EFFECT: 3}
    assert home.drain_here().is_clean


@pytest.mark.parametrize(("nth", "times"), [(1, 1), (2, 2), (3, 1)])
def test_a_signal_during_a_commit_leaves_no_doubt(
    tmp_path: Path, held: Held, nth: int, times: int
) -> None:
    """
    Whatever was noted is not sent again, and all else is.

    The first commit takes the lease, the second lets a request leave, and the third notes its
    answer and lets the next one leave, which is on its way when the signal is heeded.
    """
    home = make_home(tmp_path / "home", held.url)
    home.capture([f"e{number}" for number in range(300)], size=2_000)
    held.which = range(1) if nth < 3 else range(1, 2)
    program = [sys.executable, str(CHILD), "SIGTERM", str(nth), str(times)]
    command = [*program, "--home", str(home.place), "--json", "sync", "now"]

    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SOON)

    document = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert (done.returncode, document["error"]["code"]) == (3, "interrupted"), done.stdout
    delivered = home.classes().get(Class.DELIVERED, 0)
    first = len(held.requests)
    held.answer()
    again = home.drain_here()
    assert again.is_clean
    assert sum(len(request) for request in held.requests[first:]) == 300 - delivered
    assert home.classes() == {Class.DELIVERED: 300}
    twice = Counter(event_id for request in held.requests for event_id in request)
    assert again.counts()["duplicate"] == sum(count - 1 for count in twice.values())
