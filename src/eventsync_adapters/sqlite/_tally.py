from collections import Counter
from collections.abc import Sequence

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
_HELD = "SELECT hold, superseded, purged, entries FROM held_counts WHERE stream_id = ?"
_HELD_BELOW = """
SELECT COUNT(*) FROM holds WHERE stream_id = ? AND hold = ? AND position <= ?
"""
_HELD_APART_BELOW = """
SELECT COUNT(*) FROM holds h
WHERE h.stream_id = ?1 AND h.hold = ?2 AND h.position <= ?3
  AND ?4 = EXISTS (SELECT 1 FROM superseded s WHERE s.stream_id = h.stream_id
                                                AND s.position = h.position)
  AND ?5 = EXISTS (SELECT 1 FROM purged g WHERE g.stream_id = h.stream_id
                                            AND g.position = h.position)
"""
_HELD_ROWS = """
SELECT h.hold, l.outcome, r.position <= ?3,
       EXISTS (SELECT 1 FROM superseded s WHERE s.stream_id = r.stream_id
                                            AND s.position = r.position),
       EXISTS (SELECT 1 FROM purged g WHERE g.stream_id = r.stream_id
                                        AND g.position = r.position),
       COUNT(*)
FROM held_rows r CROSS JOIN holds h ON h.stream_id = r.stream_id AND h.position = r.position
                 CROSS JOIN ledger l ON l.target_no = r.target_no AND l.stream_id = r.stream_id
                                    AND l.position = r.position
WHERE r.target_no = ?1 AND r.stream_id = ?2
GROUP BY 1, 2, 3, 4, 5
"""
_GONE = """
SELECT s.entries, COALESCE(c.superseded, 0)
FROM supersessions s LEFT JOIN purged_counts c ON c.stream_id = s.stream_id
WHERE s.stream_id = ?
"""
_GONE_BELOW = """
SELECT COUNT(*), COUNT(g.position)
FROM superseded s LEFT JOIN purged g ON g.stream_id = s.stream_id AND g.position = s.position
WHERE s.stream_id = ? AND s.position <= ?
"""
_GONE_ROWS = """
SELECT l.outcome, l.position <= ?3,
       EXISTS (SELECT 1 FROM purged g WHERE g.stream_id = r.stream_id
                                        AND g.position = r.position),
       COUNT(*)
FROM superseded_rows r CROSS JOIN ledger l ON l.target_no = r.target_no
                                          AND l.stream_id = r.stream_id
                                          AND l.position = r.position
WHERE r.target_no = ?1 AND r.stream_id = ?2
  AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.stream_id = r.stream_id
                                          AND h.position = r.position)
GROUP BY 1, 2, 3
"""
_MARKS = """
SELECT (SELECT hold FROM holds WHERE stream_id = ?1 AND position = ?2),
       EXISTS (SELECT 1 FROM superseded WHERE stream_id = ?1 AND position = ?2),
       EXISTS (SELECT 1 FROM purged WHERE stream_id = ?1 AND position = ?2)
"""
_BELOW = """
SELECT outcome, COUNT(*) FROM ledger WHERE target_no = ? AND stream_id = ? AND position <= ?
GROUP BY outcome
"""
_BELOW_TALLIES = """
SELECT outcome, entries FROM below_tallies WHERE target_no = ? AND stream_id = ?
"""
PURGED = "SELECT entries FROM purged_counts WHERE stream_id = ?"
PURGED_TALLIES = """
SELECT outcome, entries FROM purged_tallies WHERE target_no = ? AND stream_id = ?
"""
PURGED_BELOW = """
SELECT l.outcome, COUNT(*)
FROM purged g LEFT JOIN ledger l ON l.target_no = ?1 AND l.stream_id = g.stream_id
                                AND l.position = g.position
WHERE g.stream_id = ?2 AND g.position <= ?3
GROUP BY l.outcome
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
        below = self._below(place, reach, is_kept=above is None)
        counts = _settle(counts, self._purged(place, reach), reach, below)
        _move(counts, special)
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
        self._add_held(special, place, reach, upto)
        self._add_superseded(special, place, reach)
        self._add_in_flight(special, names, place, at, upto)

    def _add_held(
        self, special: Counter[Facts], place: tuple[int, int], reach: int | None, upto: int
    ) -> None:
        """Count those without a row from counters, and look at the few that have one."""
        counts = self._database.rows(_HELD, (place[1],))
        is_plain = not any(marks[1] or marks[2] for marks in counts if marks[3])
        for hold, *marks, count in counts:
            below = count if reach is None else 0
            if reach and count:
                values = (place[1], hold, reach, *([] if is_plain else marks))
                sql = _HELD_BELOW if is_plain else _HELD_APART_BELOW
                (below,) = self._database.row(sql, values) or (0,)
            special[_facts(None, hold, marks, is_granted=False)] += below
            special[_facts(None, hold, marks, is_granted=True)] += count - below
        rows = self._database.rows(_HELD_ROWS, (*place, upto))
        for hold, word, is_below, gone, purged, count in rows:
            marks = [gone, purged]
            special[_facts(None, hold, marks, is_granted=not is_below)] -= count
            special[_facts(word, hold, marks, is_granted=not is_below)] += count

    def _add_superseded(
        self, special: Counter[Facts], place: tuple[int, int], reach: int | None
    ) -> None:
        """Count those that are not held, which `special` has already: with a row and without."""
        _, stream_id = place
        total, purged = self._database.row(_GONE, (stream_id,)) or (0, 0)
        if not total:
            return
        upto = _EVERYTHING if reach is None else reach
        below, purged_below = total, purged
        if reach is not None:
            found = reach and self._database.row(_GONE_BELOW, (stream_id, reach))
            below, purged_below = found or (0, 0)
        bare = Counter(
            {
                (False, False): below - purged_below,
                (False, True): purged_below,
                (True, False): total - below - purged + purged_below,
                (True, True): purged - purged_below,
            }
        )
        for facts, count in special.items():
            if facts.superseded:
                bare[facts.is_granted, facts.purged] -= count
        for word, is_below, is_purged, count in self._database.rows(_GONE_ROWS, (*place, upto)):
            facts = _facts(word, None, (1, is_purged), is_granted=not is_below)
            special[facts] += count
            bare[facts.is_granted, facts.purged] -= count
        for (is_granted, is_purged), count in bare.items():
            special[Facts(superseded=True, purged=is_purged, is_granted=is_granted)] += count

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
            hold, *marks = self._database.row(_MARKS, (place[1], position)) or (None, 0, 0)
            facts = attrs.evolve(
                _facts(None, hold, marks, is_granted=position > upto),
                outcome=row.outcome if row else None,
            )
            if hold or facts.superseded:
                special[facts] -= 1
            special[attrs.evolve(facts, in_flight=is_live)] += 1

    def _purged(self, place: tuple[int, int], reach: int | None) -> Counter[Facts]:
        """Count the purged entries by outcome, and apart those that the grant does not reach."""
        (total,) = self._database.row(PURGED, (place[1],)) or (0,)
        if not total:
            return Counter()
        rows = self._database.rows(PURGED_TALLIES, place)
        counts = Counter({_outcome(word): count for word, count in rows if word != OWED})
        counts[None] = total - counts.total()
        below = Counter[Outcome | None]()
        if reach is None:
            below = counts.copy()
        elif reach:
            for word, count in self._database.rows(PURGED_BELOW, (*place, reach)):
                below[_outcome(word)] += count
        found = Counter[Facts]()
        for outcome, count in counts.items():
            found[Facts(outcome=outcome, purged=True)] = count - below[outcome]
            found[Facts(outcome=outcome, purged=True, is_granted=False)] = below[outcome]
        return found

    def _below(
        self, place: tuple[int, int], reach: int | None, *, is_kept: bool
    ) -> dict[Outcome | None, int]:
        """Count the entries that the grant does not reach, by outcome; *is_kept*: it is real."""
        if not reach:
            return {}
        rows = self._database.rows(_BELOW_TALLIES, place)
        if not is_kept:
            rows = self._database.rows(_BELOW, (*place, reach))
        counts: dict[Outcome | None, int] = {_outcome(word): count for word, count in rows}
        counts[None] = counts.get(None, 0) + reach - sum(count for _, count in rows)
        return counts


def _settle(
    counts: Counter[Facts],
    purged: Counter[Facts],
    reach: int | None,
    below: dict[Outcome | None, int],
) -> Counter[Facts]:
    """Split what the counters hold into granted and not, and take the purged ones out."""
    if reach is None:
        counts = Counter({attrs.evolve(facts, is_granted=False): n for facts, n in counts.items()})
    for outcome, count in below.items():
        counts[Facts(outcome=outcome)] -= count
        counts[Facts(outcome=outcome, is_granted=False)] += count
    for facts, count in purged.items():
        counts[attrs.evolve(facts, purged=False)] -= count
        counts[facts] += count
    return counts


def _move(counts: Counter[Facts], special: Counter[Facts]) -> None:
    """Take the special ones out of those of which less is said."""
    for facts, count in special.items():
        plain = Facts(outcome=facts.outcome, purged=facts.purged, is_granted=facts.is_granted)
        counts[plain] -= count
        counts[facts] += count


@understood
def _facts(word: str | None, hold: str | None, marks: Sequence[int], *, is_granted: bool) -> Facts:
    superseded, purged = marks
    return Facts(
        outcome=_outcome(word),
        hold=Hold(hold) if hold else None,
        superseded=bool(superseded),
        purged=bool(purged),
        is_granted=is_granted,
    )


@understood
def _outcome(word: str | None) -> Outcome | None:
    return None if word in (None, OWED) else Outcome(word)
