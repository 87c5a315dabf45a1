from collections.abc import Sequence
from typing import Protocol

from eventsync_core.events import Event, Producer
from eventsync_core.journal._model import Appended, Entry, Head


class Journal(Protocol):
    """Keeps events in order, for ever; `JournalContract` tests each promise."""

    def append(
        self, stream: str, events: Sequence[Event], *, at: int, producer: Producer | None = None
    ) -> list[Appended]:
        """
        Append *events* to *stream* and return what became of each, in order.

        All new ones are stored at consecutive positions, or none is. Positions of a stream
        start at 1 and have no gaps. A known id changes nothing stored: see `reconcile`.
        The stored text is the text handed in; *producer* is kept with each new entry.

        Raises:
            StoreError: Nothing was stored.
        """
        ...

    def find(self, event_id: str) -> Entry | None:
        """Return the entry of *event_id*, purged or not, or None."""
        ...

    def entries(
        self, stream: str, *, after: int = 0, limit: int = 1000, max_bytes: int | None = None
    ) -> list[Entry]:
        """
        Return up to *limit* entries of *stream* above position *after*, in order.

        Those without a payload are among them, see `Entry.has_text`.
        With *max_bytes* only as many as have no more text than that together, but at least one.
        """
        ...

    def positions(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[int]:
        """
        Return the positions of up to *limit* entries of *stream* above *after*, in order.

        No entry is read, and it takes no longer because positions are far apart.
        """
        ...

    def chains_before(self, stream: str, position: int, *, reach: int = 2) -> tuple[bytes, ...]:
        """
        Return the chains that the entry at *position* may follow from: see `chains_after`.

        The *reach* entries before it are looked at. None where no entry stands before it, though
        one should.
        """
        ...

    def heads(self) -> list[Head]:
        """
        Return the head of every stream, in order of their names.

        A stream is there once it holds an entry or has handed out a clock.
        """
        ...

    def next_lamport(self, stream: str, *, seen: int = 0) -> int:
        """
        Reserve and return the next clock of *stream*: above all handed out and *seen*.

        No two callers ever get the same number, whatever process they run in.
        """
        ...
