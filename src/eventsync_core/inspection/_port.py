from typing import Protocol

from eventsync_core.inspection._model import Link, Looked, Miscount, Place


class Inspection(Protocol):
    """Looks at a store as it is found, and changes nothing; `InspectionContract` tests it."""

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
