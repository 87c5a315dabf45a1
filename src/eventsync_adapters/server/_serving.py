import socket
import socketserver
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from eventsync_adapters.server._connection import Connection
from eventsync_adapters.server._inbox import SqliteInbox
from eventsync_adapters.server._routes import Desk, is_loopback_host
from eventsync_core.clock import Clock
from eventsync_core.ingest import Inbox, MemoryInbox
from eventsync_core.receivers import Script
from eventsync_core.targets import Deployment
from eventsync_core.telemetry import BROKEN


class Serving:
    """
    A receiver that listens; made by `serve`.

    Attributes:
        url: Where it listens, without a slash at the end.
        inbox: What it keeps of events.
        bodies: What it keeps of bodies: the requests that brought them.
    """

    def __init__(self, server: "_Server", desk: Desk) -> None:
        name, port = str(server.server_address[0]), server.server_port
        self.url = f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
        self.inbox = desk.inbox
        self.bodies = desk.bodies
        self._address = (name, port)
        self._server = server
        self._desk = desk
        self._serving = Lock()
        self._thread: Thread | None = None

    def set_script(self, script: Script) -> None:
        """Answer every request from now on as *script* says."""
        self._desk.set_script(script)

    def serve_forever(self) -> None:
        """Answer requests on this thread until `stop` or `close`."""
        with self._serving:
            while not self._desk.closing.is_set():
                self._server.handle_request()

    def start(self) -> None:
        """Answer requests on a thread of its own until `close`."""
        self._thread = Thread(target=self.serve_forever, name="eventsync-serve", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let `serve_forever` return; safe from a signal handler and any thread."""
        if self._desk.closing.is_set():
            return
        self._desk.closing.set()
        # The loop waits for a connection; this is one.
        with suppress(OSError):
            socket.create_connection(self._address, timeout=1).close()

    def close(self) -> None:
        """Stop, break off all connections and give the port free; more than once is fine."""
        self.stop()
        if self._thread is not None:
            self._thread.join()
        with self._serving:
            self._server.server_close()


@contextmanager
def serve(
    path: Path | None,
    *,
    clock: Clock,
    host: str = "127.0.0.1",
    port: int = 0,
    script: Script | None = None,
    deployment: Deployment | None = None,
    log: Callable[[str, str], None] = lambda *_: None,
) -> Iterator[Serving]:
    """
    Listen on *host* and *port* (0: any free one) and keep what comes in the file at *path*.

    Without a *path* it is kept in memory. Nothing is answered before `serve_forever` or
    `start`; everything is closed at the end. *log* gets a word and the rest of
    a line for each request.

    Raises:
        ValueError: *host* is no loopback name or address.
        OSError: The port is taken.
    """
    if not is_loopback_host(f"[{host}]" if ":" in host else host):
        raise ValueError(f"{host!r} is not a loopback address; this receiver asks for no login")
    with ExitStack() as stack:
        inbox: Inbox = MemoryInbox()
        bodies: Inbox = MemoryInbox()
        if path is not None:
            inbox = stack.enter_context(SqliteInbox(path, clock=clock))
            bodies = stack.enter_context(SqliteInbox(path, clock=clock, table="bodies"))
        desk = Desk(
            inbox=inbox,
            bodies=bodies,
            script=script or Script(),
            deployment=deployment or Deployment(),
            log=log,
        )
        serving = Serving(_Server(host, port, desk), desk)
        stack.callback(serving.close)
        yield serving


class _Server(ThreadingHTTPServer):
    """Knows its open connections, so that closing does not wait for clients to leave."""

    daemon_threads = False
    request_queue_size = 128
    # On Windows, SO_REUSEADDR would let a second process take over the port.
    allow_reuse_address = sys.platform != "win32"

    def __init__(self, host: str, port: int, desk: Desk) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._log = desk.log
        self._open: set[socket.socket] = set()
        self._gate = Lock()
        handler = type("_Connection", (Connection,), {"desk": desk})
        super().__init__((host, port), handler)

    def server_bind(self) -> None:
        """Bind without the base's look-up of this machine's name, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        host, self.server_port = self.server_address[:2]
        self.server_name = str(host)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Note the connection, then serve it on a thread of its own."""
        with self._gate:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close the connection and forget it."""
        with self._gate:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, *_: object) -> None:
        """Log what broke one connection; the others go on."""
        self._log(BROKEN.name, repr(sys.exc_info()[1]))

    def server_close(self) -> None:
        """Break off all connections, wait for their threads and give the port free."""
        with self._gate:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        super().server_close()
