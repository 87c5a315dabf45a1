"""SIGKILL at many moments: nothing captured is lost, nothing delivered is sent again."""

import contextlib
import gzip
import json
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import attrs
import pytest

from eventsync_adapters import machine
from eventsync_adapters.sqlite import open_for_reading, open_stores
from eventsync_core.capture import capture_many
from eventsync_core.census import Class
from eventsync_core.ingest import Inbox, MemoryInbox, answer_batch
from eventsync_core.integrity import verify
from eventsync_core.receivers import Script
from eventsync_core.targets import Kind, make_target

SEED = 20_261_120
CHILD = Path(__file__).with_name("capture_child.py")
MODES = ("truncate", "wal")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")


def prepare(path: Path, mode: str) -> None:
    """Make the store; WAL is set with plain sqlite3, as the storage gate would refuse it here."""
    open_stores(path).close()
    if mode == "wal":
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA journal_mode = wal")
        connection.close()


def capture_command(path: Path, start: int, together: int, count: int = 1_000_000) -> list[str]:
    """Return the command that captures *count* events, *together* in one unit of work."""
    return [sys.executable, str(CHILD), str(path), str(start), str(together), str(count)]


def stored_ids(path: Path) -> list[str]:
    """Return every id in the store, after a check that the stream is whole."""
    stores = open_for_reading(path)
    assert stores is not None
    with stores:
        report = verify(stores.journal, "default")
        assert report.is_intact, report
        found: list[str] = []
        after = 0
        while page := stores.journal.entries("default", after=after):
            found.extend(entry.event.event_id for entry in page)
            after = page[-1].position
        return found


@pytest.mark.parametrize(
    ("together", "mode"),
    [
        (1, "truncate"),
        (40, "wal"),
        pytest.param(1, "wal", marks=pytest.mark.long),
        pytest.param(40, "truncate", marks=pytest.mark.long),
    ],
)
def test_no_captured_event_is_lost(tmp_path: Path, mode: str, together: int) -> None:
    """Whatever was said to be captured is there after the process was killed at any moment."""
    rng = random.Random(SEED)
    path = tmp_path / "home" / "eventsync.db"
    prepare(path, mode)
    said: list[str] = []
    for turn in range(8):
        child = subprocess.Popen(
            capture_command(path, turn * 1_000_000, together), stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        said += [child.stdout.readline().strip() for _ in range(rng.randint(1, 3 * together))]
        child.send_signal(signal.SIGKILL)
        rest, _ = child.communicate()
        said += [line for line in rest.splitlines(keepends=False) if line.startswith("e")][:-1]

        stored = stored_ids(path)

        assert set(said) <= set(stored), f"seed {SEED}, turn {turn}"
        assert len(stored) == len(set(stored))


@attrs.define
class Killing(MemoryInbox):
    """An inbox that kills the draining process around what it takes."""

    moment: str = ""
    countdown: int = 0
    victim: "subprocess.Popen[str] | None" = None
    requests: list[list[str]] = attrs.field(factory=list)
    reached: threading.Event = attrs.field(factory=threading.Event)

    def take(self, events: Sequence[tuple[str, str]]) -> list[bool]:
        """See `Inbox.take`."""
        self.requests.append([event_id for event_id, _ in events])
        self.countdown -= 1
        if self.moment == "before" and not self.countdown:
            self.kill()
        taken = MemoryInbox.take(self, events)
        if not self.countdown:
            self.reached.set()
        if self.moment == "after" and not self.countdown:
            self.kill()
        return taken

    def kill(self) -> None:
        """Kill the process that is draining."""
        if self.victim is not None:
            self.victim.send_signal(signal.SIGKILL)
            self.victim.wait()


@contextmanager
def receiver(inbox: Inbox) -> Iterator[str]:
    """Listen on a thread, answer by the batch contract, and keep what comes in *inbox*."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            reply = answer_batch(inbox, gzip.decompress(body), Script())
            answer = json.dumps(reply.document).encode()
            head = f"HTTP/1.1 {reply.status} OK\r\nContent-Length: {len(answer)}\r\n\r\n"
            # The client may have been killed.
            with contextlib.suppress(OSError):
                self.wfile.write(head.encode() + answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/events"
    server.shutdown()
    thread.join()
    server.server_close()


def drain_command(home: Path) -> list[str]:
    """Return the command that drains the home."""
    return [sys.executable, "-m", "eventsync_cli", "--home", str(home), "sync", "now", "--json"]


@pytest.mark.parametrize(
    ("moment", "mode"),
    [
        ("before", "truncate"),
        ("after", "truncate"),
        ("answered", "truncate"),
        ("after", "wal"),
        pytest.param("before", "wal", marks=pytest.mark.long),
        pytest.param("answered", "wal", marks=pytest.mark.long),
    ],
)
def test_a_killed_drain_loses_and_repeats_nothing(tmp_path: Path, mode: str, moment: str) -> None:
    """Only events whose answer was never recorded are sent again; in the end all arrived."""
    home = tmp_path / "home"
    path = home / "eventsync" / "eventsync.db"
    prepare(path, mode)
    texts = [f'{{"event_id": "e{n}", "fill": "{"x" * 2_000}"}}' for n in range(700)]
    inbox = Killing(moment=moment)
    with receiver(inbox) as url:
        (home / "config.toml").write_text(
            f'[event_sync]\nmode = "external_receiver"\nexternal_endpoint = "{url}"\n'
        )
        with open_stores(path) as stores:
            capture_many(stores, texts, at=machine.now())
            target = stores.targets.register(make_target(Kind.EXTERNAL, url), at=machine.now())
            stores.grants.grant(
                target.target_id, "default", from_position=0, actor="t", reason="", at=1
            )
        for nth in (1, 2):
            recorded = delivered_ids(path, target.target_id)
            first = len(inbox.requests)
            inbox.countdown = nth
            inbox.reached.clear()
            inbox.victim = subprocess.Popen(
                drain_command(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            if moment == "answered":
                # The answer is on its way; where this kill lands is chance, and all is allowed.
                assert inbox.reached.wait(60)
                inbox.kill()
            inbox.victim.communicate()
            sent = {event_id for ids in inbox.requests[first:] for event_id in ids}
            assert recorded.isdisjoint(sent)

        inbox.victim, recorded = None, delivered_ids(path, target.target_id)
        first = len(inbox.requests)
        done = subprocess.run(drain_command(home), capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    last = Counter(event_id for ids in inbox.requests[first:] for event_id in ids)
    assert recorded.isdisjoint(last)
    assert len(recorded) + last.total() == len(texts)
    assert inbox.count() == len(texts)


def delivered_ids(path: Path, target_id: str) -> set[str]:
    """Return the ids that the ledger says are delivered, and check that classes sum up."""
    stores = open_for_reading(path)
    assert stores is not None
    with stores:
        tally = stores.backlog.tally(target_id, "default", at=machine.now())
        assert tally.is_coherent
        found = set()
        for entry in stores.journal.entries("default", limit=10_000):
            row = stores.ledger.entry(target_id, "default", entry.position)
            if row is not None and row.outcome is not None and row.outcome.is_delivered:
                found.add(entry.event.event_id)
        assert len(found) == tally.classes()[Class.DELIVERED]
        return found
