from collections.abc import Sequence
from typing import Protocol

from eventsync_core.legacy._model import Noted, Provenance, RowKey, SetAside, Stored


class Legacy(Protocol):
    """
    What came from the files of old programs, for ever; `LegacyContract` tests each promise.

    Events themselves stand in the journal.
    """

    def stored(self, event_ids: Sequence[str], *, with_text: bool = False) -> dict[str, Stored]:
        """
        Return those of *event_ids* that the journal knows, purged ones too.

        Their texts are read only *with_text*; without, and of purged ones, they are None.
        """
        ...

    def note(self, noted: Noted, *, at: int) -> None:
        """Put a source on record, or change what is on record of the one at that path."""
        ...

    def sources(self) -> list[Noted]:
        """Return all sources on record, in order of their first note."""
        ...

    def take(self, rows: Sequence[Provenance]) -> int:
        """
        Put on record where events came from and return how many rows are new.

        What is on record of the same content of the same row stays as it is. The source was
        noted before.
        """
        ...

    def known(self, path: str, keys: Sequence[RowKey]) -> set[RowKey]:
        """Return those of *keys* of the source at *path* that are on record by `take`."""
        ...

    def taken(
        self, path: str, part: str, *, after: int = -1, upto: int, limit: int = 1000
    ) -> list[Provenance]:
        """
        Return rows of that part of the source with a number above *after*, up to *upto*.

        In order of their numbers, which may be negative; at most *limit*, and more only to
        bring all contents of the last number.
        """
        ...

    def provenance(self, event_id: str) -> list[Provenance]:
        """Return every place that the event came from."""
        ...

    def set_aside(self, rows: Sequence[SetAside]) -> int:
        """
        Put rows on record with their bytes, each with the next number; return how many are new.

        The same content of the same row stands there once, with what was decided of it. The
        source was noted before.
        """
        ...

    def aside(
        self, *, after: int = 0, limit: int = 1000, is_open_conflict: bool = False
    ) -> list[SetAside]:
        """
        Return up to *limit* rows that were set aside with a number above *after*, in order.

        Without their bytes; with *is_open_conflict* only conflicts that nobody has resolved.
        """
        ...

    def aside_count(self) -> int:
        """Return how many rows were set aside."""
        ...

    def aside_of(self, path: str, keys: Sequence[RowKey]) -> dict[RowKey, SetAside]:
        """Return those of *keys* that were set aside from the source, without their bytes."""
        ...

    def aside_under(self, event_id: str) -> list[SetAside]:
        """Return what was set aside under the id, of any source, in order, without the bytes."""
        ...

    def bytes_of(self, number: int) -> bytes | None:
        """Return the exact bytes of the row that was set aside under *number*, or None."""
        ...

    def open_conflicts(self, path: str | None = None) -> int:
        """Return how many conflicts nobody has resolved, in all or from one source."""
        ...

    def resolve(self, numbers: Sequence[int], resolution: str, *, at: int) -> int:
        """
        Note what was decided of those set aside under *numbers*; return how many were open.

        What was decided before stays.
        """
        ...
