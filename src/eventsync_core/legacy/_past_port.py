from collections.abc import Sequence
from typing import Protocol

from eventsync_core.legacy._past import PastDelivery


class Past(Protocol):
    """
    Deliveries that old programs noted, and their names of targets, for ever.

    `PastContract` tests each promise. Nothing of it is a grant.
    """

    def call(self, target_id: str, alias: str, *, at: int) -> bool:
        """
        Remember that an old program called the target *alias*, and say whether that is new.

        Raises:
            UnknownTargetError: The target was never registered.
        """
        ...

    def aliases(self, target_id: str) -> list[str]:
        """Return what old programs called the target, in order."""
        ...

    def called(self, alias: str) -> list[str]:
        """Return the ids of the targets that old programs called *alias*, in order."""
        ...

    def news(self, rows: Sequence[PastDelivery]) -> list[PastDelivery]:
        """
        Return those of *rows* that were not brought before, in order, each once.

        A row is known by its place in its source, and by its content for the same entry and
        target, wherever it stands. Targets and entries are known.
        """
        ...

    def bring(self, rows: Sequence[PastDelivery]) -> int:
        """
        Put *rows* on record, each with an item of history, and return how many are new.

        Each entry then stands in the ledger as `settle_past` says, row by row; one that is not
        among its `news` changes nothing. What was delivered last may have been delivered then. All
        of it is stored, or nothing. The source was noted before; targets and entries are known.
        """
        ...

    def of(self, stream: str, position: int) -> list[PastDelivery]:
        """Return all that was brought of the entry, in the order it was brought."""
        ...
