from collections.abc import Iterable, Mapping, Sequence

import attrs

from eventsync_core.census import Facts, Group, Tally
from eventsync_core.journal import Entry, Journal
from eventsync_core.ledger._memory import MemoryLedger
from eventsync_core.ledger._memory_superseding import MemorySuperseding
from eventsync_core.ledger._model import Candidate, Lane
from eventsync_core.ledger._rules import LONGEST_WAIT

_ALL = 1 << 40


@attrs.define
class MemoryBacklog:
    """`Backlog` over a journal, a ledger and the supersessions in memory."""

    journal: Journal
    ledger: MemoryLedger
    superseding: MemorySuperseding

    def _is_offered(self, entry: Entry) -> bool:
        """Say whether the entry may be offered to anyone."""
        is_superseded = self.superseding.is_superseded(entry.stream, entry.position)
        return entry.event.hold is None and entry.has_text and not is_superseded

    def tail(
        self, target_id: str, stream: str, *, max_events: int, max_bytes: int, after: int = 0
    ) -> tuple[list[Candidate], int]:
        """See `Backlog.tail`."""
        reach = self.ledger.reach(target_id, stream)
        if reach is None:
            return [], 0
        above = max(self.ledger.cursor(target_id, stream), reach, after)
        entries = self.journal.entries(stream, after=above, limit=_ALL)
        found = [
            Candidate(
                position=entry.position,
                event_id=entry.event.event_id,
                text=entry.event.text,
                size=entry.event.size,
                digest=entry.event.digest,
                chain=entry.chain,
                aggregate=entry.event.aggregate,
            )
            for entry in entries
            if self._is_offered(entry)
            and self.ledger.entry(target_id, stream, entry.position) is None
        ]
        chosen = _within(found, max_events, max_bytes)
        if len(chosen) == len(found):
            return chosen, entries[-1].position if entries else 0
        return chosen, found[len(chosen)].position - 1

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
        """See `Backlog.due`."""
        reach = self.ledger.reach(target_id, stream)
        if reach is None:
            return []
        places = sorted(
            (row.due_at, position)
            for position, row in self.ledger.rows(target_id, stream)
            if row.due_at is not None
            and not now < row.due_at <= now + LONGEST_WAIT
            and row.lane is lane
        )
        found = []
        for due_at, position in places:
            (entry,) = self.journal.entries(stream, after=position - 1, limit=1)
            if (due_at, position) > after and position > reach and self._is_offered(entry):
                found.append(
                    Candidate(
                        position=position,
                        event_id=entry.event.event_id,
                        text=entry.event.text,
                        size=entry.event.size,
                        digest=entry.event.digest,
                        chain=entry.chain,
                        aggregate=entry.event.aggregate,
                        due_at=due_at,
                    )
                )
        return _within(found, max_events, max_bytes)

    def waiting(
        self, target_id: str, stream: str, aggregates: Iterable[str], *, most: int
    ) -> Mapping[str, Sequence[tuple[int, int]]]:
        """See `Backlog.waiting`."""
        wanted, found = set(aggregates), dict[str, list[tuple[int, int]]]()
        reach = self.ledger.reach(target_id, stream)
        for position, row in sorted(self.ledger.rows(target_id, stream)):
            (entry,) = self.journal.entries(stream, after=position - 1, limit=1)
            name = entry.event.aggregate
            if reach is None or position <= reach or not self._is_offered(entry):
                continue
            if name in wanted and name and row.due_at is not None and row.makes_wait:
                found.setdefault(name, []).append((position, row.due_at))
        return {name: places[:most] for name, places in found.items()}

    def deliverable(self, target_id: str, stream: str, positions: Iterable[int]) -> set[int]:
        """See `Backlog.deliverable`."""
        reach, found = self.ledger.reach(target_id, stream), set[int]()
        for position in positions if reach is not None else ():
            (entry,) = self.journal.entries(stream, after=position - 1, limit=1)
            row = self.ledger.entry(target_id, stream, position)
            is_settled = row is not None and row.is_settled
            if position > (reach or 0) and self._is_offered(entry) and not is_settled:
                found.add(position)
        return found

    def tally(self, target_id: str, stream: str, *, at: int, above: int | None = None) -> Tally:
        """See `Backlog.tally`."""
        reach = self.ledger.reach(target_id, stream) if above is None else above
        carried, is_live = self.ledger.carried(target_id, stream, at=at)
        groups = []
        for entry in self.journal.entries(stream, limit=_ALL):
            row = self.ledger.entry(target_id, stream, entry.position)
            facts = Facts(
                outcome=row.outcome if row else None,
                in_flight=is_live if entry.position in carried else None,
                superseded=self.superseding.is_superseded(stream, entry.position),
                purged=entry.is_purged,
                hold=entry.event.hold,
                is_granted=reach is not None and entry.position > reach,
            )
            groups.append(Group(facts, 1))
        return Tally(captured=len(groups), groups=groups)


def _within(found: list[Candidate], max_events: int, max_bytes: int) -> list[Candidate]:
    """Return as many from the front as fit with one separator each, at least one."""
    chosen: list[Candidate] = []
    size = 0
    for candidate in found[:max_events]:
        size += candidate.size + 1
        if chosen and size > max_bytes:
            break
        chosen.append(candidate)
    return chosen
