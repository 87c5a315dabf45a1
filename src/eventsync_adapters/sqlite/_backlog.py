from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._damaged import digest_of, text_of
from eventsync_adapters.sqlite._keys import Keys
from eventsync_adapters.sqlite._leases import SqliteLeases
from eventsync_adapters.sqlite._rows import SETTLED
from eventsync_adapters.sqlite._tally import Tallying
from eventsync_core.census import Tally
from eventsync_core.ledger import LONGEST_WAIT, Candidate, Lane, spans

_LATEST = 2**62
_GRANT = """
SELECT from_position, passed FROM grants
WHERE target_no = ? AND stream_id = ? AND revoked_at IS NULL
"""
_HEAD = "SELECT head FROM streams WHERE stream_id = ?"
# What is held is asked of two indexes, so that a damaged one sets nothing free.
TAIL = """
SELECT NULL, e.position, CAST(e.event_id AS BLOB), CAST(p.text AS BLOB), e.size,
       CAST(e.aggregate AS BLOB), CAST(e.digest AS BLOB),
       CAST(e.chain AS BLOB)
FROM entries e CROSS JOIN payloads p ON p.entry_id = e.entry_id
WHERE e.stream_id = ?2 AND e.position > ?3
  AND NOT EXISTS (SELECT 1 FROM ledger l WHERE l.target_no = ?1 AND l.stream_id = e.stream_id
                                           AND l.position = e.position)
  AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.stream_id = e.stream_id
                                          AND h.position = e.position)
  AND NOT EXISTS (SELECT 1 FROM superseded s WHERE s.stream_id = e.stream_id
                                               AND s.position = e.position)
  AND NOT EXISTS (SELECT 1 FROM holds h INDEXED BY holds_again
                  WHERE h.position = e.position AND h.stream_id = e.stream_id)
ORDER BY e.position LIMIT ?4
"""
# A damaged row that is not the ledger's, or is of what is settled there, is taken away by
# nothing: it would be offered again and again, or keep what is behind it waiting.
_IS_OF_LEDGER = f"""
      EXISTS (SELECT 1 FROM ledger l WHERE l.target_no = d.target_no
                  AND l.stream_id = d.stream_id AND l.position = d.position
                  AND l.due_at = d.due_at AND l.outcome NOT IN ({SETTLED}))
"""  # noqa: S608 - made of constants
DUE = f"""
SELECT d.due_at, d.position, CAST(e.event_id AS BLOB), CAST(p.text AS BLOB), e.size,
       CAST(e.aggregate AS BLOB), CAST(e.digest AS BLOB),
       CAST(e.chain AS BLOB)
FROM due d CROSS JOIN entries e ON e.stream_id = d.stream_id AND e.position = d.position
           CROSS JOIN payloads p ON p.entry_id = e.entry_id
WHERE d.target_no = ? AND d.stream_id = ? AND d.lane = ?
  AND (d.due_at, d.position) > (?, ?) AND d.due_at <= ? AND d.position > ?
  AND {_IS_OF_LEDGER}
  AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.stream_id = d.stream_id
                                          AND h.position = d.position)
  AND NOT EXISTS (SELECT 1 FROM superseded s WHERE s.stream_id = d.stream_id
                                               AND s.position = d.position)
  AND NOT EXISTS (SELECT 1 FROM holds h INDEXED BY holds_again
                  WHERE h.position = d.position AND h.stream_id = d.stream_id)
ORDER BY d.due_at, d.position LIMIT ?
"""  # noqa: S608 - made of constants
ANYONE_WAITS = """
SELECT 1 FROM due WHERE target_no = ? AND stream_id = ? AND aggregate > '' LIMIT 1
"""
DELIVERABLE = f"""
SELECT e.position FROM entries e CROSS JOIN payloads p ON p.entry_id = e.entry_id
WHERE e.stream_id = ?2 AND e.position BETWEEN ?3 AND ?4 AND e.position > ?5
  AND NOT EXISTS (SELECT 1 FROM ledger l WHERE l.target_no = ?1 AND l.stream_id = e.stream_id
                                           AND l.position = e.position
                      AND (l.due_at IS NULL OR l.outcome IN ({SETTLED})))
  AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.stream_id = e.stream_id
                                          AND h.position = e.position)
  AND NOT EXISTS (SELECT 1 FROM superseded s WHERE s.stream_id = e.stream_id
                                               AND s.position = e.position)
  AND NOT EXISTS (SELECT 1 FROM holds h INDEXED BY holds_again
                  WHERE h.position = e.position AND h.stream_id = e.stream_id)
"""  # noqa: S608 - made of constants
WAITING = f"""
SELECT d.position, d.due_at FROM due d
WHERE d.target_no = ? AND d.stream_id = ? AND d.aggregate = ? AND d.position > ?
  AND {_IS_OF_LEDGER}
  AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.stream_id = d.stream_id
                                          AND h.position = d.position)
  AND NOT EXISTS (SELECT 1 FROM superseded s WHERE s.stream_id = d.stream_id
                                               AND s.position = d.position)
  AND NOT EXISTS (SELECT 1 FROM purged g WHERE g.stream_id = d.stream_id
                                           AND g.position = d.position)
ORDER BY d.position LIMIT ?
"""  # noqa: S608 - made of constants


class SqliteBacklog:
    """A `Backlog` over the journal's and the ledger's tables; never scans the journal."""

    def __init__(self, database: Database, keys: Keys, leases: SqliteLeases) -> None:
        self._database = database
        self._keys = keys
        self._tallying = Tallying(database, keys, leases)

    def _reach(self, target_no: int | None, stream_id: int | None) -> tuple[int, int] | None:
        row = self._database.row(_GRANT, (target_no, stream_id))
        return None if row is None else (int(row[0]), int(row[1]))

    def tail(
        self, target_id: str, stream: str, *, max_events: int, max_bytes: int, after: int = 0
    ) -> tuple[list[Candidate], int]:
        """See `Backlog.tail`."""
        target_no, stream_id = self._keys.target(target_id), self._keys.stream(stream)
        reach = self._reach(target_no, stream_id)
        if reach is None or stream_id is None:
            return [], 0
        (head,) = self._database.row(_HEAD, (stream_id,)) or (0,)
        above = max(*reach, after)
        values = (target_no, stream_id, above, max_events + 1)
        chosen, following = _within(self._database.each(TAIL, values), max_events, max_bytes)
        if following is not None:
            return chosen, following - 1
        return chosen, int(head) if head > above else 0

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
        target_no, stream_id = self._keys.target(target_id), self._keys.stream(stream)
        reach = self._reach(target_no, stream_id)
        if reach is None or stream_id is None:
            return []
        place = (target_no, stream_id, lane.value)
        absurd = max(after, (now + LONGEST_WAIT, _LATEST))
        rows = _one_after_another(
            self._database.each(DUE, (*place, *after, now, reach[0], max_events)),
            self._database.each(DUE, (*place, *absurd, _LATEST, reach[0], max_events)),
        )
        return _within(rows, max_events, max_bytes)[0]

    def waiting(
        self, target_id: str, stream: str, aggregates: Iterable[str], *, most: int
    ) -> Mapping[str, Sequence[tuple[int, int]]]:
        """See `Backlog.waiting`."""
        target_no, stream_id = self._keys.target(target_id), self._keys.stream(stream)
        reach = self._reach(target_no, stream_id)
        if reach is None or stream_id is None:
            return {}
        if self._database.row(ANYONE_WAITS, (target_no, stream_id)) is None:
            return {}
        found = {}
        for name in set(aggregates):
            values = (target_no, stream_id, name, reach[0], most)
            rows = self._database.rows(WAITING, values)
            if rows:
                found[name] = [(position, due_at) for position, due_at in rows]
        return found

    def deliverable(self, target_id: str, stream: str, positions: Iterable[int]) -> set[int]:
        """See `Backlog.deliverable`."""
        place = (self._keys.target(target_id), self._keys.stream(stream))
        reach = self._reach(*place)
        if reach is None:
            return set()
        found: set[int] = set()
        for span in spans(positions):
            rows = self._database.rows(DELIVERABLE, (*place, *span, reach[0]))
            found.update(position for (position,) in rows)
        return found

    def tally(self, target_id: str, stream: str, *, at: int, above: int | None = None) -> Tally:
        """See `Backlog.tally`."""
        return self._tallying.take(target_id, stream, at=at, above=above)


def _one_after_another(*parts: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    for part in parts:
        yield from part


def _within(
    rows: Iterator[tuple[Any, ...]], max_events: int, max_bytes: int
) -> tuple[list[Candidate], int | None]:
    """Take rows while they fit, at least one; the second value is the first left out."""
    chosen, following = _take(rows, max_events, max_bytes)
    return [
        Candidate(
            position=position,
            event_id=text_of(event_id),
            text=text_of(text),
            size=size,
            digest=digest_of(digest),
            chain=digest_of(chain),
            aggregate=None if aggregate is None else text_of(aggregate),
            due_at=due_at,
        )
        for due_at, position, event_id, text, size, aggregate, digest, chain in chosen
    ], following


def _take(
    rows: Iterator[tuple[Any, ...]], max_events: int, max_bytes: int
) -> tuple[list[tuple[Any, ...]], int | None]:
    """Read as fast as can be: until the last row is read, nobody can commit."""
    chosen: list[tuple[Any, ...]] = []
    total = 0
    for row in rows:
        total += row[4] + 1
        if chosen and (total > max_bytes or len(chosen) == max_events):
            rows.close()  # type: ignore[attr-defined]
            return chosen, row[1]
        chosen.append(row)
    return chosen, None
