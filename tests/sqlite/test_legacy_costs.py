"""What every status asks of migrated rows costs the same, however many there are."""

from pathlib import Path

from eventsync_adapters.sqlite import SqliteStores, open_stores
from eventsync_core.legacy import Kind, Noted, Provenance, RowKey, SetAside, Source, Why

SOURCE = Source(path="/old/queue.db", kind=Kind.QUEUE)


def _take(stores: SqliteStores, first: int, last: int) -> None:
    """Take rows, and set a fifth as many aside because they hold no event."""
    keys = [RowKey("queue", number, number.to_bytes(32, "big")) for number in range(first, last)]
    with stores.atomic():
        stores.legacy.note(Noted(source=SOURCE), at=1)
        stores.legacy.take(
            [
                Provenance(
                    path=SOURCE.path,
                    key=key,
                    event_id=f"e{key.row}",
                    queued_at=1,
                    retry_count=0,
                    taken_at=1,
                )
                for key in keys
            ]
        )
        stores.legacy.set_aside(
            [
                SetAside(
                    path=SOURCE.path,
                    key=key._replace(part="bad"),
                    event_id="",
                    why=Why.NOT_JSON,
                    detail="not JSON",
                    size=1,
                    at=1,
                    raw=b"x",
                )
                for key in keys[::5]
            ]
        )


def _steps(stores: SqliteStores) -> int:
    """Return how many steps of SQLite's machine status and an idle migration take."""
    connection, legacy = stores._database.connection, stores.legacy
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    connection.set_progress_handler(count, 1)
    legacy.sources()
    legacy.aside_count()
    legacy.open_conflicts()
    legacy.open_conflicts(SOURCE.path)
    legacy.aside(limit=1_000, is_open_conflict=True)
    connection.set_progress_handler(None, 1)
    return steps


def test_status_costs_the_same_after_ten_thousand_rows(tmp_path: Path) -> None:
    """Counted in steps, not in time."""
    with open_stores(tmp_path / "eventsync.db") as stores:
        _take(stores, 0, 100)
        few = _steps(stores)
        _take(stores, 100, 10_000)

        assert _steps(stores) <= 1.1 * few
