"""The states that the Recover page leads out of, by the names of its sections."""

import json
import os
import sqlite3
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path

import attrs
import pytest

import eventsync_adapters.legacy_queues as adapter
from eventsync_adapters import machine
from eventsync_adapters.legacy_queues import Found, _sources
from eventsync_adapters.server import serve
from eventsync_cli.__main__ import main
from tests.legacy.journal_era import delivery, journal, ledger, target, targets
from tests.legacy.old import bodies, body, envelope, insert, queue

_DIGEST = "aaaaaaaaaaaaaaaa"
_PROJECT = "0b1d0f2a-3c4d-4e5f-8a9b-0c1d2e3f4a5b"


@attrs.define
class Place:
    """
    Where a state is made: the folder of a user.

    `stack` is closed at the very end; `url` is where a receiver runs, if one does.
    """

    user: Path
    patch: pytest.MonkeyPatch
    stack: ExitStack
    url: str = ""

    @property
    def home(self) -> Path:
        """The home of old programs."""
        return self.user / ".spec-kitty"

    @property
    def queue(self) -> Path:
        """The queue that belonged to nobody."""
        return self.home / "queue.db"

    @property
    def scoped(self) -> Path:
        """The queue of somebody."""
        return self.home / "queues" / f"queue-{_DIGEST}.db"

    @property
    def overflow(self) -> Path:
        """An overflow file."""
        return self.home / "overflow-2026-02-02T02.jsonl"

    def receive(self) -> str:
        """Start a receiver and return its address."""
        serving = self.stack.enter_context(serve(None, clock=machine.now))
        serving.start()
        self.url = serving.url
        return self.url


State = Callable[[Place], AbstractContextManager[None]]
STATES: dict[str, State] = {}


def _state(name: str) -> Callable[[Callable[[Place], Iterator[None]]], State]:
    """Let a function make the state of that name; what follows its yield ends what disturbs."""

    def register(make: Callable[[Place], Iterator[None]]) -> State:
        STATES[name] = contextmanager(make)
        return STATES[name]

    return register


def _with_row(name: str, column: str, data: str | bytes) -> None:
    """Register the state of a queue with one good row, and one that holds no event."""

    @_state(name)
    def _(place: Place) -> Iterator[None]:
        queue(place.queue, ["e1", (column, data)])
        yield


_with_row("not_json", "e2", envelope("e2").replace('"n": 1', '"n": NaN'))
_with_row("not_utf8", "e2", envelope("e2").replace("{", '{"name": "é", ', 1).encode("latin-1"))
_with_row("no_event_id", "e2", envelope("e2").replace('"event_id": "e2", ', ""))
_with_row("other_id", "e3", envelope("e2"))
_with_row("held", "e2", envelope("e2").replace('"n": 1', '"n": 1, "n": 2'))


@_state("waiting")
def _(place: Place) -> Iterator[None]:
    queue(place.queue, ["e1", "e2"])
    yield


STATES["waiting now"] = STATES["waiting check"] = STATES["waiting"]


@_state("nothing")
def _(place: Place) -> Iterator[None]:
    place.home.mkdir()
    yield


@_state("elsewhere")
def _(place: Place) -> Iterator[None]:
    place.home.mkdir()
    queue(place.user / "old-home" / "queue.db", ["e1"])
    yield


@_state("source_locked")
def _(place: Place) -> Iterator[None]:
    queue(place.queue, ["e1"])
    with closing(sqlite3.connect(place.queue, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        yield


@_state("source_gone")
def _(place: Place) -> Iterator[None]:
    queue(place.queue, ["e1"])
    find, calls = adapter.find_sources, []

    def vanish(*arguments: object, **more: object) -> Found:
        found: Found = find(*arguments, **more)  # type: ignore[arg-type]
        calls.append(found)
        if len(calls) == 1:
            place.queue.unlink()
        return found

    place.patch.setattr(adapter, "find_sources", vanish)
    yield


@_state("source_unreadable")
def _(place: Place) -> Iterator[None]:
    if os.geteuid() == 0:
        pytest.skip("root may read all")
    queue(place.queue, ["e1"]).chmod(0)
    yield


@_state("source_unreadable link")
def _(place: Place) -> Iterator[None]:
    place.home.mkdir()
    place.queue.symlink_to(place.queue)
    yield


@_state("no_room_for_copy")
def _(place: Place) -> Iterator[None]:
    queue(place.queue, ["e1"])
    place.patch.setattr("tempfile.tempdir", str(place.user / "tmp"))
    yield


def _with_content(name: str, content: bytes) -> None:
    @_state(name)
    def _(place: Place) -> Iterator[None]:
        place.home.mkdir()
        place.queue.write_bytes(content)
        yield


_with_content("source_empty_file", b"")
_with_content("source_not_a_database", b"not a database at all")


@_state("source_foreign")
def _(place: Place) -> Iterator[None]:
    place.home.mkdir()
    with closing(sqlite3.connect(place.queue)) as database, database:
        database.execute("CREATE TABLE queue (id INTEGER PRIMARY KEY, song TEXT)")
        insert(database, "queue", {"song": "La Paloma"})
    yield


@_state("source_damaged")
def _(place: Place) -> Iterator[None]:
    fill = "x" * 800
    queue(place.queue, [(f"e{n}", envelope(f"e{n}", fill=fill)) for n in range(40)])
    content = bytearray(place.queue.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xa5" * 4096
    place.queue.write_bytes(content)
    yield


@_state("source_linked")
def _(place: Place) -> Iterator[None]:
    queue(place.queue, ["e1"])
    (place.user / "backup").mkdir()
    (place.user / "backup" / "queue.db").hardlink_to(place.queue)
    yield


@_state("source_not_emptied")
def _(place: Place) -> Iterator[None]:
    queue(place.queue, ["e1"])
    place.patch.setattr(_sources, "_PATIENCE_SECONDS", 0)
    with closing(sqlite3.connect(place.queue, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield


@_state("no_body")
def _(place: Place) -> Iterator[None]:
    bodies(place.queue, [body(), body(artifact_path="plan.md", content_hash=b"\xff")])
    yield


@_state("not_understood")
def _(place: Place) -> Iterator[None]:
    path = place.home / "projects" / _PROJECT / "sync" / "sync.db"
    path.parent.mkdir(parents=True)
    odd = {"event_id": "e2", "payload": b64encode(b"not an event").decode()}
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE journal_entries (entry_id TEXT, payload_json TEXT)")
        for number, text in enumerate((envelope("e1"), json.dumps(odd))):
            row = {"entry_id": f"entry-{number}", "payload_json": text}
            insert(database, "journal_entries", row)
    yield


@_state("half")
def _(place: Place) -> Iterator[None]:
    place.home.mkdir()
    place.overflow.write_text(envelope("e1") + "\n" + envelope("e2")[:40])
    yield


@_state("conflict")
def _(place: Place) -> Iterator[None]:
    queue(place.queue, ["e1"])
    queue(place.scoped, [("e1", envelope("e1", payload={"n": 2})), "e2"])
    yield


STATES["conflict one"] = STATES["conflict"]


@_state("conflict body")
def _(place: Place) -> Iterator[None]:
    digest = body()["content_hash"]
    bodies(place.queue, [body()])
    bodies(place.scoped, [body("other", content_hash=digest)])
    yield


@_state("skipped")
def _(place: Place) -> Iterator[None]:
    queue(place.home / "queues" / "queue-2026-backup.db", ["e1"])
    yield


@_state("unknown target")
def _(place: Place) -> Iterator[None]:
    queue(place.scoped, ["e1"])
    yield


@_state("unassigned")
def _(place: Place) -> Iterator[None]:
    queue(place.queue, ["e1", "e2"])
    endpoint = f"{place.receive()}/events"
    assert main(["sync", "migrate"]) == 0
    assert main(["sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", endpoint]) == 0
    yield


@_state("bodies")
def _(place: Place) -> Iterator[None]:
    """Bodies of two projects: one is not what its hash says, one is not granted."""
    bodies(place.queue, [body(), body("other", artifact_path="plan.md", content_hash="0" * 64)])
    place.patch.setenv("SPEC_KITTY_ENABLE_SAAS_SYNC", "1")
    place.patch.setenv("TOKEN", "a-token")
    assert main(["sync", "migrate"]) == 0
    words = ["sync", "server", place.receive(), "--team", "t", "--token", "env:TOKEN"]
    assert main([*words, "--project", "P1"]) == 0
    yield


@_state("other tables")
def _(place: Place) -> Iterator[None]:
    queue(place.queue, ["e1"])
    with closing(sqlite3.connect(place.queue)) as database, database:
        database.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)")
        insert(database, "notes", {"text": "mine"})
    yield


@_state("no target")
def _(place: Place) -> Iterator[None]:
    old = target("ftp://old.example")
    journal(place.home, ["e1"])
    targets(place.home, [old])
    ledger(place.home, [delivery("e1", old["target_id"])])
    yield


@_state("no outcome")
def _(place: Place) -> Iterator[None]:
    old = target()
    journal(place.home, ["e1"])
    targets(place.home, [old])
    ledger(place.home, [delivery("e1", old["target_id"], "shipped")])
    yield


@_state("unknown delivery")
def _(place: Place) -> Iterator[None]:
    old = target()
    journal(place.home, ["e1"])
    targets(place.home, [old])
    ledger(place.home, [delivery("e0", old["target_id"]), delivery("e1", "tgt_other")])
    yield
