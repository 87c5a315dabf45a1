from collections.abc import Sequence
from typing import Protocol

from eventsync_core.events import Event
from eventsync_core.payloads._model import Deed, Kept, Purge, PurgedCounts


class Payloads(Protocol):
    """The texts of entries, and what became of them; `PayloadsContract` tests each promise."""

    def kept(self, stream: str, *, after: int, upto: int) -> list[Kept]:
        """Return the entries above *after*, up to *upto*, whose payload is there, in order."""
        ...

    def purge(self, stream: str, positions: Sequence[int], deed: Deed) -> tuple[int, int]:
        """
        Let the payloads of *positions* go, and return how many went and their bytes of text.

        Each is on record with the deed from then on. Entries, digests, chain and what every
        target said of them stay. An entry without payload is offered to nobody, is owed to
        nobody and makes no other wait. A payload that is not there is not counted.
        """
        ...

    def restore(self, events: Sequence[Event], deed: Deed) -> list[str]:
        """
        Put back the payloads of *events* that are not there or damaged; return the ids of these.

        Only a text whose digest is that of the entry is put back, and never in the place of one
        that has that digest too; where *events* hold several texts of one event, it is found
        among them. What is held stays held. It may be offered again
        wherever it is granted and not settled; where a grant's cursor has passed one that has
        no ledger row, it is owed, due at once.
        """
        ...

    def tombstone(self, stream: str, position: int) -> Purge | None:
        """Return the act by which the entry's payload went, or None: it did not go on record."""
        ...

    def purges(self, *, after: int = 0, limit: int = 1000) -> list[Purge]:
        """Return up to *limit* acts with a number above *after*, in order; numbers grow."""
        ...

    def counts(self, stream: str = "") -> PurgedCounts:
        """Return how many payloads of *stream*, or of all, are gone; reads no entry."""
        ...
