"""Receivers that users might run: with TLS, as a proxy, or repeating what they were sent."""

import gzip
import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import attrs


@attrs.frozen
class Heard:
    """One request: its target as written, header names in lower case, the body uncompressed."""

    path: str
    headers: Mapping[str, str]
    body: bytes


Reply = Callable[[Heard], tuple[int, Mapping[str, str], bytes]]


@attrs.frozen
class Listener:
    """Where it listens, and what it heard."""

    url: str
    heard: list[Heard]


def accept(heard: Heard) -> tuple[int, Mapping[str, str], bytes]:
    """Say success to each event of a batch, or of a batch of CloudEvents."""
    found = json.loads(heard.body)
    ids = [e["event_id"] for e in found["events"]] if isinstance(found, dict) else []
    ids = ids or [event["id"] for event in found]
    results = [{"event_id": event_id, "status": "success"} for event_id in ids]
    return 200, {}, json.dumps({"results": results}).encode()


@contextmanager
def listening(reply: Reply = accept, context: ssl.SSLContext | None = None) -> Iterator[Listener]:
    """Answer each request on a free port as *reply* says, with TLS where there is a *context*."""
    heard: list[Heard] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"] or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(length)
            if headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            heard.append(Heard(self.path, headers, body))
            status, more, answer = reply(heard[-1])
            self.send_response_only(status)
            for name, value in {"Content-Length": str(len(answer)), **more}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hangs up is no error here."""

    server = Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        scheme = "https" if context else "http"
        yield Listener(f"{scheme}://127.0.0.1:{server.server_address[1]}", heard)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
