"""HTTP/1.1 on one connection: framing, refusals, and answers in one piece."""

import socket
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import BinaryIO, cast

from eventsync_adapters.server._body import BodyError, read_body
from eventsync_adapters.server._routes import (
    Desk,
    Sent,
    document,
    is_loopback_host,
    is_loopback_origin,
    missing,
    most_bytes,
    takes_batches,
    takes_bodies,
)
from eventsync_core.telemetry import SERVED


class Connection(BaseHTTPRequestHandler):
    """Serves requests until the client leaves; subclasses bring the `desk`."""

    desk: Desk
    protocol_version = "HTTP/1.1"
    server_version = "eventsync"
    sys_version = ""
    # Nagle's algorithm and delayed acknowledgement together cost 40 ms per answer.
    disable_nagle_algorithm = True
    # Head and body leave in one piece, when the answer is complete.
    wbufsize = 262_144
    timeout = 75

    def do_GET(self) -> None:
        """Answer a question."""
        if self._is_welcome():
            self._skip_body()
            self._send(self.desk.get(self.path))

    def do_POST(self) -> None:
        """Take a batch or a body, as the script says."""
        if not self._is_welcome():
            return
        if not (takes_batches(self.path) or takes_bodies(self.path)):
            self._refuse(missing(self.path))
            return
        rule = self.desk.next_rule(self.path)
        if rule.delay_seconds:
            self.desk.closing.wait(rule.delay_seconds)
        if rule.cut == "before":
            self._cut()
            return
        body = self._body()
        if body is None:
            return
        sent = self.desk.post(self.path, body, rule, self.headers.get("Content-Type", ""))
        if rule.cut and not rule.replaces_answer:
            self._cut()
        else:
            self._send(sent)

    def do_PUT(self) -> None:
        """Take a script."""
        if not self._is_welcome():
            return
        body = self._body()
        if body is not None:
            self._send(self.desk.put(self.path, body))

    def do_DELETE(self) -> None:
        """Refuse: nothing can be deleted."""
        if self._is_welcome():
            self._refuse(missing(self.path))

    do_PATCH = do_DELETE  # noqa: N815 - the base class looks for this name
    do_OPTIONS = do_DELETE  # noqa: N815 - the same

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what could not be read as a request, in JSON."""
        try:
            said = message or HTTPStatus(code).phrase
        except ValueError:
            said = "refused"
        self.close_connection = True
        self._send(document(code, {"error": explain or said}))

    def log_message(self, format: str, *args: object) -> None:
        """Hand one line to the server's log."""
        self.desk.log(SERVED.name, format % args)

    def _is_welcome(self) -> bool:
        """Refuse what a web page could send here under another name of this machine."""
        hosts = self.headers.get_all("Host", [])
        if len(hosts) == 1 and is_loopback_host(hosts[0]):
            if is_loopback_origin(self.headers.get("Origin")):
                return True
            self._refuse(document(403, {"error": "web pages of other machines are refused"}))
            return False
        self._refuse(document(403, {"error": "the Host header does not name this machine"}))
        return False

    def _body(self) -> bytes | None:
        """Return the body, or answer why it cannot be read."""
        try:
            return self._read(self.headers.get("Content-Encoding", ""), most=most_bytes(self.path))
        except BodyError as error:
            self.close_connection = self.close_connection or not error.is_drained
            said = {"error": "unreadable body", "details": str(error)}
            self._send(document(error.status, said))
            return None

    def _read(self, encoding: str, *, most: int) -> bytes:
        lengths = self.headers.get_all("Content-Length", [])
        is_plain = len(lengths) == 1 and "Transfer-Encoding" not in self.headers
        length = lengths[0].strip() if is_plain else None
        return read_body(cast(BinaryIO, self.rfile), length, encoding, most=most)

    def _skip_body(self) -> None:
        """Take a body that nobody asked for off the connection; the next request follows it."""
        if "Content-Length" in self.headers or "Transfer-Encoding" in self.headers:
            try:
                self._read("", most=0)
            except BodyError:
                self.close_connection = True

    def _refuse(self, sent: Sent) -> None:
        """Answer a request whose body does not matter."""
        self._skip_body()
        self._send(sent)

    def _send(self, sent: Sent) -> None:
        self.send_response(sent.status)
        for name, value in sent.headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        if sent.lines is not None:
            self._stream(sent)
            return
        bodiless = sent.status in (204, 304)
        if not bodiless:
            self.send_header("Content-Length", str(len(sent.body)))
        self.end_headers()
        if not bodiless:
            self.wfile.write(sent.body)

    def _stream(self, sent: Sent) -> None:
        is_chunked = self.request_version >= "HTTP/1.1"
        if is_chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.close_connection = True
        self.end_headers()
        for page in sent.lines or ():
            self.wfile.write(b"%x\r\n%b\r\n" % (len(page), page) if is_chunked else page)
        if is_chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)
