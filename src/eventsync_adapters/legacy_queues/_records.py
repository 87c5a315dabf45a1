from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

from eventsync_adapters.legacy_queues._copy import fingerprint_of
from eventsync_adapters.legacy_queues._databases import Columns, CopiedDatabase, copied
from eventsync_core.legacy import Source
from eventsync_core.migration import BodyRow

_EVENT = "event_id"
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
        with copied(self.path) as database:
            yield TableReading(database, self.part)


class TableReading:
    """A private copy of such a database: a `RowsReading`."""

    def __init__(self, database: CopiedDatabase, part: str) -> None:
        self.fingerprint = database.fingerprint
        counts = dict(database.counts)
        self.waiting = {part: counts.pop(part)} if part in counts else {}
        self.other = {name: count for name, count in counts.items() if count}
        self._database = database
        self._part = part
        self._by_event: dict[Any, list[BodyRow]] | None = None

    @property
    def damage(self) -> str:
        """See `RowsReading.damage`."""
        return self._database.damage

    def rows(self) -> Iterator[BodyRow]:
        """See `RowsReading.rows`."""
        if self.waiting:
            for number, columns in self._database.rows(self._part, _ORDER):
                yield self._row(number, columns)

    def rows_of(self, event_ids: Sequence[str]) -> Iterator[BodyRow]:
        """See `RowsReading.rows_of`."""
        if not self.waiting:
            return
        if not self._database.damage:
            for number, columns in self._database.rows_with(self._part, _EVENT, event_ids):
                yield self._row(number, columns)
            return
        # An index of a damaged file may leave out rows that can be read.
        if self._by_event is None:
            self._by_event = {}
            for row in self.rows():
                name = next((value for column, value in row.columns if column == _EVENT), None)
                self._by_event.setdefault(name, []).append(row)
        for event_id in event_ids:
            yield from self._by_event.get(event_id, ())

    def _row(self, number: int, columns: Columns) -> BodyRow:
        return BodyRow(
            self._part, number, [(name, _plain(value)) for name, value in columns.items()]
        )


def _plain(value: Any) -> Any:
    """Return a value of a column; text and blobs as text, unless they are not UTF-8."""
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value
