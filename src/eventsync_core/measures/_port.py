from collections.abc import Iterable
from typing import Protocol

from eventsync_core.measures._model import Retained, Storage


class Measures(Protocol):
    """
    What status tells of a store; `MeasuresContract` tests each promise.

    No payload is read, and none of it takes longer because more was captured.
    """

    def retained(self) -> list[Retained]:
        """
        Return what each stream that holds entries keeps, in order of their names.

        A payload that went on record is not counted until it comes back.
        """
        ...

    def oldest_kept_at(self) -> int | None:
        """Return when the first entry whose payload is kept was captured, or None."""
        ...

    def oldest_owed_at(self, target_id: str, stream: str) -> int | None:
        """
        Return when the first entry of the stream that the target is still owed was captured.

        One that it holds as pending is not owed, nor is one that is not deliverable; None
        without any.
        """
        ...

    def event_ids(self, stream: str, positions: Iterable[int]) -> dict[int, str]:
        """Return the event id at each of *positions* that holds an entry."""
        ...

    def storage(self) -> Storage | None:
        """Return how the store lies on disk; None: it does not."""
        ...
