from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import attrs

from eventsync_core.legacy import Source
from eventsync_core.migration._columns import TableRow


class RowsReading(Protocol):
    """One table of a database as it stood at one moment; nothing is written to the file."""

    @property
    def fingerprint(self) -> str:
        """What the file's parts looked like at that moment."""
        ...

    @property
    def damage(self) -> str:
        """What is wrong with the file, in a line; what could be read was read all the same."""
        ...

    @property
    def waiting(self) -> Mapping[str, int]:
        """How many rows stand in the table, by its name; -1: nobody can tell."""
        ...

    @property
    def other(self) -> Mapping[str, int]:
        """How many rows stand in tables that are not read, by their names."""
        ...

    def rows(self) -> Iterator[TableRow]:
        """Yield its rows, each once, with all columns there are."""
        ...

    def rows_of(self, event_ids: Sequence[str]) -> Iterator[TableRow]:
        """Yield those of its rows that name one of the events, as `rows` does."""
        ...


class OldTable(Protocol):
    """A table in a database of an old program, which is read, and never emptied."""

    @property
    def source(self) -> Source:
        """What it is."""
        ...

    def fingerprint(self) -> str:
        """Return what the file's parts look like now, without opening any; empty if untold."""
        ...

    def reading(self) -> AbstractContextManager[RowsReading]:
        """
        Read a private copy of the file for the length of the block.

        Raises:
            SourceError: It cannot be read now; it was not changed.
        """
        ...


@attrs.frozen(kw_only=True)
class OldRecords:
    """
    What old programs noted beside events, each None where there is none.

    Their `targets`, the `ledger` of deliveries to these, and the `audit` of a migration of theirs.
    """

    targets: OldTable | None = None
    ledger: OldTable | None = None
    audit: OldTable | None = None

    @property
    def tables(self) -> Sequence[OldTable]:
        """All that there are, in the order they are read."""
        return [each for each in (self.targets, self.ledger, self.audit) if each is not None]
