from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import attrs

from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._keys import Keys
from eventsync_adapters.sqlite._rows import owe, read_rows, store_rows
from eventsync_core.events import Event
from eventsync_core.ledger import spans
from eventsync_core.payloads import Act, Deed, Kept, Purge, PurgedCounts

_IDS_AT_ONCE = 500
KEPT = """
SELECT e.position, e.event_id, e.event_type, e.captured_at, e.size
FROM entries e CROSS JOIN payloads p ON p.entry_id = e.entry_id
WHERE e.stream_id = ? AND e.position > ? AND e.position <= ? ORDER BY e.position
"""
_ALL_TARGETS = "SELECT target_no, target_id FROM targets"
DELIVERED = """
SELECT position FROM ledger
WHERE target_no = ? AND stream_id = ? AND position > ? AND position <= ?
  AND outcome IN ('success', 'duplicate')
"""
_PRESENT = """
SELECT e.position, e.size FROM entries e CROSS JOIN payloads p ON p.entry_id = e.entry_id
WHERE e.stream_id = ? AND e.position BETWEEN ? AND ? ORDER BY e.position
"""
_PERMIT = "UPDATE purging SET stream_id = ? WHERE only_row = 1"
_DELETE = """
DELETE FROM payloads WHERE entry_id IN (
    SELECT entry_id FROM entries WHERE stream_id = ? AND position BETWEEN ? AND ?)
"""
_TOMBSTONES = """
INSERT INTO purged (stream_id, position, purge_no)
SELECT stream_id, position, ? FROM entries WHERE stream_id = ? AND position BETWEEN ? AND ?
"""
_OUTCOMES = """
SELECT outcome, COUNT(*) FROM ledger
WHERE target_no = ? AND stream_id = ? AND position BETWEEN ? AND ? GROUP BY outcome
"""
_TALLY = """
INSERT INTO purged_tallies (target_no, stream_id, outcome, entries) VALUES (?, ?, ?, ?)
ON CONFLICT (target_no, stream_id, outcome) DO UPDATE SET entries = entries + excluded.entries
"""
_SUPERSEDED_SPAN = """
SELECT position FROM superseded WHERE stream_id = ? AND position BETWEEN ? AND ?
"""
_DROP_DUE = """
DELETE FROM due
WHERE target_no = ? AND stream_id = ? AND lane = ? AND due_at = ? AND position = ?
"""
_COUNT = """
INSERT INTO purged_counts (stream_id, entries, bytes, archived, superseded)
VALUES (?, ?, ?, ?, ?)
ON CONFLICT (stream_id) DO UPDATE SET
    entries = entries + excluded.entries, bytes = bytes + excluded.bytes,
    archived = archived + excluded.archived, superseded = superseded + excluded.superseded
"""
_DEED = "SELECT purge_no FROM purges WHERE at = ? AND act = ? AND detail = ? AND actor = ?"
_LAST = "SELECT COALESCE(MAX(purge_no), 0) FROM purges"
_NEW_DEED = """
INSERT INTO purges (purge_no, act, actor, at, detail, events, bytes) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_MORE = "UPDATE purges SET events = events + ?, bytes = bytes + ? WHERE purge_no = ?"
_STANDING = """
SELECT e.event_id, e.digest, e.entry_id, e.stream_id, e.position, e.size, u.act, h.position,
       CAST(p.text AS BLOB), typeof(p.text) = 'text'
FROM entries e
LEFT JOIN payloads p ON p.entry_id = e.entry_id
LEFT JOIN purged g ON g.stream_id = e.stream_id AND g.position = e.position
LEFT JOIN purges u ON u.purge_no = g.purge_no
LEFT JOIN holds h ON h.stream_id = e.stream_id AND h.position = e.position
WHERE e.event_id IN ({})
"""
_NAME_AGAIN = "UPDATE entries SET aggregate = ? WHERE entry_id = ?"
_PUT_BACK = "INSERT INTO payloads (entry_id, text) VALUES (?, ?)"
_RETAINED = """
UPDATE streams SET kept = kept + 1, kept_bytes = kept_bytes + ? WHERE stream_id = ?
"""
_FORGET = "DELETE FROM purged WHERE stream_id = ? AND position = ?"
_PASSED = "SELECT target_no, passed FROM grants WHERE stream_id = ?"
_COLUMNS = "SELECT u.purge_no, u.act, u.actor, u.at, u.detail, u.events, u.bytes FROM purges u "
_ONE = (
    _COLUMNS + "JOIN purged g ON g.purge_no = u.purge_no WHERE g.stream_id = ? AND g.position = ?"
)
_PAGE = _COLUMNS + "WHERE u.purge_no > ? ORDER BY u.purge_no LIMIT ?"
_COUNTS_OF = "SELECT entries, bytes, archived FROM purged_counts WHERE stream_id = ?"
_COUNTS = "SELECT SUM(entries), SUM(bytes), SUM(archived) FROM purged_counts"


@attrs.frozen
class _Standing:
    """
    A row of `_STANDING`: an entry and the bytes of its payload, None where there is none.

    `act` is that by which it went; None: it did not go on record.
    """

    event_id: str
    digest: str
    entry_id: int
    stream_id: int
    position: int
    size: int
    act: str | None
    held: int | None
    text: bytes | None
    is_text: int

    def lacks(self, event: Event) -> bool:
        """Say whether the text of *event* is not what is stored."""
        return not (self.is_text and self.text == event.text.encode())


class SqlitePayloads:
    """`Payloads` in the tables payloads, purged, purges and their counters."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    def kept(self, stream: str, *, after: int, upto: int) -> list[Kept]:
        """See `Payloads.kept`."""
        stream_id = self._keys.stream(stream)
        rows = self._database.rows_of_words(KEPT, (stream_id, after, upto))
        if not rows:
            return []
        have = defaultdict[int, set[str]](set)
        for target_no, target_id in self._database.rows(_ALL_TARGETS):
            values = (target_no, stream_id, after, upto)
            for (position,) in self._database.rows(DELIVERED, values):
                have[position].add(target_id)
        return [
            Kept(
                position=position,
                event_id=event_id,
                event_type=event_type,
                captured_at=captured_at,
                size=size,
                delivered_to=frozenset(have[position]),
            )
            for position, event_id, event_type, captured_at, size in rows
        ]

    def purge(self, stream: str, positions: Sequence[int], deed: Deed) -> tuple[int, int]:
        """See `Payloads.purge`."""
        with self._database.write():
            stream_id = self._keys.stream(stream)
            there: dict[int, int] = {}
            for span in spans(sorted(set(positions))):
                there.update(self._database.rows(_PRESENT, (stream_id, *span)))
            if stream_id is None or not there:
                return 0, 0
            with self._permitted(stream_id):
                for span in spans(there):
                    self._database.run(_DELETE, (stream_id, *span))
            # On a full disk the pages that were freed above are what these rows are written to.
            self._drop_due(stream_id, list(there))
            size = sum(there.values())
            number = self.note(deed, len(there), size)
            for span in spans(there):
                self._database.run(_TOMBSTONES, (number, stream_id, *span))
            self._tally(stream_id, list(there), 1)
            self._count(stream_id, there, deed.act, 1)
            return len(there), size

    @contextmanager
    def _permitted(self, stream_id: int) -> Iterator[None]:
        self._database.run(_PERMIT, (stream_id,))
        yield
        self._database.run(_PERMIT, (0,))

    def _targets(self) -> list[int]:
        return [target_no for target_no, _ in self._database.rows(_ALL_TARGETS)]

    def _drop_due(self, stream_id: int, positions: Sequence[int]) -> None:
        for target_no in self._targets():
            place = (target_no, stream_id)
            rows = read_rows(self._database, place, positions)
            self._database.run_many(
                _DROP_DUE,
                [
                    (*place, row.lane.value, row.due_at, position)
                    for position, row in rows.items()
                    if row.due_at is not None
                ],
            )

    def _tally(self, stream_id: int, positions: Sequence[int], sign: int) -> None:
        for target_no in self._targets():
            for span in spans(positions):
                rows = self._database.rows(_OUTCOMES, (target_no, stream_id, *span))
                changes = [(target_no, stream_id, word, sign * count) for word, count in rows]
                self._database.run_many(_TALLY, changes)

    def _count(self, stream_id: int, sizes: dict[int, int], act: Act, sign: int) -> None:
        superseded = len(self._superseded(stream_id, list(sizes)))
        archived = len(sizes) if act is Act.ARCHIVE else 0
        changes = (len(sizes), sum(sizes.values()), archived, superseded)
        self._database.run(_COUNT, (stream_id, *(sign * change for change in changes)))

    def _superseded(self, stream_id: int, positions: Sequence[int]) -> set[int]:
        return {
            position
            for span in spans(positions)
            for (position,) in self._database.rows(_SUPERSEDED_SPAN, (stream_id, *span))
        }

    def note(self, deed: Deed, events: int, size: int) -> int:
        """Put on record that so much more went, or came back, by *deed*; return its number."""
        row = self._database.row(_DEED, (deed.at, deed.act.value, deed.detail, deed.actor))
        if row is not None:
            self._database.run(_MORE, (events, size, row[0]))
            return int(row[0])
        (last,) = self._database.row(_LAST) or (0,)
        said = (deed.act.value, deed.actor, deed.at, deed.detail)
        self._database.run(_NEW_DEED, (last + 1, *said, events, size))
        return int(last) + 1

    def restore(self, events: Sequence[Event], deed: Deed) -> list[str]:
        """See `Payloads.restore`."""
        # An event may be given in several texts: the digest says which is the captured one.
        given = {(event.event_id, event.digest.hex()): event for event in events}
        ids = list(dict.fromkeys(event.event_id for event in events))
        with self._database.write():
            found = [
                (gone, event)
                for start in range(0, len(ids), _IDS_AT_ONCE)
                for gone in self._standing(ids[start : start + _IDS_AT_ONCE])
                if (event := given.get((gone.event_id, gone.digest))) and gone.lacks(event)
            ]
            for gone, event in found:
                self._put_back(gone, event, at=deed.at)
            if found:
                self.note(deed, len(found), sum(gone.size for gone, _ in found))
        returned = {gone.event_id for gone, _ in found}
        return [event_id for event_id in ids if event_id in returned]

    def _standing(self, ids: Sequence[str]) -> list[_Standing]:
        query = _STANDING.format(",".join("?" * len(ids)))
        return [_Standing(*row) for row in self._database.rows(query, ids)]

    def _put_back(self, gone: _Standing, event: Event, *, at: int) -> None:
        stream_id, position = gone.stream_id, gone.position
        if gone.act is not None:
            # It may have been erased with its project.
            self._database.run(_NAME_AGAIN, (event.aggregate, gone.entry_id))
            self._tally(stream_id, [position], -1)
            self._count(stream_id, {position: gone.size}, Act(gone.act), -1)
        if gone.text is not None:
            with self._permitted(stream_id):
                self._database.run(_DELETE, (stream_id, position, position))
        self._database.run(_PUT_BACK, (gone.entry_id, event.text))
        self._database.run(_RETAINED, (gone.size, stream_id))
        self._database.run(_FORGET, (stream_id, position))
        if not self._superseded(stream_id, [position]):
            for target_no in self._targets():
                place = (target_no, stream_id)
                rows = read_rows(self._database, place, [position])
                store_rows(self._database, place, rows, rows)
        if gone.held is None:
            for target_no, passed in self._database.rows(_PASSED, (stream_id,)):
                below = [position] if position <= passed else []
                owe(self._database, (target_no, stream_id), below, at=at)

    def tombstone(self, stream: str, position: int) -> Purge | None:
        """See `Payloads.tombstone`."""
        row = self._database.row(_ONE, (self._keys.stream(stream), position))
        return None if row is None else _purge(*row)

    def purges(self, *, after: int = 0, limit: int = 1000) -> list[Purge]:
        """See `Payloads.purges`."""
        return [_purge(*row) for row in self._database.rows(_PAGE, (after, limit))]

    def counts(self, stream: str = "") -> PurgedCounts:
        """See `Payloads.counts`."""
        if stream:
            row = self._database.row(_COUNTS_OF, (self._keys.stream(stream),))
        else:
            row = self._database.row(_COUNTS)
        events, size, archived = row or (0, 0, 0)
        return PurgedCounts(events=events or 0, size=size or 0, archived=archived or 0)


def _purge(
    number: int, act: str, actor: str, at: int, detail: str, events: int, size: int
) -> Purge:
    deed = Deed(act=Act(act), actor=actor, at=at, detail=detail)
    return Purge(number=number, deed=deed, events=events, size=size)
