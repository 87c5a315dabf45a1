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
    """A request as it was read: its body decompressed, and the connection it came on."""

    body: bytes
    connection: socket.socket

    @property
    def texts(self) -> list[str]:
        """The texts of its events."""
        return [json.dumps(event, separators=(",", ":")) for event in self.events]

    @property
    def events(self) -> list[dict[str, object]]:
        """Its events."""
        found: list[dict[str, object]] = json.loads(self.body)["events"]
        return found


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
    return Asked(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body, connection)


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
