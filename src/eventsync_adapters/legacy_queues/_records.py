from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import attrs

from eventsync_adapters.legacy_queues._copy import fingerprint_of
from eventsync_adapters.legacy_queues._databases import CopiedDatabase, Copy, copied
from eventsync_adapters.legacy_queues._tables import Part
from eventsync_adapters.legacy_queues._values import whole_row
from eventsync_core.legacy import Source
from eventsync_core.migration import TableRow

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
        part = Part(name=self.part, make=make, order=_ORDER, is_emptied=False)
        with copied(self.path) as found:
            yield TableReading(found, part)


class TableReading(CopiedDatabase):
    """A private copy of such a database: a `RowsReading`."""

    def __init__(self, copy: Copy, part: Part[TableRow]) -> None:
        super().__init__(copy, (part,))
        self._part = part

    def rows(self) -> Iterator[TableRow]:
        """See `RowsReading.rows`."""
        return self.made(self._part)
