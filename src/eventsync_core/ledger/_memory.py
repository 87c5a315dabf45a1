from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

import attrs

from eventsync_core.journal import Journal
from eventsync_core.ledger._model import (
    Act,
    Busy,
    HistoryItem,
    Holder,
    Lease,
    LedgerEntry,
    Opening,
    Request,
)
from eventsync_core.ledger._ranges import read_ranges, write_ranges
from eventsync_core.ledger._reopen import reopen
from eventsync_core.ledger._rules import (
    LEASE_LENGTH,
    LOST_REASON,
    effect_of,
    fold,
    is_kept,
    is_replaceable,
    let_wait,
    lost,
    said_of,
    silenced,
)
from eventsync_core.receivers import Detail, Effect, Outcome, Verdict

_Pair = tuple[str, str]
_Place = tuple[str, str, int]


@attrs.define
class MemoryLedger:
    """
    `Ledger` and `Leases` that live as long as the object.

    `reach(target_id, stream)` tells the position above which the stream is granted, or
    None; `is_alive(holder)` whether the holder of a lease still runs (None: unknown);
    `is_superseded(stream, position)` whether a later event stands for the entry, and `is_erased`
    whether its payload was purged with its project.
    """

    journal: Journal
    reach: Callable[[str, str], int | None]
    boot: str = ""
    is_alive: Callable[[Holder], bool | None] = lambda _: None
    is_superseded: Callable[[str, int], bool] = lambda *_: False
    is_erased: Callable[[str, int], bool] = lambda *_: False
    _entries: dict[_Place, LedgerEntry] = attrs.field(factory=dict)
    _history: dict[tuple[str, int], list[HistoryItem]] = attrs.field(factory=dict)
    _requests: dict[int, Request] = attrs.field(factory=dict)
    _leases: dict[_Pair, Lease] = attrs.field(factory=dict)
    _open: dict[_Pair, int] = attrs.field(factory=dict)
    _cursors: dict[_Pair, int] = attrs.field(factory=dict)
    _delivered_at: dict[str, int] = attrs.field(factory=dict)

    def acquire(self, target_id: str, stream: str, holder: Holder, *, at: int) -> Lease | Busy:
        """See `Leases.acquire`."""
        pair = (target_id, stream)
        held = self._leases.get(pair)
        if held is not None and not self.is_free(held, at=at):
            return Busy(held.holder, held.expires_at)
        token = held.token + 1 if held else 1
        self._give_up_request(pair, at)
        expires_at = at + LEASE_LENGTH
        lease = Lease(
            target_id=target_id, stream=stream, token=token, holder=holder, expires_at=expires_at
        )
        self._leases[pair] = lease
        return lease

    def _give_up_request(self, pair: _Pair, at: int) -> None:
        request_id = self._open.pop(pair, None)
        if request_id is None:
            return
        request = self._requests[request_id]
        for position in read_ranges(request.positions):
            place = (*pair, position)
            self._entries[place] = lost(self._entries.get(place), request_id=request_id, at=at)
        # No row stands above the cursor: what comes before it would not make it wait.
        self._raise_cursor(pair, max(read_ranges(request.positions), default=0), at=at)
        self._requests[request_id] = attrs.evolve(request, answer="lost", guidance=LOST_REASON)

    def renew(self, lease: Lease, *, at: int) -> Lease | None:
        """See `Leases.renew`."""
        if not self._holds(lease):
            return None
        renewed = attrs.evolve(lease, expires_at=at + LEASE_LENGTH)
        self._leases[lease.target_id, lease.stream] = renewed
        return renewed

    def kept(self, lease: Lease) -> AbstractContextManager[None]:
        """See `Leases.kept`: no other process can see this ledger, and nobody waits for it."""
        del lease
        return nullcontext()

    def release(self, lease: Lease) -> None:
        """See `Leases.release`."""
        if self._holds(lease):
            self._leases[lease.target_id, lease.stream] = attrs.evolve(lease, expires_at=0)

    def in_flight(self, stream: str, *, at: int) -> set[int]:
        """See `Leases.in_flight`."""
        found = [self.carried(*pair, at=at) for pair in self._open if pair[1] == stream]
        return {each for carried, is_live in found if is_live for each in carried}

    def carried_anywhere(self, stream: str) -> set[int]:
        """Return the positions that open requests carry, whether their senders live or not."""
        open_ids = [request_id for pair, request_id in self._open.items() if pair[1] == stream]
        return {each for n in open_ids for each in read_ranges(self._requests[n].positions)}

    def give_up(self, stream: str, *, at: int) -> None:
        """See `Leases.give_up`."""
        for pair, lease in list(self._leases.items()):
            if pair[1] == stream and pair in self._open and self.is_free(lease, at=at):
                self._give_up_request(pair, at)
                self._leases[pair] = attrs.evolve(lease, token=lease.token + 1, expires_at=0)

    def _holds(self, lease: Lease) -> bool:
        held = self._leases.get((lease.target_id, lease.stream))
        return held is not None and held.token == lease.token

    def open_request(self, lease: Lease, opening: Opening, *, at: int) -> int | None:
        """See `Ledger.open_request`."""
        if not self._holds(lease):
            return None
        request_id = len(self._requests) + 1
        self._requests[request_id] = Request(
            request_id=request_id,
            target_id=lease.target_id,
            stream=lease.stream,
            positions=write_ranges(opening.positions),
            event_count=len(opening.positions),
            body_bytes=opening.body_bytes,
            digest=opening.digest,
            opened_at=at,
        )
        self._open[lease.target_id, lease.stream] = request_id
        return request_id

    def close_request(self, lease: Lease, request_id: int, verdict: Verdict, *, at: int) -> bool:
        """See `Ledger.close_request`."""
        holds = self._holds(lease)
        request = self._requests.get(request_id)
        if request is None or request.closed_at is not None:
            return holds and request is not None
        positions = read_ranges(request.positions)
        erased = {n for n, each in enumerate(positions) if self.is_erased(lease.stream, each)}
        verdict = silenced(verdict, erased)
        for index, position in enumerate(positions):
            outcome = verdict.outcomes[index]
            place = (lease.target_id, lease.stream, position)
            before = self._entries.get(place)
            if not is_kept(verdict, index, before, request_id, holds=holds):
                continue
            effect = effect_of(verdict, index)
            self._entries[place] = fold(before, outcome, effect, request_id=request_id, at=at)
            detail = said_of(verdict, index)
            if detail is not None:
                self._say(place, request_id, at, outcome, detail)
            if outcome.is_delivered:
                self._delivered_at[lease.target_id] = at
        self._requests[request_id] = attrs.evolve(
            request,
            closed_at=at,
            status=verdict.status,
            answer=verdict.next.value,
            guidance=verdict.guidance,
        )
        if holds:
            self._open.pop((lease.target_id, lease.stream), None)
        return holds

    def park(self, lease: Lease, position: int, detail: Detail, *, at: int) -> None:
        """See `Ledger.park`."""
        if not self._holds(lease):
            return
        place = (lease.target_id, lease.stream, position)
        self._entries[place] = fold(
            self._entries.get(place), Outcome.TERMINAL_FAILED, Effect.NONE, request_id=0, at=at
        )
        self._say(place, 0, at, Outcome.TERMINAL_FAILED, detail)

    def let_wait(self, lease: Lease, waits: Mapping[int, int]) -> None:
        """See `Ledger.let_wait`."""
        if not self._holds(lease):
            return
        for position, due_at in waits.items():
            place = (lease.target_id, lease.stream, position)
            self._entries[place] = let_wait(self._entries.get(place), due_at=due_at)

    def pass_over(self, lease: Lease, position: int) -> None:
        """See `Ledger.pass_over`."""
        if self._holds(lease):
            pair = (lease.target_id, lease.stream)
            self._raise_cursor(pair, position, at=lease.expires_at - LEASE_LENGTH)

    def _raise_cursor(self, pair: _Pair, position: int, *, at: int) -> None:
        reach, cursor = self.reach(*pair), self._cursors.get(pair, 0)
        if reach is None or position <= cursor:
            return
        self._cursors[pair] = position
        above = max(reach, cursor)
        found = self.journal.entries(pair[1], after=above, limit=max(position - above, 0))
        offered = [entry.position for entry in found if entry.event.hold is None]
        self.owe(*pair, offered, at=at)

    def owe(self, target_id: str, stream: str, positions: Iterable[int], *, at: int) -> None:
        """
        Make those of *positions* that were passed over without a row owed, due at *at*.

        What is superseded, or without its payload, is owed to nobody.
        """
        cursor = self._cursors.get((target_id, stream), 0)
        for position in positions:
            place = (target_id, stream, position)
            if position > cursor or self.is_superseded(stream, position):
                continue
            found = self.journal.entries(stream, after=position - 1, limit=1)
            if place not in self._entries and all(entry.has_text for entry in found):
                self._entries[place] = let_wait(None, due_at=at)

    def owe_everywhere(self, stream: str, position: int, *, at: int) -> None:
        """Make the entry owed, as `owe` does, to every target that it may go to."""
        for target_id, where in self._cursors:
            if where == stream:
                self.owe(target_id, stream, [position], at=at)

    def reopen(
        self, lease: Lease, positions: Collection[int], act: Act, *, actor: str, at: int
    ) -> set[int]:
        """See `Desk.reopen`."""
        done = set[int]()
        for position in sorted(positions) if self._holds(lease) else ():
            place = (lease.target_id, lease.stream, position)
            before = self._entries.get(place)
            after = before and reopen(before, act, at=at)
            if before is None or after is None or before.outcome is None:
                continue
            self._entries[place] = after
            item = HistoryItem(
                target_id=lease.target_id,
                request_id=before.request_id,
                at=at,
                outcome=before.outcome,
                act=act,
                actor=actor,
            )
            self._history.setdefault((lease.stream, position), []).append(item)
            done.add(position)
        # What is owed stands behind what was never offered, and not above the cursor.
        self._raise_cursor((lease.target_id, lease.stream), max(done, default=0), at=at)
        return done

    def note(
        self, stream: str, position: int, item: HistoryItem, entry: LedgerEntry | None
    ) -> None:
        """Put *item* into the history of an entry, which stands as *entry* where one is given."""
        self._history.setdefault((stream, position), []).append(item)
        if entry is not None:
            self._entries[item.target_id, stream, position] = entry
        if item.outcome.is_delivered:
            before = self._delivered_at.get(item.target_id, item.at)
            self._delivered_at[item.target_id] = max(before, item.at)

    def take_over(self, place: _Place, row: LedgerEntry, said: Sequence[HistoryItem]) -> None:
        """Note how the entry stands, which has no row."""
        self._entries[place] = row
        self._history.setdefault(place[1:], []).extend(said)

    def _say(
        self, place: _Place, request_id: int, at: int, outcome: Outcome, detail: Detail
    ) -> None:
        item = HistoryItem(
            target_id=place[0],
            request_id=request_id,
            at=at,
            outcome=outcome,
            reason=detail.reason,
            category=detail.category,
        )
        self._history.setdefault(place[1:], []).append(item)

    def entry(self, target_id: str, stream: str, position: int) -> LedgerEntry | None:
        """See `Ledger.entry`."""
        return self._entries.get((target_id, stream, position))

    def history(self, stream: str, position: int) -> list[HistoryItem]:
        """See `Ledger.history`."""
        return list(self._history.get((stream, position), []))

    def terminal(
        self, target_id: str, stream: str, *, limit: int = 1000
    ) -> list[tuple[int, HistoryItem]]:
        """See `Ledger.terminal`."""
        failed = Outcome.TERMINAL_FAILED
        found = [
            (position, said[-1])
            for position, row in self.rows(target_id, stream)
            if row.outcome is failed
            and (
                said := [
                    i for i in self.answers(target_id, stream, position) if i.outcome is failed
                ]
            )
        ]
        found.sort(key=lambda pair: (pair[1].at, pair[0]), reverse=True)
        return found[:limit]

    def answers(self, target_id: str, stream: str, position: int) -> list[HistoryItem]:
        """Return what the target said of the entry alone, oldest first."""
        items = self._history.get((stream, position), [])
        return [item for item in items if item.target_id == target_id and item.act is None]

    def requests(self, target_id: str, stream: str, *, limit: int = 100) -> list[Request]:
        """See `Ledger.requests`."""
        found = [
            request
            for request in reversed(self._requests.values())
            if (request.target_id, request.stream) == (target_id, stream)
        ]
        return found[:limit]

    def request_count(self, target_id: str, stream: str) -> int:
        """See `Ledger.request_count`."""
        return len(self.requests(target_id, stream, limit=len(self._requests)))

    def last_delivery_at(self, target_id: str) -> int | None:
        """See `Ledger.last_delivery_at`."""
        return self._delivered_at.get(target_id)

    def rows(self, target_id: str, stream: str) -> Iterator[tuple[int, LedgerEntry]]:
        """Yield position and row of each entry that has one."""
        for (whose, where, position), row in self._entries.items():
            if (whose, where) == (target_id, stream):
                yield position, row

    def cursor(self, target_id: str, stream: str) -> int:
        """Return the position up to which nothing without a row is deliverable."""
        return self._cursors.get((target_id, stream), 0)

    def open_request_id(self, target_id: str, stream: str) -> int | None:
        """Return the request that left and is not answered yet, or None."""
        return self._open.get((target_id, stream))

    def request(self, request_id: int) -> Request | None:
        """Return the request of that id, or None."""
        return self._requests.get(request_id)

    def busy(self, target_id: str, stream: str, *, at: int) -> Busy | None:
        """See `Desk.busy`."""
        lease = self.held(target_id, stream)
        if lease is None or self.is_free(lease, at=at):
            return None
        return Busy(lease.holder, lease.expires_at)

    def held(self, target_id: str, stream: str) -> Lease | None:
        """Return the lease as it stands, run out or not."""
        return self._leases.get((target_id, stream))

    def is_free(self, lease: Lease, *, at: int) -> bool:
        """Say whether anyone else may take over *lease*."""
        return is_replaceable(lease, at=at, boot=self.boot, is_alive=self.is_alive(lease.holder))

    def words_of(self, stream: str) -> int:
        """Return how many answers on record quote what a target said of the stream's events."""
        items = [
            item for (where, _), said in self._history.items() if where == stream for item in said
        ]
        requests = [each for each in self._requests.values() if each.stream == stream]
        return sum(bool(item.reason) for item in items) + sum(bool(r.guidance) for r in requests)

    def silence(self, stream: str) -> None:
        """Forget the words that `words_of` counts; what came of each entry stays."""
        for (where, position), said in list(self._history.items()):
            if where == stream:
                silent = [attrs.evolve(item, reason="", category=None) for item in said]
                self._history[where, position] = silent
        for number, request in list(self._requests.items()):
            if request.stream == stream:
                self._requests[number] = attrs.evolve(request, guidance="")

    def rows_of(self, stream: str, position: int) -> list[LedgerEntry]:
        """Return the entry's rows, of every target."""
        return [row for place, row in self._entries.items() if place[1:] == (stream, position)]

    def carried(self, target_id: str, stream: str, *, at: int) -> tuple[set[int], bool]:
        """Return the positions that an open request carries, and whether its sender lives."""
        request_id = self._open.get((target_id, stream))
        if request_id is None:
            return set(), False
        is_live = self.busy(target_id, stream, at=at) is not None
        return set(read_ranges(self._requests[request_id].positions)), is_live
