from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._keys import Keys
from eventsync_adapters.sqlite._rows import read_rows
from eventsync_core.ledger import LedgerEntry, Link, read_ranges, spans, succeed

_OPEN = "SELECT position FROM keyed WHERE stream_id = ? AND key = ? ORDER BY position"
_PUT_OPEN = "INSERT INTO keyed (stream_id, key, position) VALUES (?, ?, ?)"
_DROP_OPEN = "DELETE FROM keyed WHERE stream_id = ? AND key = ? AND position = ?"
# Nothing has a row in the ledger of a target that never had a lease.
SENDERS = """
SELECT l.target_no, r.positions
FROM leases l LEFT JOIN requests r ON r.request_id = l.open_request WHERE l.stream_id = ?
"""
_LINK = """
INSERT INTO superseded (stream_id, position, superseded_by, superseded_at) VALUES (?, ?, ?, ?)
"""
_DROP_DUE = """
DELETE FROM due
WHERE target_no = ? AND stream_id = ? AND lane = ? AND due_at = ? AND position = ?
"""
SUPERSEDED = """
SELECT position, superseded_by, superseded_at FROM superseded
WHERE stream_id = ? AND position BETWEEN ? AND ?
"""
SUPERSEDES = """
SELECT position, superseded_by, superseded_at FROM superseded
WHERE stream_id = ? AND superseded_by = ? ORDER BY position
"""


class SqliteSuperseding:
    """`Superseding` in the tables keyed and superseded."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    def supersede(self, stream: str, keys: Mapping[int, str], *, at: int) -> Mapping[int, int]:
        """See `Superseding.supersede`."""
        newcomers: defaultdict[str, list[int]] = defaultdict(list)
        for position, key in sorted(keys.items()):
            newcomers[sha256(key.encode("ascii")).hexdigest()].append(position)
        with self._database.write():
            stream_id = self._keys.stream_for_writing(stream)
            earlier = {
                key: [position for (position,) in self._database.rows(_OPEN, (stream_id, key))]
                for key in newcomers
            }
            standing = _Standing(self._database, stream_id, earlier.values())
            links: list[tuple[int, int]] = []
            for key, positions in newcomers.items():
                rows = {position: standing.entries(position) for position in earlier[key]}
                succession = succeed(positions, rows, standing.in_flight)
                links += succession.links
                self._keep_open(stream_id, key, earlier[key], succession.open)
            values = [(stream_id, position, by, at) for position, by in links]
            self._database.run_many(_LINK, values)
            self._database.run_many(_DROP_DUE, standing.due(position for position, _ in links))
        return Counter(by for _, by in links)

    def _keep_open(
        self, stream_id: int, key: str, before: Sequence[int], after: Sequence[int]
    ) -> None:
        dropped = [(stream_id, key, position) for position in before if position not in after]
        added = [(stream_id, key, position) for position in after if position not in before]
        self._database.run_many(_DROP_OPEN, dropped)
        self._database.run_many(_PUT_OPEN, added)

    def superseded(self, stream: str, positions: Iterable[int]) -> Mapping[int, Link]:
        """See `Superseding.superseded`."""
        stream_id = self._keys.stream(stream)
        return {
            row[0]: Link(*row)
            for span in spans(positions)
            for row in self._database.rows(SUPERSEDED, (stream_id, *span))
        }

    def supersedes(self, stream: str, position: int) -> Sequence[Link]:
        """See `Superseding.supersedes`."""
        place = (self._keys.stream(stream), position)
        return [Link(*row) for row in self._database.rows(SUPERSEDES, place)]


class _Standing:
    """How entries of one stream stand with all its targets, read at once."""

    def __init__(self, database: Database, stream_id: int, groups: Iterable[Sequence[int]]) -> None:
        positions = sorted(position for group in groups for position in group)
        self.in_flight: set[int] = set()
        self._places: list[tuple[int, int]] = []
        self._rows: list[dict[int, LedgerEntry]] = []
        if not positions:
            return
        for target_no, carried in database.rows(SENDERS, (stream_id,)):
            self.in_flight.update(read_ranges(carried or ""))
            self._places.append((target_no, stream_id))
            self._rows.append(read_rows(database, self._places[-1], positions))

    def entries(self, position: int) -> list[LedgerEntry]:
        """Return the entry's rows in the ledger, of every target."""
        return [rows[position] for rows in self._rows if position in rows]

    def due(self, positions: Iterable[int]) -> Iterator[tuple[Any, ...]]:
        """Yield the keys of the rows in which *positions* are due somewhere."""
        for position in positions:
            for place, rows in zip(self._places, self._rows, strict=True):
                row = rows.get(position)
                if row is not None and row.due_at is not None:
                    yield (*place, row.lane.value, row.due_at, position)
