from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from eventsync_core.legacy import RowKey, Source, SourceRow
from eventsync_core.migration._columns import TableRow


class Left(NamedTuple):
    """A source after its clean-up: its fingerprint, empty where none can be had, and its rows."""

    fingerprint: str
    rows: int


class Reading(Protocol):
    """One source as it stood at one moment; nothing is written to the file itself."""

    @property
    def fingerprint(self) -> str:
        """What the file's parts looked like at that moment; empty if it may change unseen."""
        ...

    @property
    def damage(self) -> str:
        """What is wrong with the file, in a line; what could be read was read all the same."""
        ...

    @property
    def kept_because(self) -> str:
        """Why no row may be deleted from the file, in a line; empty where rows may be."""
        ...

    @property
    def waiting(self) -> Mapping[str, int]:
        """How many rows stand in the parts that are read, by their names; -1: nobody can tell."""
        ...

    @property
    def other(self) -> Mapping[str, int]:
        """How many rows stand in tables that are not read, by their names."""
        ...

    def events(self) -> Iterator[SourceRow]:
        """Yield the rows that hold events, in the order they were queued, and each once."""
        ...

    def bodies(self) -> Iterator[TableRow]:
        """Yield the rows of the body queue, in the order they were made, then its failure log."""
        ...


class Emptying(Protocol):
    """A source that is open for its clean-up."""

    def remove(self, keys: Sequence[RowKey]) -> int:
        """
        Delete those rows whose bytes are still the same, and return how many.

        In a database all in one transaction. Nothing else in the source changes.

        Nothing else is deleted or changed with them.

        Raises:
            SourceError: None was deleted, or of a file of lines not all.
        """
        ...

    def settle(self) -> Left:
        """
        Return how the source stands at one moment.

        Whatever is written to it later is not as this fingerprint says.
        """
        ...


class OldSource(Protocol):
    """A file of an old program that may hold rows."""

    @property
    def source(self) -> Source:
        """What it is."""
        ...

    def fingerprint(self) -> str:
        """Return what the file's parts look like now, without opening any; empty if untold."""
        ...

    def reading(self) -> AbstractContextManager[Reading]:
        """
        Read a private copy of the file for the length of the block, without changing it.

        Raises:
            SourceError: It cannot be read now; it was not changed.
        """
        ...

    def emptying(self) -> AbstractContextManager[Emptying]:
        """
        Open the file for its clean-up, for the length of the block; it is never removed.

        Raises:
            SourceError: Nothing can be deleted there.
        """
        ...
