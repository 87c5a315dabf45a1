from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import attrs

from eventsync_adapters.legacy_queues._copy import fingerprint_of
from eventsync_adapters.legacy_queues._databases import CopiedDatabase, Copy, copied
from eventsync_adapters.legacy_queues._tables import Part
from eventsync_adapters.legacy_queues._values import whole_row
from eventsync_core.legacy import Source
from eventsync_core.migration import TableRow, folded

_EVENT = "event_id"
_NEEDED = {"delivery_ledger": "status", "delivery_targets": "canonical_url"}
_ORDER = ("first_attempted_at", "event_id")


@attrs.frozen
class TableSource:
    """The table *part* of the database at *path*, which is only ever read: an `OldTable`."""

    path: Path
    source: Source
    part: str

    def fingerprint(self) -> str:
        """See `OldTable.fingerprint`."""
        return fingerprint_of(self.path)

    @contextmanager
    def reading(self) -> Iterator["TableReading"]:
        """See `OldTable.reading`."""
        make = partial(whole_row, self.part)
        needed = _NEEDED.get(self.part, "")
        part = Part(name=self.part, make=make, order=_ORDER, needed=needed, is_emptied=False)
        with copied(self.path) as found:
            yield TableReading(found, part)


class TableReading(CopiedDatabase):
    """A private copy of such a database: a `RowsReading`."""

    def __init__(self, copy: Copy, part: Part[TableRow]) -> None:
        super().__init__(copy, (part,))
        self._part = part
        self._by_event: dict[Any, list[TableRow]] | None = None

    def rows(self) -> Iterator[TableRow]:
        """See `RowsReading.rows`."""
        return self.made(self._part)

    def rows_of(self, event_ids: Sequence[str]) -> Iterator[TableRow]:
        """See `RowsReading.rows_of`."""
        self._examine()
        if not self.damage:
            yield from self.made_of(self._part, _EVENT, event_ids)
            return
        # An index of a damaged file may leave out rows that can be read.
        if self._by_event is None:
            self._by_event = {}
            for row in self.rows():
                name = next(
                    (value for column, value in row.columns if folded(column) == _EVENT), None
                )
                self._by_event.setdefault(name, []).append(row)
        for event_id in event_ids:
            yield from self._by_event.get(event_id, ())
