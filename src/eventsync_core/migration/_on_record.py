"""What is on record of rows before a migration deals with them."""

from collections.abc import Sequence

from eventsync_core.legacy import Became, RowKey, SetAside, Why
from eventsync_core.stores import Stores


def on_record(
    stores: Stores | None, path: str, keys: Sequence[RowKey]
) -> set[tuple[RowKey, Became]]:
    """Return what became of those of *keys* of the source at *path* that are on record."""
    if stores is None:
        return set()
    found = {(key, Became.DEDUPLICATED) for key in stores.legacy.known(path, keys)}
    aside = stores.legacy.aside_of(path, keys)
    return found | {(key, _became(row)) for key, row in aside.items()}


def _became(row: SetAside) -> Became:
    if row.resolution:
        return Became.RESOLVED
    return Became.CONFLICT if row.why is Why.CONFLICT else Became.QUARANTINED
