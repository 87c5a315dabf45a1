"""Capture within the transaction of a host's own connection."""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from eventsync_adapters.sqlite import join_stores, open_stores
from eventsync_core.capture import capture, capture_many
from eventsync_core.errors import NothingOpenError, StoreFullError, StoreUnreadableError
from eventsync_core.integrity import verify
from eventsync_core.testing import EPOCH


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Return a host's connection to its own database, which has our tables too."""
    path = tmp_path / "host.db"
    open_stores(path).close()
    host = sqlite3.connect(path)
    host.row_factory = sqlite3.Row
    host.execute("CREATE TABLE orders (number INTEGER)")
    host.commit()
    yield host
    host.close()


def stored(path: Path) -> tuple[int, int]:
    """Return how many orders and events are there for somebody else."""
    stranger = sqlite3.connect(path)
    try:
        (orders,) = stranger.execute("SELECT COUNT(*) FROM orders").fetchone()
        (events,) = stranger.execute("SELECT COUNT(*) FROM entries").fetchone()
    finally:
        stranger.close()
    return int(orders), int(events)


def test_event_and_order_are_stored_together(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    """Nothing is committed before the host commits, and the receipt promises nothing yet."""
    connection.execute("INSERT INTO orders VALUES (1)")
    with join_stores(connection) as stores:
        receipt = capture(stores, {"event_id": "e1"}, at=EPOCH)

    assert (receipt.state, receipt.position, receipt.durable) == ("stored", 1, False)
    assert connection.in_transaction
    assert stored(tmp_path / "host.db") == (0, 0)
    connection.commit()
    assert stored(tmp_path / "host.db") == (1, 1)
    assert connection.row_factory is sqlite3.Row


def test_a_host_that_rolls_back_takes_the_event_with_it(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    """And the position is given to the next."""
    connection.execute("INSERT INTO orders VALUES (1)")
    with join_stores(connection) as stores:
        capture(stores, {"event_id": "e1"}, at=EPOCH)
    connection.rollback()

    assert stored(tmp_path / "host.db") == (0, 0)
    with open_stores(tmp_path / "host.db") as own:
        assert capture(own, {"event_id": "e2"}, at=EPOCH).position == 1


def test_an_error_undoes_its_own_part_only(connection: sqlite3.Connection, tmp_path: Path) -> None:
    """What the host wrote stays in its transaction, and so does what was captured before."""
    connection.execute("INSERT INTO orders VALUES (1)")
    with join_stores(connection) as stores:
        capture(stores, {"event_id": "e1"}, at=EPOCH)
        with suppress(ZeroDivisionError), stores.atomic():
            capture_many(stores, [{"event_id": "e2"}, {"event_id": "e3"}], at=EPOCH)
            raise ZeroDivisionError
    connection.commit()

    assert stored(tmp_path / "host.db") == (1, 1)


def test_a_second_store_on_the_file_joins_too(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    """It does not wait for its own thread."""
    connection.execute("INSERT INTO orders VALUES (1)")
    with (
        open_stores(tmp_path / "host.db", busy_seconds=0.05) as other,
        join_stores(connection) as stores,
    ):
        capture(stores, {"event_id": "e1"}, at=EPOCH)
        assert capture(other, {"event_id": "e2"}, at=EPOCH).position == 2
    connection.commit()

    assert stored(tmp_path / "host.db") == (1, 2)


def test_a_transaction_is_needed(connection: sqlite3.Connection) -> None:
    """Without one the first write would be committed by nobody."""
    with pytest.raises(NothingOpenError), join_stores(connection):
        pass


def test_after_the_host_committed_nothing_more_is_written(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    """A commit within the block ends the unit."""
    connection.execute("INSERT INTO orders VALUES (1)")
    with join_stores(connection) as stores:
        connection.commit()
        with pytest.raises(NothingOpenError):
            capture(stores, {"event_id": "e1"}, at=EPOCH)

    assert stored(tmp_path / "host.db") == (1, 0)


def test_tables_must_be_there(tmp_path: Path) -> None:
    """A database of somebody else is not touched."""
    host = sqlite3.connect(tmp_path / "bare.db")
    host.execute("CREATE TABLE t (x)")
    host.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnreadableError), join_stores(host):
        pass
    host.close()


def test_what_the_host_takes_back_is_not_known_any_more(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    """A project's events never stand in another's stream, whatever became of its first ones."""
    connection.execute("BEGIN")
    with join_stores(connection) as stores:
        connection.execute("SAVEPOINT host")
        for number in range(3):
            capture(stores, {"event_id": f"a{number}", "project_uuid": "alpha"}, at=EPOCH)
        connection.execute("ROLLBACK TO host")
        capture(stores, {"event_id": "b1", "project_uuid": "beta"}, at=EPOCH)
        capture(stores, {"event_id": "a1", "project_uuid": "alpha"}, at=EPOCH)
    connection.commit()

    with open_stores(tmp_path / "host.db") as own:
        found = {name: own.journal.find(name) for name in ("a1", "b1")}
        assert {name: entry and entry.stream for name, entry in found.items()} == {
            "a1": "alpha",
            "b1": "beta",
        }
        assert all(verify(own.journal, name).is_intact for name in ("alpha", "beta"))


def test_a_full_disk_ends_the_block(connection: sqlite3.Connection, tmp_path: Path) -> None:
    """The host's whole transaction is gone; a later one is not mistaken for it."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 4}")
    connection.execute("INSERT INTO orders VALUES (1)")
    with join_stores(connection) as stores:
        capture(stores, {"event_id": "e1"}, at=EPOCH)
        with pytest.raises(StoreFullError):
            capture(stores, {"event_id": "e2", "x": "y" * 200_000}, at=EPOCH)
        connection.execute("INSERT INTO orders VALUES (2)")
        with pytest.raises(NothingOpenError):
            capture(stores, {"event_id": "e3"}, at=EPOCH)
    connection.commit()

    assert stored(tmp_path / "host.db") == (1, 0)
    with open_stores(tmp_path / "host.db") as own:
        assert capture(own, {"event_id": "e1"}, at=EPOCH).state == "stored"
        assert verify(own.journal, "default").is_intact


def test_after_the_block_the_stores_are_of_no_use(connection: sqlite3.Connection) -> None:
    """Neither within the host's transaction nor after it."""
    connection.execute("INSERT INTO orders VALUES (1)")
    with join_stores(connection) as stores:
        pass
    for is_committed in (False, True):
        if is_committed:
            connection.commit()
        with pytest.raises(NothingOpenError):
            capture(stores, {"event_id": "e1"}, at=EPOCH)
        with pytest.raises(NothingOpenError):
            stores.journal.heads()


def test_a_store_may_be_opened_while_a_unit_is_open(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    """It sets up its own connection, and then joins the unit."""
    connection.execute("INSERT INTO orders VALUES (1)")
    with join_stores(connection), open_stores(tmp_path / "host.db", durability="normal") as other:
        capture(other, {"event_id": "e1"}, at=EPOCH)
    assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2
    connection.commit()

    assert stored(tmp_path / "host.db") == (1, 1)
