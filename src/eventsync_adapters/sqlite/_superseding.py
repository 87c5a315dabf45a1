from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._keys import Keys
from eventsync_adapters.sqlite._rows import positions_in, read_rows
from eventsync_core.ledger import LedgerEntry, Link, spans, succeed

_OPEN = "SELECT position FROM keyed WHERE stream_id = ? AND key = ? ORDER BY position"
_PUT_OPEN = "INSERT INTO keyed (stream_id, key, position) VALUES (?, ?, ?)"
_DROP_OPEN = "DELETE FROM keyed WHERE stream_id = ? AND key = ? AND position = ?"
# Nothing has a row in the ledger of a target that had neither.
TARGETS = """
SELECT target_no FROM grants WHERE stream_id = ?1
UNION
SELECT target_no FROM leases WHERE stream_id = ?1
"""
FLYING = """
SELECT r.positions FROM leases l CROSS JOIN requests r ON r.request_id = l.open_request
WHERE l.stream_id = ?
"""
_COUNT = """
INSERT INTO supersessions (stream_id, entries) VALUES (?, ?)
ON CONFLICT (stream_id) DO UPDATE SET entries = entries + excluded.entries
"""
_PUT_ROW = "INSERT INTO superseded_rows (target_no, stream_id, position) VALUES (?, ?, ?)"
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
            self._link(stream_id, links, standing, at)
        return Counter(by for _, by in links)

    def _keep_open(
        self, stream_id: int, key: str, before: Sequence[int], after: Sequence[int]
    ) -> None:
        dropped = [(stream_id, key, position) for position in before if position not in after]
        added = [(stream_id, key, position) for position in after if position not in before]
        self._database.run_many(_DROP_OPEN, dropped)
        self._database.run_many(_PUT_OPEN, added)

    def _link(
        self, stream_id: int, links: Sequence[tuple[int, int]], standing: "_Standing", at: int
    ) -> None:
        if not links:
            return
        values = [(stream_id, position, by, at) for position, by in links]
        self._database.run_many(_LINK, values)
        self._database.run(_COUNT, (stream_id, len(links)))
        for position, _ in links:
            for place, row in standing.rows(position):
                self._database.run(_PUT_ROW, (*place, position))
                # Nothing that is superseded comes due.
                key = (*place, row.lane.value, row.due_at, position)
                self._database.run(_DROP_DUE, key)

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
        self._found: list[tuple[tuple[int, int], dict[int, LedgerEntry]]] = []
        if not positions:
            return
        for (carried,) in database.rows(FLYING, (stream_id,)):
            self.in_flight.update(positions_in(carried))
        for (target_no,) in database.rows(TARGETS, (stream_id,)):
            place = (target_no, stream_id)
            self._found.append((place, read_rows(database, place, positions)))

    def rows(self, position: int) -> Iterator[tuple[tuple[int, int], LedgerEntry]]:
        """Yield the entry's rows in the ledger, each after its target and stream."""
        for place, rows in self._found:
            if position in rows:
                yield place, rows[position]

    def entries(self, position: int) -> list[LedgerEntry]:
        """Return the entry's rows in the ledger, of every target."""
        return [row for _, row in self.rows(position)]
