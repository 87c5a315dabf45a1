from collections import Counter

import attrs

from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._keys import POSITIONS, Keys
from eventsync_adapters.sqlite._leases import SqliteLeases
from eventsync_adapters.sqlite._rows import OWED, read_rows
from eventsync_core.census import Facts, Group, Tally
from eventsync_core.events import Hold
from eventsync_core.receivers import Outcome

_HEAD = "SELECT head FROM streams WHERE stream_id = ?"
_GRANT = """
SELECT from_position FROM grants WHERE target_no = ? AND stream_id = ? AND revoked_at IS NULL
"""
_TALLIES = "SELECT outcome, entries FROM tallies WHERE target_no = ? AND stream_id = ?"
_HELD = """
SELECT h.hold, l.outcome, h.entry_id <= ?, COUNT(*)
FROM holds h LEFT JOIN ledger l ON l.target_no = ? AND l.entry_id = h.entry_id
WHERE h.entry_id > ? AND h.entry_id < ?
GROUP BY 1, 2, 3
"""
_HOLD = "SELECT hold FROM holds WHERE entry_id = ?"
_BELOW = """
SELECT outcome, COUNT(*) FROM ledger WHERE target_no = ? AND entry_id > ? AND entry_id <= ?
GROUP BY outcome
"""


class Tallying:
    """Groups a stream's entries from kept counters; only exceptions are looked at singly."""

    def __init__(self, database: Database, keys: Keys, leases: SqliteLeases) -> None:
        self._database = database
        self._keys = keys
        self._leases = leases

    def take(self, target_id: str, stream: str, *, at: int) -> Tally:
        """See `Backlog.tally`."""
        target_no, stream_id = self._keys.target(target_id), self._keys.stream(stream)
        if stream_id is None:
            return Tally(captured=0, groups=[])
        base = stream_id * POSITIONS
        (captured,) = self._database.row(_HEAD, (stream_id,)) or (0,)
        grant = self._database.row(_GRANT, (target_no, stream_id))
        reach = None if grant is None else int(grant[0])
        counts: Counter[Facts] = Counter()
        special: Counter[Facts] = Counter()
        self._add_special(special, target_id, stream, target_no, base, reach, at)
        rows = self._database.rows(_TALLIES, (target_no, stream_id))
        counts[Facts(is_granted=True)] = captured - sum(count for _, count in rows)
        for word, count in rows:
            counts[Facts(outcome=_outcome(word))] += count
        counts = _settle(counts, special, reach, self._below(target_no, base, reach))
        groups = [Group(facts, count) for facts, count in counts.items() if count]
        return Tally(captured=captured, groups=groups)

    def _add_special(
        self,
        special: Counter[Facts],
        target_id: str,
        stream: str,
        target_no: int,
        base: int,
        reach: int | None,
        at: int,
    ) -> None:
        """Count held and in-flight entries by their own facts."""
        upto = base + (reach if reach is not None else POSITIONS - 1)
        for hold, word, is_below, count in self._database.rows(
            _HELD, (upto, target_no, base, base + POSITIONS)
        ):
            facts = Facts(outcome=_outcome(word), hold=Hold(hold), is_granted=not is_below)
            special[facts] += count
        positions = self._leases.open_positions(target_id, stream)
        if not positions:
            return
        lease = self._leases.held(target_id, stream)
        is_live = lease is not None and not self._leases.is_free(lease, at=at)
        entry_ids = [base + position for position in positions]
        rows = read_rows(self._database, target_no, entry_ids)
        for entry_id in entry_ids:
            row = rows.get(entry_id)
            held = self._database.row(_HOLD, (entry_id,))
            facts = Facts(
                outcome=row.outcome if row else None,
                hold=Hold(held[0]) if held else None,
                is_granted=entry_id > upto,
            )
            if held:
                special[facts] -= 1
            special[attrs.evolve(facts, in_flight=is_live)] += 1

    def _below(self, target_no: int, base: int, reach: int | None) -> dict[Outcome | None, int]:
        """Count the entries that the grant does not reach, by outcome."""
        if not reach:
            return {}
        rows = self._database.rows(_BELOW, (target_no, base, base + reach))
        counts: dict[Outcome | None, int] = {_outcome(word): count for word, count in rows}
        counts[None] = counts.get(None, 0) + reach - sum(count for _, count in rows)
        return counts


def _settle(
    counts: Counter[Facts],
    special: Counter[Facts],
    reach: int | None,
    below: dict[Outcome | None, int],
) -> Counter[Facts]:
    """Split what the counters hold into granted and not, and take the special ones out."""
    if reach is None:
        counts = Counter({attrs.evolve(facts, is_granted=False): n for facts, n in counts.items()})
    for outcome, count in below.items():
        counts[Facts(outcome=outcome)] -= count
        counts[Facts(outcome=outcome, is_granted=False)] += count
    for facts, count in special.items():
        counts[Facts(outcome=facts.outcome, is_granted=facts.is_granted)] -= count
        counts[facts] += count
    return counts


def _outcome(word: str | None) -> Outcome | None:
    return None if word in (None, OWED) else Outcome(word)


