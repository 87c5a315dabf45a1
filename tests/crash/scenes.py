"""A home that is drained by real processes, and a receiver that answers when it is told to."""

import contextlib
import gzip
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import attrs

from eventsync_adapters import machine
from eventsync_adapters.sqlite import SqliteStores, open_for_reading, open_stores
from eventsync_cli.compose import assemble_alone
from eventsync_core.capture import Receipt, capture_many
from eventsync_core.census import Class
from eventsync_core.clock import Clock
from eventsync_core.dispatch import Drain, Report, drain
from eventsync_core.ingest import MemoryInbox, answer_batch
from eventsync_core.ledger import Holder, Lease, Request
from eventsync_core.receivers import Script
from eventsync_core.targets import Kind, Target, make_target
from tests.crash.test_kill import prepare

PATIENCE = 60
"""Seconds after which something that must happen is said not to have happened."""


@attrs.define(eq=False)
class Held:
    """
    A receiver on this machine that keeps what comes at once and answers when it is told to.

    Requests whose number, from 0, is in `which` are held until `answer` was called, all others
    answered at once. A held one for whose first id `replies` has an answer gets that: status
    and body. `requests` lists the ids of each request, in order of arrival.
    """

    which: range = range(0)
    replies: dict[str, tuple[int, str]] = attrs.field(factory=dict)
    requests: list[list[str]] = attrs.field(factory=list)
    inbox: MemoryInbox = attrs.field(factory=MemoryInbox)
    url: str = ""
    _changed: threading.Condition = attrs.field(factory=threading.Condition)
    _may_answer: bool = False
    _answered: int = 0

    def wait_for(self, count: int) -> None:
        """Return once *count* requests have arrived in all."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(self.requests) >= count, PATIENCE)
        assert arrived, f"{len(self.requests)} of {count} requests came"

    def answer(self) -> None:
        """Let the held requests be answered."""
        with self._changed:
            self._may_answer = True
            self._changed.notify_all()

    @property
    def answered(self) -> int:
        """How many requests were answered."""
        return self._answered

    def take(self, body: bytes) -> tuple[int, str]:
        """Keep what is in *body* and return status and body of the answer, once there is one."""
        text = gzip.decompress(body)
        ids = [event["event_id"] for event in json.loads(text)["events"]]
        with self._changed:
            reply = answer_batch(self.inbox, text, Script())
            self.requests.append(ids)
            self._changed.notify_all()
            told = reply.status, json.dumps(reply.document)
            if len(self.requests) - 1 in self.which:
                self._changed.wait_for(lambda: self._may_answer, PATIENCE)
                told = self.replies.get(ids[0], told)
            self._answered += 1
        return told


@contextmanager
def receiving(held: Held) -> Iterator[Held]:
    """Listen for *held* for the length of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, answer = held.take(body)
            head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(answer)}\r\n\r\n"
            # The client may be gone.
            with contextlib.suppress(OSError):
                self.wfile.write(head.encode() + answer.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that was killed is no fault of the server."""

    server = Server(("127.0.0.1", 0), Handler)
    held.url = f"http://127.0.0.1:{server.server_port}/events"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield held
    finally:
        held.answer()
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def stalling(first: bytes) -> Iterator[tuple[str, threading.Event]]:
    """Accept connections, send *first* at once, and say no more; the event: somebody came."""
    listener = socket.create_server(("127.0.0.1", 0))
    came, opened = threading.Event(), list[socket.socket]()

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                opened.append(connection)
                # Only once the request is under way may an answer come.
                connection.recv(1)
                connection.sendall(first)
                came.set()

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/events", came
    finally:
        # On Linux a close alone does not end an accept in another thread.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for connection in opened:
            connection.close()


@attrs.frozen
class Home:
    """A home whose streams are granted to an external receiver at `url`."""

    place: Path
    url: str
    target: Target

    @property
    def database(self) -> Path:
        """Where its database is."""
        return self.place / "eventsync" / "eventsync.db"

    def command(self, *words: str) -> list[str]:
        """Return the command line of *words* for this home, with JSON wanted."""
        program = [sys.executable, "-m", "eventsync_cli", "--home", str(self.place)]
        return [*program, "--json", *words]

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start a command in a process of its own."""
        return subprocess.Popen(
            self.command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, *words: str) -> tuple[int, Any]:
        """Run a command in a process of its own; return exit code and JSON document."""
        return ended(self.start(*words))

    def capture(self, ids: Sequence[str], *, project: str = "default", size: int = 0) -> None:
        """Capture events with these *ids* and a filling of *size*."""
        texts = [f'{{"event_id": "{event_id}", "fill": "{"x" * size}"}}' for event_id in ids]
        with open_stores(self.database) as stores:
            for result in capture_many(stores, texts, project=project, at=machine.now()):
                assert isinstance(result, Receipt)

    def grant(self, stream: str) -> None:
        """Grant the stream to the target."""
        with open_stores(self.database) as stores:
            stores.targets.register(self.target, at=1)
            stores.grants.grant(
                self.target.target_id, stream, from_position=0, actor="t", reason="", at=1
            )

    def lease(self, stream: str = "default") -> Lease:
        """Return the lease as it stands."""
        with self._reading() as stores:
            lease = stores.leases.held(self.target.target_id, stream)
        assert lease is not None
        return lease

    def classes(self, stream: str = "default") -> dict[Class, int]:
        """Return the classes that hold anything."""
        with self._reading() as stores:
            tally = stores.backlog.tally(self.target.target_id, stream, at=machine.now())
        assert tally.is_coherent
        return {name: count for name, count in tally.classes().items() if count}

    def requests(self, stream: str = "default") -> list[Request]:
        """Return the requests of the stream, oldest first."""
        with self._reading() as stores:
            found = stores.ledger.requests(self.target.target_id, stream, limit=1_000_000)
        return found[::-1]

    def _reading(self) -> SqliteStores:
        stores = open_for_reading(self.database)
        assert stores is not None
        return stores

    def drain_here(self) -> Report:
        """Drain in this process, which is cheaper than a new one."""
        return self.drain(clock=machine.now, holder=machine.this_process())

    def drain(self, *, clock: Clock, holder: Holder) -> Report:
        """Drain in this process, over the network, by *clock* and as *holder*."""
        with (
            open_stores(self.database, clock=clock) as stores,
            assemble_alone(self.place).receiver(self.target) as receiver,
        ):
            task = Drain(
                stores=stores, target=self.target, receiver=receiver, clock=clock, holder=holder
            )
            return drain(task, ["default"])


def make_home(place: Path, url: str, *streams: str, mode: str = "truncate") -> Home:
    """Return a home with *streams* granted, by default the default one."""
    home = Home(place, url, make_target(Kind.EXTERNAL, url))
    prepare(home.database, mode)
    (place / "config.toml").write_text(
        f'[event_sync]\nmode = "external_receiver"\nexternal_endpoint = "{url}"\n'
    )
    for stream in streams or ("default",):
        home.grant(stream)
    return home


def ended(process: "subprocess.Popen[str]", *, within: float = PATIENCE) -> tuple[int, Any]:
    """Return exit code and JSON document of a process that ends *within* so many seconds."""
    out, err = process.communicate(timeout=within)
    assert "Traceback" not in err
    assert out.count("\n") == 1, out + err
    document = json.loads(out)
    assert document["schema"] == 1
    return process.returncode, document


def at_once(works: Sequence[Callable[[], object]]) -> None:
    """Run *works* in threads that begin together; raise what the first failing one raised."""
    barrier, failed = threading.Barrier(len(works)), list[BaseException]()

    def run(work: Callable[[], object]) -> None:
        try:
            barrier.wait(PATIENCE)
            work()
        except BaseException as error:  # noqa: BLE001 - it is raised below, in the test's thread
            failed.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
