from collections import Counter

import attrs

from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._errors import understood
from eventsync_adapters.sqlite._keys import Keys
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
SELECT h.hold, l.outcome, h.position <= ?3,
       EXISTS (SELECT 1 FROM superseded s WHERE s.stream_id = h.stream_id
                                            AND s.position = h.position),
       COUNT(*)
FROM holds h LEFT JOIN ledger l ON l.target_no = ?1 AND l.stream_id = h.stream_id
                               AND l.position = h.position
WHERE h.stream_id = ?2
GROUP BY 1, 2, 3, 4
"""
_GONE = "SELECT entries FROM supersessions WHERE stream_id = ?"
_GONE_BELOW = "SELECT COUNT(*) FROM superseded WHERE stream_id = ? AND position <= ?"
_GONE_ROWS = """
SELECT l.outcome, l.position <= ?3, COUNT(*)
FROM superseded_rows r CROSS JOIN ledger l ON l.target_no = r.target_no
                                          AND l.stream_id = r.stream_id
                                          AND l.position = r.position
WHERE r.target_no = ?1 AND r.stream_id = ?2
  AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.stream_id = r.stream_id
                                          AND h.position = r.position)
GROUP BY 1, 2
"""
_MARKS = """
SELECT (SELECT hold FROM holds WHERE stream_id = ?1 AND position = ?2),
       EXISTS (SELECT 1 FROM superseded WHERE stream_id = ?1 AND position = ?2)
"""
_BELOW = """
SELECT outcome, COUNT(*) FROM ledger WHERE target_no = ? AND stream_id = ? AND position <= ?
GROUP BY outcome
"""
_EVERYTHING = 2**62


class Tallying:
    """Groups a stream's entries from kept counters; only exceptions are looked at singly."""

    def __init__(self, database: Database, keys: Keys, leases: SqliteLeases) -> None:
        self._database = database
        self._keys = keys
        self._leases = leases

    def take(self, target_id: str, stream: str, *, at: int, above: int | None = None) -> Tally:
        """See `Backlog.tally`; everything is read from one state of the store."""
        with self._database.snapshot():
            return self._take(target_id, stream, at, above)

    def _take(self, target_id: str, stream: str, at: int, above: int | None) -> Tally:
        target_no, stream_id = self._keys.target(target_id), self._keys.stream(stream)
        if stream_id is None:
            return Tally(captured=0, groups=[])
        # Target 0 does not exist: an unknown one has no grant and no rows.
        place = (target_no or 0, stream_id)
        (captured,) = self._database.row(_HEAD, (stream_id,)) or (0,)
        reach = self._reach(place) if above is None else above
        if reach is not None:
            reach = min(reach, captured)
        counts: Counter[Facts] = Counter()
        special: Counter[Facts] = Counter()
        self._add_special(special, (target_id, stream), place, reach, at)
        rows = self._database.rows(_TALLIES, place)
        counts[Facts(is_granted=True)] = captured - sum(count for _, count in rows)
        for word, count in rows:
            counts[Facts(outcome=_outcome(word))] += count
        counts = _settle(counts, special, reach, self._below(place, reach))
        groups = [Group(facts, count) for facts, count in counts.items() if count]
        return Tally(captured=captured, groups=groups)

    def _reach(self, place: tuple[int, int]) -> int | None:
        """Return the position above which the stream is granted to the target, or None."""
        grant = self._database.row(_GRANT, place)
        return None if grant is None else int(grant[0])

    def _add_special(
        self,
        special: Counter[Facts],
        names: tuple[str, str],
        place: tuple[int, int],
        reach: int | None,
        at: int,
    ) -> None:
        """Count held, superseded and in-flight entries by their own facts."""
        upto = _EVERYTHING if reach is None else reach
        for hold, word, is_below, gone, count in self._database.rows(_HELD, (*place, upto)):
            facts = _facts(word, hold, superseded=gone, is_granted=not is_below)
            special[facts] += count
        self._add_superseded(special, place, reach)
        self._add_in_flight(special, names, place, at, upto)

    def _add_superseded(
        self, special: Counter[Facts], place: tuple[int, int], reach: int | None
    ) -> None:
        """Count those that are not held, which `special` has already: with a row and without."""
        _, stream_id = place
        (total,) = self._database.row(_GONE, (stream_id,)) or (0,)
        if not total:
            return
        upto = _EVERYTHING if reach is None else reach
        below = total
        if reach is not None:
            (below,) = (reach and self._database.row(_GONE_BELOW, (stream_id, reach))) or (0,)
        bare = {False: below, True: total - below}
        for facts, count in special.items():
            if facts.superseded:
                bare[facts.is_granted] -= count
        for word, is_below, count in self._database.rows(_GONE_ROWS, (*place, upto)):
            facts = _facts(word, None, superseded=True, is_granted=not is_below)
            special[facts] += count
            bare[facts.is_granted] -= count
        for is_granted, count in bare.items():
            special[Facts(superseded=True, is_granted=is_granted)] += count

    def _add_in_flight(
        self,
        special: Counter[Facts],
        names: tuple[str, str],
        place: tuple[int, int],
        at: int,
        upto: int,
    ) -> None:
        """Count what an open request carries; it leaves what it was counted as above."""
        positions = self._leases.open_positions(*names)
        if not positions:
            return
        lease = self._leases.held(*names)
        is_live = lease is not None and not self._leases.is_free(lease, at=at)
        rows = read_rows(self._database, place, positions)
        for position in positions:
            row = rows.get(position)
            hold, gone = self._database.row(_MARKS, (place[1], position)) or (None, 0)
            facts = attrs.evolve(
                _facts(None, hold, superseded=gone, is_granted=position > upto),
                outcome=row.outcome if row else None,
            )
            if hold or gone:
                special[facts] -= 1
            special[attrs.evolve(facts, in_flight=is_live)] += 1

    def _below(self, place: tuple[int, int], reach: int | None) -> dict[Outcome | None, int]:
        """Count the entries that the grant does not reach, by outcome."""
        if not reach:
            return {}
        rows = self._database.rows(_BELOW, (*place, reach))
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


@understood
def _facts(word: str | None, hold: str | None, *, superseded: int, is_granted: bool) -> Facts:
    return Facts(
        outcome=_outcome(word),
        hold=Hold(hold) if hold else None,
        superseded=bool(superseded),
        is_granted=is_granted,
    )


@understood
def _outcome(word: str | None) -> Outcome | None:
    return None if word in (None, OWED) else Outcome(word)
