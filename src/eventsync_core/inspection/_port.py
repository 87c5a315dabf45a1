from typing import Protocol

from eventsync_core.inspection._model import Checked, Link, Looked, Mended, Miscount, Place


class Inspection(Protocol):
    """
    Looks at a store as it is found; `InspectionContract` tests each promise.

    Only `mend` changes anything.
    """

    def place(self, event_id: str) -> Place | None:
        """Return where the entry of *event_id* stands, or None; its text is not read."""
        ...

    def dangling(
        self, link: Link, *, after: tuple[int | str, ...] = (), limit: int = 2_000
    ) -> Looked:
        """
        Look at up to *limit* of what *link* names behind *after*, in the order of their keys.

        Those that refer to something that is not there are returned. `passed` are the entries
        that a grant's cursor has passed: each has a ledger row, or is not deliverable.
        """
        ...

    def miscounts(self) -> list[Miscount]:
        """
        Count anew what counters keep, and return those that differ.

        What others change meanwhile is not told as a difference.
        """
        ...

    def check(self, *, seconds: float | None = None, thorough: bool = False) -> Checked:
        """
        Let the storage check itself, for at most *seconds* where it has to be read for that.

        With *thorough* indexes are held against their tables too, which takes longer.
        """
        ...

    def mend(self, *, at: int) -> Mended:
        """
        Let every counter say what is there, and let each `passed` entry without a row be owed.

        What is owed is due at *at*, as is what is open without a time, or with two; what is
        settled is never due, and no grant's cursor lies above the head then. Where nothing
        differs, nothing changes, but counters that stand at zero may go. What says that something
        was held that is not stays as it is, and nothing is owed in its stream.
        """
        ...
