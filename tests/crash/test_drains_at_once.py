"""Several drains of one home at once, in threads and in processes: one per stream sends."""

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from eventsync_adapters import machine
from eventsync_adapters.sqlite import SqliteStores, open_stores
from eventsync_core.census import Class
from eventsync_core.dispatch import Drain, Report, drain
from eventsync_core.receivers import Batch, StubReceiver, Verdict
from eventsync_core.targets import Limits
from tests.crash.scenes import PATIENCE, Held, Home, at_once, ended, make_home, receiving
from tests.crash.test_kill import MODES

_FIVE = Limits(max_events=5)


@pytest.fixture
def held() -> Iterator[Held]:
    """Return a receiver that listens."""
    with receiving(Held()) as held:
        yield held


def ids(prefix: str, count: int) -> list[str]:
    """Return *count* ids that begin with *prefix*."""
    return [f"{prefix}{number}" for number in range(count)]


def drained(home: Home, stores: SqliteStores, receiver: StubReceiver, *streams: str) -> Report:
    """Drain *streams* as this process."""
    task = Drain(
        stores=stores,
        target=home.target,
        receiver=receiver,
        clock=machine.now,
        holder=machine.this_process(),
    )
    return drain(task, streams)


@pytest.mark.parametrize("mode", MODES)
def test_threads_send_each_event_once(tmp_path: Path, mode: str) -> None:
    """Four threads go over three streams, each from another one on; nothing is left or doubled."""
    streams = ("a", "b", "c")
    home = make_home(tmp_path / "home", "http://127.0.0.1:1/in", *streams, mode=mode)
    for stream in streams:
        home.capture(ids(stream, 30), project=stream)
    receivers = [StubReceiver(home.target.target_id, capacity=_FIVE) for _ in range(4)]
    reports: list[Report] = []

    def work(number: int) -> None:
        turned = streams[number % 3 :] + streams[: number % 3]
        with open_stores(home.database) as stores:
            reports.append(drained(home, stores, receivers[number], *turned))

    at_once([lambda number=number: work(number) for number in range(4)])  # type: ignore[misc]

    sent = Counter(
        event_id for each in receivers for request in each.requests for event_id in request
    )
    assert sent == Counter(event_id for stream in streams for event_id in ids(stream, 30))
    assert {report.stopped_because for report in reports} <= {"caught_up", "busy"}
    assert sum(report.counts()["delivered"] for report in reports) == 90
    assert [home.classes(stream) for stream in streams] == [{Class.DELIVERED: 30}] * 3


@attrs.define
class _Meeting(StubReceiver):
    """Answers only once another request is on its way too."""

    place: threading.Barrier = attrs.field(kw_only=True)

    def deliver(self, batch: Batch) -> Verdict:
        """See `DeliveryReceiver.deliver`."""
        self.place.wait(PATIENCE)
        return super().deliver(batch)


@pytest.mark.parametrize("mode", MODES)
def test_two_streams_are_sent_side_by_side(tmp_path: Path, mode: str) -> None:
    """One process may have a request of each under way at the same time."""
    home = make_home(tmp_path / "home", "http://127.0.0.1:1/in", "a", "b", mode=mode)
    place, said = threading.Barrier(2), dict[str, Report]()
    for stream in ("a", "b"):
        home.capture(ids(stream, 3), project=stream)

    def work(stream: str) -> None:
        with open_stores(home.database) as stores:
            receiver = _Meeting(home.target.target_id, place=place)
            said[stream] = drained(home, stores, receiver, stream)

    at_once([lambda: work("a"), lambda: work("b")])

    assert all(report.is_clean for report in said.values())


def test_a_thread_does_not_take_the_lease_of_another(tmp_path: Path) -> None:
    """Both are the same process; the second is told that it is busy and sends nothing."""
    home = make_home(tmp_path / "home", "http://127.0.0.1:1/in")
    home.capture(["e1"])
    said: list[Report] = []

    @attrs.define
    class Watched(StubReceiver):
        def deliver(self, batch: Batch) -> Verdict:
            def other() -> None:
                with open_stores(home.database) as stores:
                    said.append(drained(home, stores, mine, "default"))

            at_once([other])
            return super().deliver(batch)

    mine = StubReceiver(home.target.target_id)
    with open_stores(home.database) as stores:
        first = drained(home, stores, Watched(home.target.target_id), "default")

    assert first.is_clean
    assert (said[0].stopped_because, said[0].requests, mine.requests) == ("busy", 0, [])
    assert str(machine.this_process().pid) in said[0].message


@pytest.mark.parametrize("mode", ["truncate", pytest.param("wal", marks=pytest.mark.long)])
def test_processes_that_begin_together_send_each_event_once(
    tmp_path: Path, held: Held, mode: str
) -> None:
    """Whoever comes second is busy, or finds nothing left."""
    home = make_home(tmp_path / "home", held.url, mode=mode)
    home.capture(ids("e", 400), size=2_000)

    said = [ended(process) for process in [home.start("sync", "now") for _ in range(3)]]

    assert Counter(event_id for request in held.requests for event_id in request) == Counter(
        ids("e", 400)
    )
    assert len(held.requests) > 1
    assert home.classes() == {Class.DELIVERED: 400}
    assert {(code, document["stopped_because"]) for code, document in said} <= {
        (0, "caught_up"),
        (3, "busy"),
    }
    assert sum(document["counts"]["delivered"] for _, document in said) == 400


@pytest.mark.parametrize("mode", [pytest.param("truncate", marks=pytest.mark.long), "wal"])
def test_a_loser_says_who_is_at_it_and_does_not_wait(tmp_path: Path, held: Held, mode: str) -> None:
    """Exit 3 and `busy` while the other's request is unanswered; its fix then works."""
    home = make_home(tmp_path / "home", held.url, mode=mode)
    home.capture(["e1", "e2"])
    held.which = range(1)
    winner = home.start("sync", "now")
    held.wait_for(1)

    code, document = home.run("sync", "now")

    assert (held.answered, winner.poll()) == (0, None)
    assert (code, document["stopped_because"], document["requests"]) == (3, "busy", 0)
    assert document["error"]["code"] == "busy"
    assert str(winner.pid) in document["error"]["message"]
    assert document["error"]["fix"]["text"].startswith("run the command again")
    held.answer()
    assert ended(winner)[0] == 0
    assert home.drain_here().is_clean
    assert held.requests == [["e1", "e2"]]


def test_two_projects_are_sent_by_two_processes_at_once(tmp_path: Path, held: Held) -> None:
    """Both have a request under way before either is answered."""
    home = make_home(tmp_path / "home", held.url, "a", "b")
    for project in ("a", "b"):
        home.capture([project], project=project)
    held.which = range(2)

    drains = [home.start("--project", project, "sync", "now") for project in ("a", "b")]
    held.wait_for(2)

    assert held.answered == 0
    held.answer()
    assert [ended(process)[0] for process in drains] == [0, 0]
    assert sorted(held.requests) == [["a"], ["b"]]
