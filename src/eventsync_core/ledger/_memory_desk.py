from collections.abc import Collection, Sequence

import attrs

from eventsync_core.events import Hold
from eventsync_core.journal import Entry, MemoryJournal
from eventsync_core.ledger._memory import MemoryLedger
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
from eventsync_core.ledger._ranges import in_ranges
from eventsync_core.ledger._reopen import adopt, last_words
from eventsync_core.ledger._rules import LOST_REASON, lost
from eventsync_core.receivers import Outcome

_ALL = 1 << 40
_Place = tuple[str, int]


@attrs.define
class MemoryDesk:
    """`Desk` over a journal and a ledger in memory."""

    journal: MemoryJournal
    ledger: MemoryLedger

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
        """See `Desk.standings`."""
        found = []
        for entry in self.journal.entries(stream, after=after, limit=max(upto - after, 0)):
            row, said = self._row(target_id, entry, at)
            if row is not None and row.outcome in outcomes:
                event = entry.event
                found.append(
                    Standing(
                        position=entry.position,
                        event_id=event.event_id,
                        event_type=event.event_type,
                        captured_at=entry.captured_at,
                        row=row,
                        said=said,
                        is_held=event.hold is not None,
                        is_superseded=self.ledger.is_superseded(stream, entry.position),
                        has_text=entry.has_text,
                    )
                )
        return found

    def _row(self, target_id: str, entry: Entry, at: int) -> tuple[LedgerEntry | None, str]:
        """Return the row of the entry and the words of the last answer."""
        stream, position, ledger = entry.stream, entry.position, self.ledger
        row = ledger.entry(target_id, stream, position)
        carried, is_live = ledger.carried(target_id, stream, at=at)
        guidance = ""
        if position in carried and not is_live:
            request_id = ledger.open_request_id(target_id, stream) or 0
            row, guidance = lost(row, request_id=request_id, at=at), LOST_REASON
        elif row is not None:
            request = ledger.request(row.request_id)
            guidance = request.guidance if request else ""
        if row is None:
            return None, ""
        said = [
            item
            for item in ledger.answers(target_id, stream, position)
            if item.request_id == row.request_id
        ]
        return row, last_words(row, said[-1] if said else None, guidance)

    def busy(self, target_id: str, stream: str, *, at: int) -> Busy | None:
        """See `Desk.busy`."""
        return self.ledger.busy(target_id, stream, at=at)

    def abandoned(self, target_id: str, stream: str, *, at: int) -> Abandoned | None:
        """See `Desk.abandoned`."""
        lease = self.ledger.held(target_id, stream)
        if lease is None or not lease.expires_at or not self.ledger.is_free(lease, at=at):
            return None
        carried, _ = self.ledger.carried(target_id, stream, at=at)
        return Abandoned(lease.holder, len(carried))

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
        """See `Desk.adopt`."""
        known = self.ledger.entry(target_id, stream, position)
        is_there = self.journal.entries(stream, after=position - 1, limit=1)
        adopted = adopt(target_id, row, said, at=at)
        if known is not None or adopted is None or not is_there:
            return False
        self.ledger.take_over((target_id, stream, position), *adopted)
        return True

    def reopen(
        self, lease: Lease, positions: Collection[int], act: Act, *, actor: str, at: int
    ) -> set[int]:
        """See `Desk.reopen`."""
        return self.ledger.reopen(lease, positions, act, actor=actor, at=at)

    def requests_with(
        self, target_id: str, stream: str, position: int, *, limit: int = 1000
    ) -> tuple[list[Request], int]:
        """See `Desk.requests_with`."""
        found = [
            request
            for request in reversed(self.ledger.requests(target_id, stream, limit=_ALL))
            if in_ranges(request.positions, position)
        ]
        return found[-limit:], len(found)


@attrs.define
class MemoryHolds:
    """`Holds` over a journal and a ledger in memory."""

    journal: MemoryJournal
    ledger: MemoryLedger
    _lasting: dict[_Place, Holding] = attrs.field(factory=dict)
    _over: dict[_Place, list[Holding]] = attrs.field(factory=dict)

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
        """See `Holds.hold`."""
        count = 0
        for position in positions:
            if self._present(stream, position) is None:
                self.journal.mark(stream, position, why, reason)
                self._lasting[stream, position] = Holding(
                    hold=why, reason=reason, actor=actor, held_at=at
                )
                count += 1
        return count

    def release(self, stream: str, positions: Sequence[int], *, actor: str, at: int) -> int:
        """See `Holds.release`."""
        count = 0
        for position in positions:
            holding = self._present(stream, position)
            if holding is None:
                continue
            ended = attrs.evolve(holding, released_by=actor, released_at=at)
            self._lasting.pop((stream, position), None)
            self._over.setdefault((stream, position), []).append(ended)
            self.journal.mark(stream, position, None, None)
            self.ledger.owe_everywhere(stream, position, at=at)
            count += 1
        return count

    def held(self, stream: str, hold: Hold, *, after: int = 0, limit: int = 500) -> list[int]:
        """See `Holds.held`."""
        entries = self.journal.entries(stream, after=after, limit=_ALL)
        return [entry.position for entry in entries if entry.event.hold is hold][:limit]

    def holdings(self, stream: str, position: int) -> list[Holding]:
        """See `Holds.holdings`."""
        present = self._present(stream, position)
        return [*self._over.get((stream, position), []), *([present] if present else [])]

    def reasons_of(self, stream: str) -> int:
        """Return how many reasons are noted of holds in the stream, lasting or over."""
        return sum(bool(holding.reason) for _, holding in self._all(stream))

    def silence(self, stream: str) -> None:
        """Forget the reasons that `reasons_of` counts; what is held stays held."""
        for position, holding in self._all(stream):
            silent = attrs.evolve(holding, reason="")
            if holding.released_at is None:
                self.journal.mark(stream, position, holding.hold, "")
                self._lasting[stream, position] = silent
            else:
                over = self._over[stream, position]
                over[over.index(holding)] = silent

    def _all(self, stream: str) -> list[tuple[int, Holding]]:
        return [
            (entry.position, holding)
            for entry in self.journal.entries(stream, limit=_ALL)
            for holding in self.holdings(stream, entry.position)
        ]

    def _present(self, stream: str, position: int) -> Holding | None:
        """Return the hold that lasts; the time of capture is when an event came held."""
        for entry in self.journal.entries(stream, after=position - 1, limit=1):
            event = entry.event
            if event.hold is not None:
                return self._lasting.get((stream, position)) or Holding(
                    hold=event.hold,
                    reason=event.hold_reason or "",
                    actor="",
                    held_at=entry.captured_at,
                )
        return None
