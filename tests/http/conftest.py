"""A server that misbehaves as told, and a transport with short time-outs."""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from threading import Thread

import pytest

from eventsync_adapters.http import Timeouts, Transport

Behaviour = Callable[[socket.socket], None]


def read_request(connection: socket.socket) -> bytes:
    """Return one whole request as it came, empty when the client left."""
    found = b""
    while b"\r\n\r\n" not in found:
        chunk = connection.recv(65_536)
        if not chunk:
            return b""
        found += chunk
    head, _, body = found.partition(b"\r\n\r\n")
    fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
    length = {name.lower(): value for name, value in fields.items()}.get(b"content-length", b"0")
    while len(body) < int(length):
        chunk = connection.recv(65_536)
        if not chunk:
            return b""
        body += chunk
    return head + b"\r\n\r\n" + body


class FaultServer:
    """
    Accepts connections and hands each, after its first request, to the next behaviour.

    `requests` are the raw requests; `url` is where it listens.
    """

    def __init__(self, *behaviours: Behaviour) -> None:
        self.requests: list[bytes] = []
        self._behaviours = list(behaviours)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        for behaviour in self._behaviours:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(10)
                self.requests.append(read_request(connection))
                behaviour(connection)

    def close(self) -> None:
        """Stop listening and wait for the thread."""
        # On Linux a close alone does not end an accept in another thread.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def fault_server() -> Iterator[Callable[..., FaultServer]]:
    """Return a function that starts a server with those behaviours."""
    servers: list[FaultServer] = []

    def start(*behaviours: Behaviour) -> FaultServer:
        servers.append(FaultServer(*behaviours))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def transport() -> Iterator[Transport]:
    """Return a transport with time enough for a busy machine."""
    timeouts = Timeouts(connect=10, read=10, answer=10)
    with Transport(monotonic=time.monotonic, timeouts=timeouts, verify=False) as opened:
        yield opened


@pytest.fixture
def impatient() -> Iterator[Transport]:
    """Return a transport that is soon tired of waiting."""
    timeouts = Timeouts(connect=10, read=0.2, answer=0.4)
    with Transport(monotonic=time.monotonic, timeouts=timeouts, verify=False) as opened:
        yield opened
