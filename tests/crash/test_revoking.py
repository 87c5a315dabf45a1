"""A grant that is revoked while a drain runs: no further request leaves, by either road."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from eventsync_adapters.sqlite import open_stores
from eventsync_core.census import Class
from eventsync_core.receivers import Outcome
from tests.crash.scenes import Held, Home, ended, make_home, receiving
from tests.crash.test_kill import MODES

_WHY = ("--by", "ann", "--reason", "left")


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Hold the write lock of the database, as another process at work does."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=60)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.rollback()


@pytest.fixture
def held() -> Iterator[Held]:
    """Return a receiver that holds its first request."""
    with receiving(Held(which=range(1))) as held:
        yield held


def revoked_meanwhile(home: Home, held: Held, *, is_locked: bool) -> None:
    """Revoke while request 1 is unanswered, by the file alone where the database is locked."""
    held.wait_for(1)
    if not is_locked:
        code, document = home.run("target", "revoke", *_WHY)
        assert (code, document["was_granted"]) == (0, True)
        return
    with locked(home.database):
        code, document = home.run("target", "revoke", *_WHY)
        assert (code, document["was_granted"]) == (0, None)
    assert len(list((home.database.parent / "revoked").iterdir())) == 1


@pytest.mark.parametrize(
    ("mode", "is_locked"),
    [*((mode, False) for mode in MODES), pytest.param("truncate", True, marks=pytest.mark.long)],
)
def test_a_running_drain_stops_before_its_next_request(
    tmp_path: Path, held: Held, mode: str, *, is_locked: bool
) -> None:
    """What had left is noted, and nothing else; the drain says why it stopped."""
    home = make_home(tmp_path / "home", held.url, mode=mode)
    home.capture([f"e{number}" for number in range(200)], size=2_000)
    drain = home.start("sync", "now")

    revoked_meanwhile(home, held, is_locked=is_locked)

    assert (held.answered, drain.poll()) == (0, None)
    held.answer()
    code, document = ended(drain)
    carried = len(held.requests[0])
    assert 0 < carried < 200
    assert (code, document["stopped_because"]) == (4, "no_grant")
    assert document["error"]["code"] == "no_grant"
    assert document["error"]["message"] == f"stream default is not granted to {held.url}"
    assert (document["counts"]["selected"], document["counts"]["delivered"]) == (carried, carried)
    assert (document["requests"], document["remaining_owed"]) == (1, 0)
    assert len(held.requests) == 1
    (request,) = home.requests()
    assert (request.status, request.closed_at is not None) == (200, True)
    # Whoever looks sees the end, though a file may be all that knows of it.
    _, status = home.run("sync", "status")
    classes = status["targets"][0]["streams"][0]["classes"]
    assert {name: count for name, count in classes.items() if count} == {
        "delivered": carried,
        "not_granted": 200 - carried,
    }
    code, document = home.run("sync", "now")
    assert (code, document["stopped_because"], len(held.requests)) == (4, "no_grant", 1)
    _, shown = home.run("target", "show")
    assert [(act["act"], act["actor"]) for act in shown["acts"]] == [
        ("revoked", "ann"),
        ("granted", "t"),
    ]
    assert home.classes() == {Class.DELIVERED: carried, Class.NOT_GRANTED: 200 - carried}


def test_what_was_on_its_way_is_not_lost(tmp_path: Path, held: Held) -> None:
    """Answered badly, it is owed again once the grant is renewed; nothing is skipped or doubled."""
    held.replies["e0"] = (503, '{"error": "later"}')
    home = make_home(tmp_path / "home", held.url)
    home.capture([f"e{number}" for number in range(200)], size=2_000)
    drain = home.start("sync", "now")
    revoked_meanwhile(home, held, is_locked=True)
    held.answer()
    code, document = ended(drain)
    carried = len(held.requests[0])
    assert (code, document["counts"]["transient"]) == (3, carried)
    assert (document["stopped_because"], document["remaining_owed"]) == ("target_backoff", 0)
    home.capture(["late"])

    code, document = home.run("target", "grant")
    assert (code, document["will_send"]) == (0, 201)
    home.run("target", "resume")
    code, document = home.run("sync", "now")

    assert (code, document["counts"]["selected"]) == (0, 201)
    sent = [event_id for request in held.requests[1:] for event_id in request]
    assert sorted(sent) == sorted([*(f"e{number}" for number in range(200)), "late"])
    assert home.classes() == {Class.DELIVERED: 201}
    with open_stores(home.database) as stores:
        entry = stores.ledger.entry(home.target.target_id, "default", 1)
    assert entry is not None
    # The receiver had kept them when it failed.
    assert (entry.outcome, entry.attempts) == (Outcome.DUPLICATE, 2)
