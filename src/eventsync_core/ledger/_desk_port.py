from collections.abc import Collection, Sequence
from typing import Protocol

from eventsync_core.events import Hold
from eventsync_core.ledger._model import (
    Abandoned,
    Act,
    Busy,
    HistoryItem,
    Holding,
    Lease,
    LedgerEntry,
    Request,
    Standing,
)
from eventsync_core.receivers import Outcome


class Desk(Protocol):
    """Answered entries as an operator works through them; `DeskContract` tests each promise."""

    def standings(
        self,
        target_id: str,
        stream: str,
        outcomes: Collection[Outcome],
        *,
        after: int,
        upto: int,
        at: int,
    ) -> list[Standing]:
        """
        Return entries above *after*, up to *upto*, whose last outcome is in *outcomes*.

        In order of position. What the open request of a dead sender carries stands as `lost`
        says, as it will once somebody takes the lease.
        """
        ...

    def busy(self, target_id: str, stream: str, *, at: int) -> Busy | None:
        """Return who holds the lease of the stream to the target, or None: it can be taken."""
        ...

    def abandoned(self, target_id: str, stream: str, *, at: int) -> Abandoned | None:
        """Return the lease that a sender left behind without giving it back, or None."""
        ...

    def reopen(
        self, lease: Lease, positions: Collection[int], act: Act, *, actor: str, at: int
    ) -> set[int]:
        """
        Change those of *positions* that *act* is for, as `reopen` says, and return them.

        Each gets a history item with the act, the actor and what stood before. What was never
        offered, but stands before one of them, is owed too. Without the lease nothing changes.
        """
        ...

    def adopt(
        self,
        target_id: str,
        stream: str,
        position: int,
        row: LedgerEntry,
        said: Sequence[HistoryItem],
        *,
        at: int,
    ) -> bool:
        """
        Take over how the entry stands with the target from what another home told.

        Only what is settled, and where nothing is on record of it; else nothing changes, and
        false. It names no request: those of the other home are none here. Where *said* is
        empty, its history says that it was taken over.
        """
        ...

    def requests_with(
        self, target_id: str, stream: str, position: int, *, limit: int = 1000
    ) -> tuple[list[Request], int]:
        """Return the last *limit* requests that carried the entry, newest last, and their count."""
        ...


class Holds(Protocol):
    """Entries that may not be offered to anyone; `HoldsContract` tests each promise."""

    def hold(
        self,
        stream: str,
        positions: Sequence[int],
        *,
        reason: str,
        actor: str,
        at: int,
        why: Hold = Hold.OPERATOR,
    ) -> int:
        """
        Hold the entries at *positions*, which exist, and return how many were not held before.

        They are offered to nobody; a request on its way is not changed. What is held already
        keeps its reason.
        """
        ...

    def release(self, stream: str, positions: Sequence[int], *, actor: str, at: int) -> int:
        """
        Let the entries at *positions* be offered again and return how many had been held.

        Where a grant's cursor has passed one that has no ledger row, it is owed, due at *at*.
        """
        ...

    def held(self, stream: str, hold: Hold, *, after: int = 0, limit: int = 500) -> list[int]:
        """Return the first positions above *after* that are held for that reason, in order."""
        ...

    def holdings(self, stream: str, position: int) -> list[Holding]:
        """Return every time that the entry was held, oldest first; the last may still last."""
        ...
