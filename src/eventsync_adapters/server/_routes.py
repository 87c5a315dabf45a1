"""What each address answers; everything here runs on the thread of one connection."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address
from threading import Event, Lock
from urllib.parse import parse_qs, urlsplit

import attrs

from eventsync_core.bodies import PUSH_PATH
from eventsync_core.codec import read_document, write_document
from eventsync_core.ingest import (
    MOST_BYTES,
    MOST_PUSH_BYTES,
    Inbox,
    Kept,
    answer_batch,
    answer_health,
    answer_held,
    answer_push,
)
from eventsync_core.receivers import RequestRule, Script, read_script
from eventsync_core.targets import Deployment
from eventsync_core.telemetry import NOT_STORED

BATCH_PATH = "/api/v1/events/batch/"
HEALTH_PATH = "/api/v1/sync/health/"

_PAGE = 1_000
_JSON = {"Content-Type": "application/json"}


@attrs.frozen(kw_only=True)
class Sent:
    """One answer on its way out; with `lines` a stream of them follows instead of `body`."""

    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=lambda: dict(_JSON))
    body: bytes = b""
    lines: Iterator[bytes] | None = None


@attrs.define(kw_only=True)
class Desk:
    """
    What all connections share: the inboxes, the script, and the lock that orders requests.

    `closing` ends the delays a script asks for.
    """

    inbox: Inbox
    bodies: Inbox
    script: Script
    deployment: Deployment
    log: Callable[[str, str], None]
    lock: Lock = attrs.field(factory=Lock)
    closing: Event = attrs.field(factory=Event)

    def next_rule(self, path: str) -> RequestRule:
        """Take the rule for one more request, of those for bodies or those for batches."""
        with self.lock:
            return self.script.next_push() if takes_bodies(path) else self.script.next_request()

    def set_script(self, script: Script) -> None:
        """Answer from now on as *script* says."""
        with self.lock:
            self.script = script

    def post(self, path: str, body: bytes, rule: RequestRule, content_type: str) -> Sent:
        """Answer one batch or body as *rule* says, else in earnest."""
        if rule.replaces_answer:
            return Sent(
                status=rule.status,
                headers={**_JSON, **rule.headers},
                body=(rule.body or "").encode(),
            )
        try:
            with self.lock:
                if takes_bodies(path):
                    reply = answer_push(self.bodies, body)
                else:
                    reply = answer_batch(self.inbox, body, self.script, content_type)
        except sqlite3.Error as error:
            self.log(NOT_STORED.name, str(error))
            return document(503, {"error": "nothing can be stored now"})
        sent = document(reply.status, reply.document)
        return attrs.evolve(sent, headers={**_JSON, **rule.headers})

    def put(self, path: str, body: bytes) -> Sent:
        """Replace the script."""
        if urlsplit(path).path != "/script":
            return missing(path)
        try:
            self.set_script(read_script(read_document(body)))
        except ValueError as error:
            return document(400, {"error": "not a script", "details": str(error)})
        return document(200, {"ok": True})

    def get(self, path: str) -> Sent:
        """Answer a question; nothing changes."""
        parts = urlsplit(path)
        if parts.path == HEALTH_PATH:
            return document(200, answer_health(self.deployment))
        if parts.path == "/held":
            return self._held(parts.query)
        for name, inbox in (("/received", self.inbox), ("/bodies", self.bodies)):
            if parts.path == f"{name}/count":
                with self.lock:
                    return document(200, {"count": inbox.count()})
            if parts.path == name:
                return self._received(inbox, parts.query)
        return missing(path)

    def _received(self, inbox: Inbox, query: str) -> Sent:
        asked = _bounds(query)
        if asked is None:
            return document(400, {"error": "after and limit are whole numbers"})
        return Sent(
            headers={"Content-Type": "application/x-ndjson"}, lines=self._pages(inbox, *asked)
        )

    def _held(self, query: str) -> Sent:
        """Answer one page of ids and digests, without what the events say."""
        asked = _bounds(query)
        if asked is None:
            return document(400, {"error": "after and limit are whole numbers"})
        after, limit = asked
        most = min(_PAGE if limit is None else limit, _PAGE)
        with self.lock:
            page = self.inbox.received(after=after, limit=most)
        return document(200, answer_held(page, most=most))

    def _pages(self, inbox: Inbox, after: int, limit: int | None) -> Iterator[bytes]:
        """Yield what is kept above *after*, a page at a time, one line each."""
        while limit is None or limit > 0:
            most = _PAGE if limit is None else min(limit, _PAGE)
            with self.lock:
                page = inbox.received(after=after, limit=most)
            if page:
                yield "".join(map(_line, page)).encode()
            if len(page) < most:
                return
            after = page[-1].seq
            limit = None if limit is None else limit - len(page)


def document(status: int, content: Mapping[str, object]) -> Sent:
    """Return an answer whose body is that JSON object."""
    return Sent(status=status, body=write_document(content).encode())


def missing(path: str) -> Sent:
    """Return the answer for an address that is none."""
    return document(404, {"error": "no such address", "path": urlsplit(path).path[:200]})


def takes_batches(path: str) -> bool:
    """Say whether events can be posted to *path*: the batch address, or any outside /api."""
    place = urlsplit(path).path
    return place == BATCH_PATH or not (place == "/api" or place.startswith("/api/"))


def takes_bodies(path: str) -> bool:
    """Say whether bodies are posted to *path*."""
    return urlsplit(path).path == PUSH_PATH


def most_bytes(path: str) -> int:
    """Return how large a request to *path* may be, decompressed."""
    return MOST_PUSH_BYTES if takes_bodies(path) else MOST_BYTES


def is_loopback_host(header: str | None) -> bool:
    """Say whether a Host header names this machine by a loopback name or address."""
    try:
        host = urlsplit(f"//{header or ''}").hostname or ""
    except ValueError:
        return False
    if host.removesuffix(".") == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_loopback_origin(header: str | None) -> bool:
    """Say whether a request comes from no web page, or from one of this machine."""
    if header is None:
        return True
    return is_loopback_host(header.partition("://")[2])


def _line(kept: Kept) -> str:
    """Return one line: the text as it is stored, or wrapped where it holds a line break."""
    if "\n" in kept.text or "\r" in kept.text:
        return write_document({"event_id": kept.event_id, "text": kept.text}) + "\n"
    return kept.text + "\n"


def _bounds(query: str) -> tuple[int, int | None] | None:
    """Return what *query* says of `after` and `limit`, or None where it says anything else."""
    asked = parse_qs(query, keep_blank_values=True)
    numbers = {name: values[-1] for name, values in asked.items()}
    unknown = sorted(set(numbers) - {"after", "limit"})
    if unknown or not all(_is_count(number) for number in numbers.values()):
        return None
    return int(numbers.get("after", 0)), int(numbers["limit"]) if "limit" in numbers else None


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
