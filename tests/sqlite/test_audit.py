"""What was dropped stays on record, whoever writes to the file and whenever the process dies."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Literal

import pytest

from eventsync_adapters.sqlite import open_for_reading, open_stores
from eventsync_core.capture import CaptureRules, Receipt, capture, capture_many
from eventsync_core.errors import StoreBusyError, StoreNotWritableError, StoreUnreadableError
from eventsync_core.policy import AuditRecord, Mode, OnDiscard
from eventsync_core.stores import Stores
from eventsync_core.testing import EPOCH, CrashingStores, make_envelope, run_until_crash
from tests.sqlite.conftest import World

AUDITING = CaptureRules(mode=Mode.OPT_OUT, on_discard=OnDiscard.AUDIT)


def _dropped(stores: Stores, *event_ids: str) -> list[object]:
    texts = [make_envelope(event_id, event_type="WPCreated") for event_id in event_ids]
    return list(capture_many(stores, texts, at=EPOCH, rules=AUDITING))


def _rows(path: Path) -> list[AuditRecord]:
    stores = open_for_reading(path)
    assert stores is not None
    with stores:
        return stores.audit.rows()


@pytest.fixture
def stranger(world: World) -> sqlite3.Connection:
    """Return a plain connection to a store with three rows."""
    _dropped(world.stores, "e1", "e2", "e3")
    return sqlite3.connect(world.path)


@pytest.mark.requirement("F7")
def test_a_receipt_promises_the_row(world: World) -> None:
    """It is durable, and so is the place of a duplicate; what left no trace promises nothing."""
    capture(world.stores, make_envelope("known"), at=EPOCH)
    texts = [
        make_envelope("e1", event_type="WPCreated"),
        make_envelope("e2", event_type="BuildHeartbeat"),
        make_envelope("known"),
    ]

    results = capture_many(world.stores, texts, at=EPOCH, rules=AUDITING)

    receipts = [result for result in results if isinstance(result, Receipt)]
    assert [(receipt.state, receipt.durable) for receipt in receipts] == [
        ("discarded", True),
        ("discarded", False),
        ("duplicate", True),
    ]
    assert [row.event_id for row in _rows(world.path)] == ["e1"]


def test_in_a_unit_of_the_host_nothing_is_durable_yet(world: World) -> None:
    """The row comes and goes with that unit."""
    with pytest.raises(ZeroDivisionError), world.stores.atomic():  # noqa: PT012 - the unit fails
        (receipt,) = _dropped(world.stores, "e1")
        assert isinstance(receipt, Receipt)
        assert not receipt.durable
        raise ZeroDivisionError

    assert _rows(world.path) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET reason = ''",
        "UPDATE audit SET audit_no = audit_no + 1",
        "UPDATE OR REPLACE audit SET audit_no = 1 WHERE audit_no = 3",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE audit_no = 3",
        "INSERT OR REPLACE INTO audit SELECT audit_no, 'x', NULL, '', '', '', '', 0 FROM audit",
        "INSERT INTO audit SELECT 9, 'x', NULL, '', '', '', '', 0",
    ],
)
def test_a_plain_connection_cannot_rewrite(
    world: World, stranger: sqlite3.Connection, statement: str
) -> None:
    """Rows stay as they are, and their numbers have no gap."""
    before = world.stores.audit.rows()

    with closing(stranger), pytest.raises(sqlite3.IntegrityError, match="never"):
        stranger.execute(statement)

    assert before == _rows(world.path)


def test_a_row_that_makes_no_sense_is_damage(world: World, stranger: sqlite3.Connection) -> None:
    """It is not passed over in silence."""
    with closing(stranger):
        stranger.execute("DROP TRIGGER audit_never_changes")
        stranger.execute("UPDATE audit SET family = 'none' WHERE audit_no = 2")
        stranger.commit()

    with pytest.raises(StoreUnreadableError):
        world.stores.audit.rows()


@pytest.mark.requirement("F7")
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_that_dies_has_dropped_all_on_record_or_nothing(
    path: Path, when: Literal["before", "after"]
) -> None:
    """Whole calls, at the commit of each."""
    with open_stores(path) as stores:
        assert run_until_crash(lambda: _dropped(CrashingStores(stores, 1, when), "e1", "e2"))

    with open_stores(path) as again:
        expected = ["e1", "e2"] if when == "after" else []
        assert [row.event_id for row in again.audit.rows()] == expected
        _dropped(again, "e3")
        assert [row.number for row in again.audit.rows()] == list(range(1, len(expected) + 2))
        assert again.journal.heads() == []


def test_a_busy_store_drops_nothing(world: World) -> None:
    """Whoever captures is told."""
    with closing(sqlite3.connect(world.path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusyError):
            _dropped(world.stores, "e1")

    assert _rows(world.path) == []


def test_a_store_for_reading_records_nothing(world: World) -> None:
    """Nor says that it dropped anything."""
    _dropped(world.stores, "e1")
    stores = open_for_reading(world.path)
    assert stores is not None

    with stores, pytest.raises(StoreNotWritableError):
        _dropped(stores, "e2")

    assert [row.event_id for row in _rows(world.path)] == ["e1"]


def test_two_processes_number_their_rows_in_turn(
    world: World, open_world: Callable[[], World]
) -> None:
    """No number is given twice."""
    other = open_world()
    for number in range(6):
        _dropped((world, other)[number % 2].stores, f"e{number}")

    rows = _rows(world.path)
    assert [(row.number, row.event_id) for row in rows] == [(n + 1, f"e{n}") for n in range(6)]
