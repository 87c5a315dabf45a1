"""While a request is unanswered nobody waits for a lock: not for the drain's, not for a beat's."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import attrs
import pytest

from eventsync_adapters import machine
from eventsync_adapters.sqlite import open_stores
from eventsync_adapters.sqlite._leases import SqliteLeases
from eventsync_core.census import Class
from eventsync_core.dispatch import Drain, drain
from eventsync_core.ledger import Busy, Holder
from eventsync_core.receivers import Batch, StubReceiver, Verdict
from tests.crash.scenes import PATIENCE, Held, Home, ended, make_home, receiving
from tests.crash.test_kill import MODES


@pytest.fixture
def held() -> Iterator[Held]:
    """Return a receiver that holds its first request."""
    with receiving(Held(which=range(1))) as held:
        yield held


@pytest.mark.parametrize("mode", [pytest.param("truncate", marks=pytest.mark.long), "wal"])
def test_other_commands_do_their_work_meanwhile(tmp_path: Path, held: Held, mode: str) -> None:
    """Capture, status and revoke end while the request is provably unanswered."""
    home = make_home(tmp_path / "home", held.url, mode=mode)
    home.capture([f"e{number}" for number in range(200)], size=2_000)
    more = tmp_path / "more.jsonl"
    more.write_text('{"event_id": "more"}\n')
    drain = home.start("sync", "now")
    held.wait_for(1)
    carried = len(held.requests[0])

    captured, status, revoked = (
        home.run(*words)
        for words in (("capture", str(more)), ("sync", "status"), ("target", "revoke"))
    )

    assert (held.answered, drain.poll()) == (0, None)
    assert (captured[0], captured[1]["stored"]) == (0, 1)
    stream = status[1]["targets"][0]["streams"][0]
    assert (status[0], stream["coherent"], stream["captured"]) == (0, True, 201)
    assert stream["classes"]["in_flight"] == carried
    assert (revoked[0], revoked[1]["will_not_send"] > 0) == (0, True)
    held.answer()
    # The answer to what had left is still noted; nothing leaves after the revocation.
    code, document = ended(drain)
    assert (code, document["stopped_because"]) == (4, "no_grant")
    assert document["counts"]["delivered"] == carried
    assert len(held.requests) == 1
    assert home.classes() == {Class.DELIVERED: carried, Class.NOT_GRANTED: 201 - carried}


def write_at_once(path: Path) -> None:
    """Take the write lock and commit a change, without waiting for anyone."""
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE streams SET lamport = lamport + 1")
        connection.execute("COMMIT")


@attrs.define
class Writing(StubReceiver):
    """Writes to the store of its sender while a request is on its way."""

    home: Home = attrs.field(kw_only=True)

    def deliver(self, batch: Batch) -> Verdict:
        """See `DeliveryReceiver.deliver`."""
        write_at_once(self.home.database)
        verdict = super().deliver(batch)
        write_at_once(self.home.database)
        return verdict


@pytest.mark.parametrize("mode", MODES)
def test_no_lock_is_held_at_the_moment_of_a_request(tmp_path: Path, mode: str) -> None:
    """Someone who waits for nothing can commit just then."""
    home = make_home(tmp_path / "home", "http://127.0.0.1:1/in", mode=mode)
    home.capture(["e1", "e2"])
    with open_stores(home.database) as stores:
        task = Drain(
            stores=stores,
            target=home.target,
            receiver=Writing(home.target.target_id, home=home),
            clock=machine.now,
            holder=machine.this_process(),
        )
        assert drain(task, ["default"]).is_clean


@attrs.define
class Beats:
    """A clock for the thread that renews the lease: it tells how often it was asked."""

    leases: SqliteLeases = attrs.field(init=False)
    most: int = 3
    count: int = 0
    now: int = 0

    def __call__(self) -> int:
        """Return a time a second later for each beat; after the last one comes a long rest."""
        self.count += 1
        if self.count == self.most:
            self.leases._beat_seconds = PATIENCE * 1_000.0
        return self.now + self.count * 1_000_000


@pytest.mark.parametrize("mode", MODES)
def test_a_beat_holds_no_lock_when_it_is_over(tmp_path: Path, mode: str) -> None:
    """After the third beat of one request anyone can write; the lease ends that much later."""
    home = make_home(tmp_path / "home", "http://127.0.0.1:1/in", mode=mode)
    home.capture(["e1"])
    started, clock = machine.now(), Beats()
    clock.now = started
    with open_stores(home.database) as stores:
        clock.leases = stores.leases = SqliteLeases(
            stores._database,
            stores._keys,
            boot=machine.boot_name,
            is_alive=machine.is_alive,
            clock=clock,
            beat_seconds=0.001,
        )
        lease = stores.leases.acquire(
            home.target.target_id, "default", machine.this_process(), at=started
        )
        assert not isinstance(lease, Busy)
        with stores.leases.kept(lease):
            while home.lease().expires_at != lease.expires_at + 3_000_000:
                pass
            for _ in range(20):
                write_at_once(home.database)
        assert clock.count == 3


def test_a_beat_that_finds_the_store_busy_is_made_up_for(tmp_path: Path) -> None:
    """And the end of the request does not wait until the store is free."""
    home = make_home(tmp_path / "home", "http://127.0.0.1:1/in")
    home.capture(["e1"])
    started, clock = machine.now(), Beats(most=2)
    clock.now = started
    with open_stores(home.database) as stores, closing(sqlite3.connect(home.database)) as hog:
        clock.leases = leases = SqliteLeases(
            stores._database,
            stores._keys,
            boot=lambda: "",
            is_alive=lambda _: None,
            clock=clock,
            beat_seconds=0.001,
        )
        holder = Holder(pid=1, started_at=1, boot="")
        lease = leases.acquire(home.target.target_id, "default", holder, at=started)
        assert not isinstance(lease, Busy)
        hog.execute("BEGIN IMMEDIATE")
        with leases.kept(lease):
            pass
        assert clock.count == 0
        with leases.kept(lease):
            hog.rollback()
            while clock.count < 2:
                pass
    assert home.lease().expires_at > lease.expires_at


@pytest.mark.parametrize("mode", MODES)
def test_a_beat_leaves_the_journal_where_it_is(tmp_path: Path, mode: str) -> None:
    """It uses the journal mode of every other connection, and deletes no file."""
    home = make_home(tmp_path / "home", "http://127.0.0.1:1/in", mode=mode)
    home.capture(["e1"])
    clock = Beats(most=1)
    with open_stores(home.database) as stores:
        clock.leases = leases = SqliteLeases(
            stores._database,
            stores._keys,
            boot=lambda: "",
            is_alive=lambda _: None,
            clock=clock,
            beat_seconds=0.001,
        )
        holder = Holder(pid=1, started_at=1, boot="")
        lease = leases.acquire(home.target.target_id, "default", holder, at=0)
        assert not isinstance(lease, Busy)
        before = sorted(path.name for path in home.database.parent.iterdir())
        with leases.kept(lease):
            while home.lease().expires_at == lease.expires_at:
                pass
            assert sorted(path.name for path in home.database.parent.iterdir()) == before
