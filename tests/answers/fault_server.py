"""A server that is a bare socket: it sends the bytes it is told, and breaks off where told."""

import contextlib
import gzip
import json
import socket
import struct
from collections.abc import Callable, Iterator
from threading import Thread

import attrs

LONGEST_WAIT_SECONDS = 20


@attrs.frozen
class Asked:
    """A request as it was read: its body decompressed, and how many bytes it had."""

    body: bytes
    size: int

    @property
    def event_ids(self) -> list[str]:
        """The ids of its events."""
        return [event["event_id"] for event in json.loads(self.body)["events"]]


Behaviour = Callable[[socket.socket], None]


def read_request(connection: socket.socket) -> Asked | None:
    """Return one whole request, or None when the client left."""
    found = b""
    while b"\r\n\r\n" not in found:
        chunk = connection.recv(65_536)
        if not chunk:
            return None
        found += chunk
    head, _, body = found.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    while len(body) < int(fields[b"content-length"]):
        chunk = connection.recv(65_536)
        if not chunk:
            return None
        body += chunk
    plain = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
    return Asked(plain, len(head) + 4 + len(body))


def reset(connection: socket.socket) -> None:
    """Close so that the other side is told that the connection was reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def stall(connection: socket.socket) -> None:
    """Say no more, and hold the connection until the client gives it up."""
    with contextlib.suppress(OSError):
        while connection.recv(65_536):
            pass


class FaultServer:
    """
    Hands every connection to `behaviour`, one after another, and closes it afterwards.

    `behaviour` may be replaced at any time; `url` is where it listens.
    """

    def __init__(self) -> None:
        self.behaviour: Behaviour = lambda _: None
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = Thread(target=self._run, name="fault-server", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(LONGEST_WAIT_SECONDS)
                self.behaviour(connection)

    def close(self) -> None:
        """Stop listening and wait for the thread."""
        # On Linux a close alone does not end an accept in another thread.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(LONGEST_WAIT_SECONDS)


@contextlib.contextmanager
def fault_server() -> Iterator[FaultServer]:
    """Run a server; it stops at the end."""
    server = FaultServer()
    try:
        yield server
    finally:
        server.close()
