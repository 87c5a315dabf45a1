import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs

from eventsync_adapters.legacy_queues._copy import fingerprint_of
from eventsync_adapters.legacy_queues._databases import CopiedDatabase, Copy, copied
from eventsync_adapters.legacy_queues._emptying import DatabaseEmptying, not_emptied
from eventsync_adapters.legacy_queues._tables import Part
from eventsync_core.errors import SourceError
from eventsync_core.legacy import Source, SourceRow
from eventsync_core.migration import TableRow

_PATIENCE_SECONDS = 5.0


@attrs.frozen
class DatabaseSource:
    """
    An old database at *path*, with events in one part, and bodies in others: an `OldSource`.

    With `is_guess` only its tables can say that it is one: without any of them it is foreign.
    """

    path: Path
    source: Source
    events: Part[SourceRow]
    bodies: Sequence[Part[TableRow]] = ()
    is_guess: bool = False

    @property
    def _parts(self) -> Sequence[Part[SourceRow | TableRow]]:
        return self.events, *self.bodies

    def fingerprint(self) -> str:
        """See `OldSource.fingerprint`."""
        return fingerprint_of(self.path)

    @contextmanager
    def reading(self) -> Iterator["DatabaseReading"]:
        """See `OldSource.reading`."""
        with copied(self.path) as found:
            reading = DatabaseReading(found, self.events, self.bodies)
            if self.is_guess and not reading.waiting:
                raise SourceError(f"{self.path}: it has no table of a queue", code="source_foreign")
            yield reading

    @contextmanager
    def emptying(self) -> Iterator[DatabaseEmptying]:
        """See `OldSource.emptying`."""
        if not all(part.is_emptied for part in self._parts):
            raise not_emptied(self.path, "it is only read")
        try:
            connection = sqlite3.connect(
                f"{self.path.as_uri()}?mode=rw",
                uri=True,
                isolation_level=None,
                timeout=_PATIENCE_SECONDS,
            )
        except sqlite3.Error as error:
            raise not_emptied(self.path, error) from error
        with contextlib.closing(connection):
            connection.text_factory = bytes
            yield DatabaseEmptying(self.path, connection, self._parts)


class DatabaseReading(CopiedDatabase):
    """A private copy of an old database: a `Reading`."""

    def __init__(
        self, copy: Copy, events: Part[SourceRow], bodies: Sequence[Part[TableRow]]
    ) -> None:
        super().__init__(copy, (events, *bodies))
        self._events = events
        self._bodies = bodies

    def events(self) -> Iterator[SourceRow]:
        """See `Reading.events`."""
        return self.made(self._events)

    def bodies(self) -> Iterator[TableRow]:
        """See `Reading.bodies`."""
        for part in self._bodies:
            yield from self.made(part)
