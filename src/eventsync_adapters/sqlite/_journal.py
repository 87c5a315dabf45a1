from collections.abc import Callable, Iterator, Sequence
from typing import Any

from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._damaged import digest_of, text_of
from eventsync_adapters.sqlite._entries import ENTRY, SIZE, TEXT, entry_of, readable_entry
from eventsync_adapters.sqlite._errors import bytes_in, words_in
from eventsync_adapters.sqlite._keys import Keys
from eventsync_core.errors import StoreUnreadableError
from eventsync_core.events import Event, Producer
from eventsync_core.journal import (
    Appended,
    Entry,
    Head,
    Known,
    chain_next,
    chains_after,
    reconcile,
)

_IDS_AT_ONCE = 500
_HEAD = """
SELECT head, chain, (SELECT COALESCE(MAX(entry_id), 0) FROM entries) FROM streams
WHERE stream_id = ?
"""
_RAISE_HEAD = """
UPDATE streams SET head = ?, chain = ?, kept = kept + ?, kept_bytes = kept_bytes + ?
WHERE stream_id = ?
"""
# A head that says, untruly, that there is nothing hides no entry.
_HEADS = """
SELECT stream, head, chain, lamport FROM streams
WHERE head > 0 OR lamport > 0
   OR EXISTS (SELECT 1 FROM entries e WHERE e.stream_id = streams.stream_id)
ORDER BY stream
"""
_KNOWN = """
SELECT e.event_id, s.stream, e.position, e.canonical_digest,
       NOT EXISTS (SELECT 1 FROM payloads p WHERE p.entry_id = e.entry_id)
FROM entries e JOIN streams s ON s.stream_id = e.stream_id
WHERE e.event_id IN ({})
"""
_NEW_ENTRY = """
INSERT INTO entries (entry_id, stream_id, position, event_id, event_type, aggregate, captured_at,
                     size, digest, canonical_digest, chain, producer_no)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_NEW_PAYLOAD = "INSERT INTO payloads (entry_id, text) VALUES (?, ?)"
_NEW_HOLD = """
INSERT INTO holds (stream_id, position, hold, reason, held_at) VALUES (?, ?, ?, ?, ?)
"""
_BY_ID = ENTRY + "WHERE e.event_id = ?"
_PAGE = ENTRY + "WHERE e.stream_id = ? AND e.position > ? ORDER BY e.position LIMIT ?"
_POSITIONS = """
SELECT position FROM entries WHERE stream_id = ? AND position > ? ORDER BY position LIMIT ?
"""
_BEFORE = """
SELECT position, CAST(event_id AS BLOB), CAST(digest AS BLOB), CAST(chain AS BLOB) FROM entries
WHERE stream_id = ? AND position BETWEEN ? AND ? ORDER BY position
"""
_LAMPORT = "SELECT lamport FROM streams WHERE stream_id = ?"
_RAISE_LAMPORT = "UPDATE streams SET lamport = ? WHERE stream_id = ?"


class SqliteJournal:
    """A `Journal` in the tables streams, entries, payloads and holds."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    def append(
        self, stream: str, events: Sequence[Event], *, at: int, producer: Producer | None = None
    ) -> list[Appended]:
        """See `Journal.append`."""
        with self._database.write():
            stream_id = self._keys.stream_for_writing(stream)
            known = self._known([event.event_id for event in events])
            head, chain, last = self._database.row(_HEAD, (stream_id,)) or (0, "", 0)
            if head < 0:
                raise StoreUnreadableError(f"{self._database.path} is damaged")
            new = _NewRows(stream, stream_id, at, head, bytes_in(chain), last)
            if producer is not None:
                new.producer_no = self._keys.producer_for_writing(producer)
            results = []
            for event in events:
                before = known.get(event.event_id) or new.known(event.event_id)
                results.append(reconcile(before, event) if before else new.add(event))
            if new.entries:
                # One that comes after its entry counts as one that was gone and is restored.
                self._database.run_many(_NEW_PAYLOAD, new.payloads)
                self._database.run_many(_NEW_ENTRY, new.entries)
                if new.holds:
                    self._database.run_many(_NEW_HOLD, new.holds)
                kept = (len(new.payloads), new.size_bytes)
                self._database.run(_RAISE_HEAD, (new.position, new.chain.hex(), *kept, stream_id))
            return results

    def _known(self, event_ids: Sequence[str]) -> dict[str, Known]:
        found = {}
        for start in range(0, len(event_ids), _IDS_AT_ONCE):
            some = event_ids[start : start + _IDS_AT_ONCE]
            query = _KNOWN.format(",".join("?" * len(some)))
            for event_id, stream, position, digest, is_gone in self._database.rows(query, some):
                place = (event_id, stream, position)
                found[event_id] = Known(*place, bytes_in(digest), bool(is_gone))
        return found

    def find(self, event_id: str) -> Entry | None:
        """See `Journal.find`."""
        found = self._entries(lambda: self._database.rows(_BY_ID, (event_id,)))
        return found[0] if found else None

    def entries(
        self, stream: str, *, after: int = 0, limit: int = 1000, max_bytes: int | None = None
    ) -> list[Entry]:
        """See `Journal.entries`."""
        stream_id = self._keys.stream(stream)
        if stream_id is None:
            return []
        values = (stream_id, after, limit)
        if max_bytes is None:
            return self._entries(lambda: self._database.rows(_PAGE, values))
        return self._entries(lambda: _within(self._database.each(_PAGE, values), max_bytes))

    def _entries(self, read: Callable[[], list[tuple[Any, ...]]]) -> list[Entry]:
        """Return the entries of the rows that *read* reads; what one lacks hides no other."""
        try:
            return [entry_of(row) for row in read()]
        except StoreUnreadableError:
            with self._database.lenient():
                rows = read()
        return [readable_entry(row, f"{self._database.path} is damaged") for row in rows]

    def positions(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[int]:
        """See `Journal.positions`."""
        values = (self._keys.stream(stream), after, limit)
        return [position for (position,) in self._database.rows(_POSITIONS, values)]

    def chains_before(self, stream: str, position: int, *, reach: int = 2) -> tuple[bytes, ...]:
        """See `Journal.chains_before`."""
        values = (self._keys.stream(stream), position - reach, position - 1)
        rows = [
            (place, text_of(event_id), digest_of(digest), digest_of(chain))
            for place, event_id, digest, chain in self._database.rows(_BEFORE, values)
        ]
        if position > 1 and [row[0] for row in rows[-1:]] != [position - 1]:
            return ()
        return chains_after(stream, rows)

    def heads(self) -> list[Head]:
        """See `Journal.heads`."""
        return [
            Head(words_in(stream), head, bytes_in(chain), lamport)
            for stream, head, chain, lamport in self._database.rows(_HEADS)
        ]

    def next_lamport(self, stream: str, *, seen: int = 0) -> int:
        """See `Journal.next_lamport`."""
        with self._database.write():
            stream_id = self._keys.stream_for_writing(stream)
            (largest,) = self._database.row(_LAMPORT, (stream_id,)) or (0,)
            clock = max(int(largest), seen) + 1
            self._database.run(_RAISE_LAMPORT, (clock, stream_id))
            return clock


class _NewRows:
    """The rows of one append; plain tuples, because this is the hot path of bulk capture."""

    def __init__(
        self, stream: str, stream_id: int, at: int, position: int, chain: bytes, last: int
    ) -> None:
        self.stream = stream
        self.stream_id = stream_id
        self.at = at
        self.position = position
        self.chain = chain
        self.producer_no: int | None = None
        self.size_bytes = 0
        self._offset = last - position
        self.entries: list[tuple[Any, ...]] = []
        self.payloads: list[tuple[int, str]] = []
        self.holds: list[tuple[Any, ...]] = []
        self._added: dict[str, Event] = {}
        self._first = position + 1

    def known(self, event_id: str) -> Known | None:
        """Return what this very append has added under *event_id*."""
        event = self._added.get(event_id)
        if event is None:
            return None
        position = self._first + list(self._added).index(event_id)
        return Known(event_id, self.stream, position, event.canonical_digest)

    def add(self, event: Event) -> Appended:
        """Give *event* the next position."""
        self.position = position = self.position + 1
        event_id, digest, entry_id = event.event_id, event.digest, self._offset + position
        self.chain = chain = chain_next(self.chain, position, event_id, digest)
        self._added[event_id] = event
        self.entries.append(
            (
                entry_id,
                self.stream_id,
                position,
                event_id,
                event.event_type,
                event.aggregate,
                self.at,
                event.size,
                digest.hex(),
                event.canonical_digest.hex(),
                chain.hex(),
                self.producer_no,
            )
        )
        self.payloads.append((entry_id, event.text))
        self.size_bytes += event.size
        if event.hold is None:
            return Appended(event_id, self.stream, position, "stored")
        why = (event.hold.value, event.hold_reason or "", self.at)
        self.holds.append((self.stream_id, position, *why))
        return Appended(event_id, self.stream, position, "held")


def _within(rows: Iterator[tuple[Any, ...]], max_bytes: int) -> list[tuple[Any, ...]]:
    """Take rows while their text fits, at least one; until the last is read, nobody can commit."""
    chosen: list[tuple[Any, ...]] = []
    total = 0
    for row in rows:
        total += 0 if row[TEXT] is None else row[SIZE]
        if chosen and total > max_bytes:
            rows.close()  # type: ignore[attr-defined]
            break
        chosen.append(row)
    return chosen
