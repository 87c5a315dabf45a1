from collections.abc import Sequence
from typing import Protocol

import attrs

from eventsync_core.events import Family


@attrs.frozen(kw_only=True)
class AuditRecord:
    """
    What is on record of an event that was dropped: everything but what it said.

    `number` counts the rows from 1 as they come, 0 before it is stored. `digest` is the SHA-256
    of the dropped text; `at` is in microseconds since 1970 UTC.
    """

    event_id: str
    event_type: str | None
    family: Family
    stream: str
    reason: str
    digest: bytes
    at: int
    number: int = 0


class Audit(Protocol):
    """Which events were dropped on purpose, for ever; `AuditContract` tests each promise."""

    def record(self, rows: Sequence[AuditRecord]) -> None:
        """
        Add *rows* in their order, each with the next number, whatever number it has.

        An event that is dropped twice has two rows. Rows never change and are never deleted.

        Raises:
            StoreError: None was added.
        """
        ...

    def rows(self, *, after: int = 0, limit: int = 1000) -> list[AuditRecord]:
        """Return up to *limit* rows with a number above *after*, in order."""
        ...

    def count(self) -> int:
        """Return how many rows there are."""
        ...
