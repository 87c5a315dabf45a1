"""What is stored stays as it was, whoever writes to the file."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256

import pytest

from eventsync_core.integrity import verify
from eventsync_core.receivers import RequestRule, Script
from tests.sqlite.conftest import World


@pytest.fixture
def stranger(world: World) -> Iterator[sqlite3.Connection]:
    """Return a plain connection to a store that holds three events."""
    world.capture(3)
    with closing(sqlite3.connect(world.path)) as connection:
        yield connection


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE payloads SET text = '{}'",
        "UPDATE payloads SET entry_id = entry_id + 10",
        "UPDATE OR REPLACE payloads SET text = '{}' WHERE entry_id = 2",
        "UPDATE entries SET entry_id = entry_id + 10",
        "UPDATE entries SET event_id = 'x' WHERE position = 1",
        "UPDATE entries SET position = 9 WHERE position = 3",
        "UPDATE entries SET stream_id = 9",
        "UPDATE entries SET digest = ''",
        "UPDATE entries SET canonical_digest = ''",
        "UPDATE entries SET chain = ''",
        "DELETE FROM entries",
        "DELETE FROM entries WHERE position = 3",
        "UPDATE entries SET producer_no = 1",
        "UPDATE entries SET producer_no = NULL WHERE position = 1",
    ],
)
def test_a_plain_connection_cannot_rewrite(
    world: World, stranger: sqlite3.Connection, statement: str
) -> None:
    """Triggers refuse, and the stream verifies as before."""
    with pytest.raises(sqlite3.IntegrityError, match="never"):
        stranger.execute(statement)
    stranger.rollback()

    assert verify(world.stores.journal, "default").good == 3


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT OR REPLACE INTO payloads SELECT entry_id, '{}' FROM payloads",
        """INSERT OR REPLACE INTO entries
           SELECT entry_id, stream_id, position, 'x', NULL, NULL, 0, 0, '', '', '', NULL
           FROM entries""",
    ],
)
def test_what_replaces_rows_is_found(
    world: World, stranger: sqlite3.Connection, statement: str
) -> None:
    """REPLACE fires no DELETE trigger unless recursive_triggers is on; verify sees it."""
    stranger.execute(statement)
    stranger.commit()

    report = verify(world.stores.journal, "default")

    assert (report.is_intact, report.first_bad) == (False, 1)


def payload_digest(connection: sqlite3.Connection) -> tuple[int, str]:
    """Return how many payloads there are, and one digest over all their bytes."""
    found = sha256()
    rows = connection.execute("SELECT entry_id, CAST(text AS BLOB) FROM payloads ORDER BY entry_id")
    count = 0
    for entry_id, text in rows:
        found.update(f"{entry_id}:{len(text)}:".encode() + text)
        count += 1
    return count, found.hexdigest()


def test_no_drain_touches_a_payload(world: World, stranger: sqlite3.Connection) -> None:
    """After success, duplicates, rejections and faults every stored byte is what it was."""
    world.capture(300, first=10, text="\u00e9\u2028 \U0001f600")
    before = payload_digest(stranger)
    world.receiver.script = Script(
        requests=[RequestRule(status=503), RequestRule(status=400, body='{"error": "no"}')],
        events={"e11": {"status": "rejected", "error": "no"}},
    )

    for _ in range(4):
        world.drain()
        world.clock.advance(10)

    assert before[0] == 303
    assert payload_digest(stranger) == before
    assert verify(world.stores.journal, "default").is_intact
