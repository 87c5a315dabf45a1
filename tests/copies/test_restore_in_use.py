"""`journal restore --replace` over a store that others have open: nothing is lost or mixed up."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import eventsync_adapters.sqlite as adapter
from eventsync import open_store
from eventsync_adapters import machine
from eventsync_adapters.sqlite import _backup, flaw_of, open_for_reading, open_stores
from eventsync_adapters.sqlite._connection import Database
from eventsync_cli.commands import journal_restore
from eventsync_core.capture import capture
from eventsync_core.errors import StoreBusyError
from eventsync_core.integrity import verify
from eventsync_core.ledger import Holder, Lease, Opening
from eventsync_core.receivers import Effect, Next, Outcome, Verdict
from tests.cli.bad_input import fails
from tests.cli.conftest import Run
from tests.copies.test_restore import backup, delivered

__all__ = ["backup", "delivered"]

_APPENDING = Path(__file__).parents[1] / "sqlite" / "appending_child.py"
_SPILLING = (
    "import sys\n"
    "import eventsync_adapters.sqlite._connection as it\n"
    "from eventsync_cli.__main__ import main\n"
    "it._CACHE_KIB = 8\n"
    "main(['--home', sys.argv[1], 'journal', 'restore', sys.argv[2], '--replace'])\n"
)


def _started(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def _ids(path: Path) -> set[str]:
    # Opened first: it undoes what a crash left half done.
    stores = open_for_reading(path)
    assert stores is not None
    with stores:
        assert flaw_of(path) == ""
        found = set()
        for head in stores.journal.heads():
            assert verify(stores.journal, head.stream).is_intact
            entries = stores.journal.entries(head.stream, after=0, limit=head.position)
            found |= {entry.event.event_id for entry in entries}
        return found


def test_a_host_goes_on_in_what_was_restored(run: Run, home: Path, tmp_path: Path) -> None:
    """It writes to the stream that it means, though other names have its number now."""
    database, good = home / "eventsync" / "eventsync.db", tmp_path / "good.db"
    with open_stores(tmp_path / "other.db") as other:
        capture(other, '{"event_id": "old", "project_uuid": "q"}', at=1)
        capture(other, '{"event_id": "old2", "project_uuid": "p"}', at=1)
    (tmp_path / "other.db").rename(good)
    with open_stores(database) as host:
        capture(host, '{"event_id": "p1", "project_uuid": "p"}', at=1)
        capture(host, '{"event_id": "q1", "project_uuid": "q"}', at=1)
        file = database.stat().st_ino

        told = run("journal", "restore", str(good), "--replace", "--json")

        assert (told.code, database.stat().st_ino) == (0, file)
        heads = {head.stream: head.position for head in host.journal.heads()}
        assert heads == {"q": 1, "p": 1}
        assert [each.event.event_id for each in host.journal.entries("p", after=0, limit=9)] == [
            "old2"
        ]
        assert capture(host, '{"event_id": "p2", "project_uuid": "p"}', at=1).position == 2
        found = host.journal.find("p2")
        assert found is not None
        assert found.stream == "p"
    assert _ids(database) == {"old", "old2", "p2"}
    assert _ids(Path(told.document["put_aside"])) == {"p1", "q1"}


def test_what_is_captured_meanwhile_is_somewhere(run: Run, home: Path, backup: Path) -> None:
    """In the store, or in one of the copies of what was stored before."""
    database = home / "eventsync" / "eventsync.db"
    child = _started(str(_APPENDING), str(database), "n", "150")
    assert child.stdout is not None
    child.stdout.readline()
    asides = []
    for _ in range(2):
        ran = run("journal", "restore", str(backup), "--replace", "--json")
        asides += [Path(ran.document["put_aside"])] if ran.code == 0 else []
    _, err = child.communicate()

    assert (child.returncode, err) == (0, "")
    assert asides
    found = set().union(*(_ids(path) for path in (database, *asides)))
    assert {f"n{number}" for number in range(150)} <= found


def test_killed_in_the_middle(run: Run, home: Path, tmp_path: Path) -> None:
    """The store is the old one or the new one, as a whole."""
    database, good = home / "eventsync" / "eventsync.db", tmp_path / "good.db"
    journal = database.with_name("eventsync.db-journal")
    with open_store(home) as store, store.batch():
        for number in range(1_500):
            store.capture({"event_id": f"a{number}", "payload": "x" * 1_000})
    assert run("journal", "backup", str(good)).code == 0
    with open_store(home) as store, store.batch():
        for number in range(1_500):
            store.capture({"event_id": f"b{number}", "payload": "y" * 1_000})
    old, new = _ids(database), _ids(good)

    child = _started("-c", _SPILLING, str(home), str(good))
    until = time.monotonic() + 60
    while time.monotonic() < until and child.poll() is None:
        if journal.exists() and journal.stat().st_size > 20_000:
            break
    child.kill()
    child.communicate()

    assert _ids(database) in (old, new)
    for aside in database.parent.glob("*before-restore*"):
        assert _ids(aside) == old
    assert run("journal", "restore", str(good), "--replace").code == 0
    assert _ids(database) == new


def test_a_signal_while_the_store_is_filled(
    run: Run, home: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is heeded after the commit; then the copy is all that has what was stored before."""
    database, fill = home / "eventsync" / "eventsync.db", _backup._fill
    with open_store(home) as store:
        store.capture({"event_id": "newer"})

    def interrupted(it: Database, prepared: Path) -> None:
        fill(it, prepared)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(_backup, "_fill", interrupted)

    ran = fails(run, "journal", "restore", str(backup), "--replace", code=3, error="interrupted")

    assert "before-restore in its name" in ran.document["error"]["message"]
    assert "only where it is not the backup's" in ran.document["error"]["fix"]["text"]
    assert len(_ids(database)) == 20
    asides = database.parent.glob("*.before-restore-*")
    assert "newer" in set().union(*(_ids(aside) for aside in asides))


def test_whoever_sends_is_not_disturbed(run: Run, home: Path, backup: Path) -> None:
    """What the server says to a request of the old store has no place in the other one."""
    database = home / "eventsync" / "eventsync.db"
    (target,) = run("target", "list", "--json").document["targets"]
    with open_stores(database) as sender:
        lease = sender.leases.acquire(
            target["target_id"], "default", machine.this_process(), at=machine.now()
        )
        assert isinstance(lease, Lease)
        before = database.read_bytes()
        ran = fails(run, "journal", "restore", str(backup), "--replace", code=5, error="store_busy")
        assert f"process {os.getpid()} is sending" in ran.document["error"]["message"]
        assert database.read_bytes() == before
        sender.leases.release(lease)
    assert not [each for each in database.parent.iterdir() if "restore" in each.name]
    assert run("journal", "restore", str(backup), "--replace").code == 0


def test_the_answer_to_a_sender_that_slept_meanwhile(run: Run, home: Path, backup: Path) -> None:
    """It is none to what another one sends under the same number."""
    database = home / "eventsync" / "eventsync.db"
    (target,) = run("target", "list", "--json").document["targets"]
    place, long_ago = (target["target_id"], "default"), machine.now() - 60_000_000
    verdict = Verdict(outcomes=(Outcome.SUCCESS,), next=Next.GO_ON, effect=Effect.ANSWERED)
    with open_stores(database) as sleeper, open_stores(database) as sender:
        capture(sleeper, '{"event_id": "old"}', at=1)
        lease = sleeper.leases.acquire(*place, machine.this_process(), at=long_ago)
        assert isinstance(lease, Lease)
        opening = Opening(positions=(21,), body_bytes=1, digest=b"old")
        request = sleeper.ledger.open_request(lease, opening, at=long_ago)
        assert request is not None
        assert run("journal", "restore", str(backup), "--replace").code == 0
        capture(sender, '{"event_id": "new"}', at=1)
        assert not sleeper.ledger.close_request(lease, request, verdict, at=machine.now())

        other = Holder(pid=1, started_at=1, boot="another")
        later = sender.leases.acquire(*place, other, at=long_ago)
        assert isinstance(later, Lease)
        assert sender.ledger.open_request(later, opening, at=5) == request
        assert later.token == lease.token
        assert not sleeper.ledger.close_request(lease, request, verdict, at=machine.now())
        sleeper.leases.release(lease)

        assert sender.ledger.entry(*place, 21) is None
        assert sender.ledger.close_request(later, request, verdict, at=machine.now())


def test_what_came_at_the_last_moment_is_told(
    run: Run, home: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the backup was looked at, and before nobody else could write."""
    put = adapter.put_in_place

    def late(*arguments: Any, **more: Any) -> None:
        with open_stores(home / "eventsync" / "eventsync.db") as stores:
            capture(stores, '{"event_id": "late"}', at=1)
            (target,) = stores.targets.targets()
            ended = partial(stores.grants.revoke, target.target_id, "default")
            ended(actor="me", reason="", at=machine.now())
        put(*arguments, **more)

    monkeypatch.setattr(adapter, "put_in_place", late)

    told = run("journal", "restore", str(backup), "--replace", "--json").document

    assert told["left_behind"] == 1
    assert (told["grants_resting"], told["grants_revoked"]) == (0, 1)


@pytest.mark.parametrize("is_there", [True, False])
def test_an_empty_home_that_is_filled_at_the_last_moment(
    run: Run, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_there: bool
) -> None:
    """It is refused as one that was filled before, and stays as it is."""
    put, other = adapter.put_in_place, tmp_path / "other"
    database = other / "eventsync" / "eventsync.db"
    if is_there:
        open_stores(database).close()

    def late(*arguments: Any, **more: Any) -> None:
        with open_stores(database) as stores:
            capture(stores, '{"event_id": "late"}', at=1)
        put(*arguments, **more)

    monkeypatch.setattr(adapter, "put_in_place", late)
    words = ("--home", str(other), "journal", "restore", str(backup))

    ran = fails(run, *words, code=4, error="home_not_empty")

    assert "--replace" in ran.document["error"]["fix"]["argv"]
    assert _ids(database) == {"late"}
    assert not list(database.parent.glob("*.before-restore-*"))


@pytest.mark.parametrize("is_damaged", [True, False])
def test_refused_at_the_last_moment(
    run: Run, home: Path, backup: Path, monkeypatch: pytest.MonkeyPatch, *, is_damaged: bool
) -> None:
    """All is as it was: the journal mode, and no second name for a damaged database."""
    database = home / "eventsync" / "eventsync.db"
    with closing(sqlite3.connect(database)) as it:
        it.execute("PRAGMA journal_mode = WAL")
    if is_damaged:
        database.write_bytes(b"no database" * 1_000)
    before = {each.name: each.read_bytes() for each in database.parent.iterdir()}

    def refuse(*_: object, **__: object) -> None:
        raise StoreBusyError("somebody sends")

    monkeypatch.setattr(journal_restore, "settle", refuse)
    fails(run, "journal", "restore", str(backup), "--replace", code=5, error="store_busy")

    after = {each.name: each.read_bytes() for each in database.parent.iterdir()}
    assert {name for name in after if not name.endswith(("-wal", "-shm"))} == before.keys()
    assert after["eventsync.db"][18:20] == before["eventsync.db"][18:20]


@pytest.mark.parametrize("pages", ["1024", "16384"])
def test_a_store_with_other_pages(run: Run, home: Path, backup: Path, pages: str) -> None:
    """It gets those of the backup."""
    database = home / "eventsync" / "eventsync.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as it:
        it.execute(f"PRAGMA page_size = {pages}")
        it.execute("PRAGMA auto_vacuum = NONE")
        it.execute("VACUUM")

    told = run("journal", "restore", str(backup), "--replace", "--json").document

    assert len(_ids(database)) == len(_ids(Path(told["put_aside"]))) == 20
    with closing(sqlite3.connect(database)) as it:
        assert it.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert it.execute("PRAGMA page_size").fetchone() == (8192,)
