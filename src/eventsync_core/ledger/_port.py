from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from eventsync_core.census import Tally
from eventsync_core.ledger._model import (
    Busy,
    Candidate,
    HistoryItem,
    Holder,
    Lane,
    Lease,
    LedgerEntry,
    Opening,
    Request,
)
from eventsync_core.receivers import Detail, Verdict


class Leases(Protocol):
    """One sender per target and stream; `LeasesContract` tests each promise."""

    def acquire(self, target_id: str, stream: str, holder: Holder, *, at: int) -> Lease | Busy:
        """
        Take the lease for 15 seconds, or say who has it.

        Every lease of a pair carries a higher token than the one before. When it replaces a
        holder whose request is still open, that request is closed and what it carried stands
        as `lost` says.
        """
        ...

    def renew(self, lease: Lease, *, at: int) -> Lease | None:
        """Return the lease for 15 more seconds, or None when somebody else has taken it."""
        ...

    def kept(self, lease: Lease) -> AbstractContextManager[None]:
        """
        Keep renewing the lease every 5 seconds while the block runs, as during a request.

        No lock of the store is held meanwhile. A lease that somebody has taken stays taken.
        """
        ...

    def release(self, lease: Lease) -> None:
        """Give the lease back; without effect when somebody else has taken it."""
        ...

    def in_flight(self, stream: str, *, at: int) -> set[int]:
        """Return the positions that open requests carry, to any target, whose lease is held."""
        ...

    def give_up(self, stream: str, *, at: int) -> None:
        """
        Close the stream's open requests whose lease is held by nobody, as `acquire` does.

        Their senders have lost it then, and what they still hear counts as after a takeover.
        """
        ...


class Ledger(Protocol):
    """What each target said of each entry; `LedgerContract` tests each promise."""

    def open_request(self, lease: Lease, opening: Opening, *, at: int) -> int | None:
        """
        Note that a request is about to leave and return its id, or None: the lease is gone.

        Until it is closed, what it carries is in flight. Ids grow.
        """
        ...

    def close_request(self, lease: Lease, request_id: int, verdict: Verdict, *, at: int) -> bool:
        """
        Fold *verdict* into what the request carried and close it; false if the lease is gone.

        Then only positive acknowledgements are kept. A verdict that the request was withheld
        changes no entry. Words about an entry whose payload was purged with its project are
        not kept, see `silenced`. All of it is stored, or nothing; closing
        a closed request changes nothing. Of a request that is not there, as after a restore,
        nothing is kept, and the answer is false.
        """
        ...

    def park(self, lease: Lease, position: int, detail: Detail, *, at: int) -> None:
        """Make the entry terminal_failed without a request, for the reason in *detail*."""
        ...

    def let_wait(self, lease: Lease, waits: Mapping[int, int]) -> None:
        """Let entries wait behind an earlier one of their aggregate: position to due time."""
        ...

    def pass_over(self, lease: Lease, position: int) -> None:
        """
        Raise the cursor of a live grant to *position*; it never falls.

        Every entry up to it has a ledger row or was not deliverable: one that was released or
        granted since it was looked at is owed from then on.
        """
        ...

    def entry(self, target_id: str, stream: str, position: int) -> LedgerEntry | None:
        """Return where the entry stands with the target; None: never offered there."""
        ...

    def history(self, stream: str, position: int) -> list[HistoryItem]:
        """
        Return all that was said of one entry except plain success, oldest first.

        What operators did to its rows stands among it.
        """
        ...

    def terminal(
        self, target_id: str, stream: str, *, limit: int = 1000
    ) -> list[tuple[int, HistoryItem]]:
        """
        Return position and last answer of entries that are terminal_failed, newest first.

        Each entry once, however often it failed.
        """
        ...

    def requests(self, target_id: str, stream: str, *, limit: int = 100) -> list[Request]:
        """Return the latest requests of the stream to the target, newest first."""
        ...

    def request_count(self, target_id: str, stream: str) -> int:
        """Return how many requests of the stream to the target there were in all."""
        ...

    def last_delivery_at(self, target_id: str) -> int | None:
        """Return when an event was last delivered there, or None."""
        ...


class Backlog(Protocol):
    """
    The journal as one target sees it; `BacklogContract` tests each promise.

    What is superseded is not deliverable, whatever the target.
    """

    def tail(
        self, target_id: str, stream: str, *, max_events: int, max_bytes: int, after: int = 0
    ) -> tuple[list[Candidate], int]:
        """
        Return the first deliverable entries above the grant's cursor and *after*, in order.

        They hold at most *max_events* and *max_bytes*, one separator byte each included, but
        at least one if there is one.
        The second value is the position up to which nothing else was deliverable: raising
        the cursor to it, once these and all up to *after* are recorded, loses nothing; 0 when
        it stands there.
        Without a live grant: none and 0.
        """
        ...

    def due(
        self,
        target_id: str,
        stream: str,
        lane: Lane,
        *,
        now: int,
        after: tuple[int, int],
        max_events: int,
        max_bytes: int,
    ) -> list[Candidate]:
        """
        Return deliverable entries of *lane* that are due at *now*, ordered by (due, position).

        Those due later than `LONGEST_WAIT` from now come of a clock set back, and are due too.

        Only those above *after* in that order, within the same bounds as `tail`.
        """
        ...

    def waiting(
        self, target_id: str, stream: str, aggregates: Iterable[str], *, most: int
    ) -> Mapping[str, Sequence[tuple[int, int]]]:
        """
        Return, per aggregate, deliverable entries that make later ones wait: (position, due at).

        In order of position; of one aggregate at most the first *most*.
        """
        ...

    def deliverable(self, target_id: str, stream: str, positions: Iterable[int]) -> set[int]:
        """Return those of *positions*, which exist, that may still be offered to the target."""
        ...

    def tally(self, target_id: str, stream: str, *, at: int, above: int | None = None) -> Tally:
        """
        Return the stream's entries grouped by what decides their class; reads no payload.

        With *above* as if the stream were granted to the target above that position.
        """
        ...
