from collections.abc import Sequence
from typing import Any

from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._errors import understood
from eventsync_adapters.sqlite._keys import Keys
from eventsync_adapters.sqlite._leases import SqliteLeases
from eventsync_adapters.sqlite._rows import read_rows, store_rows
from eventsync_core.ledger import LedgerEntry
from eventsync_core.legacy import NOTED, OldDelivery, PastDelivery, RowKey, settle_past

_CALL = """
INSERT INTO aliases (alias, target_no, called_at) VALUES (?, ?, ?)
ON CONFLICT (alias, target_no) DO NOTHING
"""
_ALIASES = "SELECT alias FROM aliases WHERE target_no = ? ORDER BY alias"
_CALLED = """
SELECT t.target_id FROM aliases a JOIN targets t ON t.target_no = a.target_no
WHERE a.alias = ? ORDER BY t.target_id
"""
_SOURCE = "SELECT source_no FROM legacy_sources WHERE path = ?"
_KNOWN_HERE = """
SELECT 1 FROM past_deliveries WHERE source_no = ? AND part = ? AND row_no = ? AND digest = ?
"""
_KNOWN = """
SELECT 1 FROM past_deliveries
WHERE stream_id = ? AND position = ? AND target_no = ? AND digest = ?
"""
_BRING = """
INSERT INTO past_deliveries (source_no, part, row_no, digest, target_no, stream_id, position,
                             event_id, alias, status, attempts, first_at, last_at, accepted_at,
                             completed_at, http_status, error, taken_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_NOTE = """
INSERT INTO answers (stream_id, position, target_no, request_id, answered_at, outcome, reason)
VALUES (?, ?, ?, 0, ?, ?, ?)
"""
_DELIVERED = """
UPDATE targets SET last_delivery_at = ? WHERE target_no = ? AND COALESCE(last_delivery_at, 0) < ?
"""
# Who may have been sent a stream is looked up among leases; this one is free, and was nobody's.
_MAY_HAVE_BEEN_SENT = """
INSERT INTO leases (target_no, stream_id, token, pid, started_at, boot, expires_at, open_request)
VALUES (?, ?, 0, 0, 0, '', 0, 0)
ON CONFLICT (target_no, stream_id) DO NOTHING
"""
_OF = """
SELECT s.path, t.target_id, p.part, p.row_no, p.digest, p.event_id, p.alias, p.status, p.attempts,
       p.first_at, p.last_at, p.accepted_at, p.completed_at, p.http_status, p.error, p.taken_at
FROM past_deliveries p
JOIN legacy_sources s ON s.source_no = p.source_no
JOIN targets t ON t.target_no = p.target_no
WHERE p.stream_id = ? AND p.position = ? ORDER BY p.past_no
"""


class SqlitePast:
    """`Past` in the tables aliases and past_deliveries, and in those of the ledger."""

    def __init__(self, database: Database, keys: Keys, leases: SqliteLeases) -> None:
        self._database = database
        self._keys = keys
        self._leases = leases

    def call(self, target_id: str, alias: str, *, at: int) -> bool:
        """See `Past.call`."""
        with self._database.write():
            target_no = self._keys.target_for_writing(target_id)
            return self._database.run(_CALL, (alias, target_no, at)) == 1

    def aliases(self, target_id: str) -> list[str]:
        """See `Past.aliases`."""
        rows = self._database.rows(_ALIASES, (self._keys.target(target_id),))
        return [alias for (alias,) in rows]

    def called(self, alias: str) -> list[str]:
        """See `Past.called`."""
        return [target_id for (target_id,) in self._database.rows(_CALLED, (alias,))]

    def news(self, rows: Sequence[PastDelivery]) -> list[PastDelivery]:
        """See `Past.news`."""
        found: list[PastDelivery] = []
        seen: set[tuple[object, ...]] = set()
        for row in rows:
            here = self._here(row)
            stream, target = self._keys.stream(row.stream), self._keys.target(row.target_id)
            content = (stream, row.position, target, here[-1])
            is_known = self._database.row(_KNOWN_HERE, here) or self._database.row(_KNOWN, content)
            if is_known is None and here not in seen and content not in seen:
                seen |= {here, content}
                found.append(row)
        return found

    def bring(self, rows: Sequence[PastDelivery]) -> int:
        """See `Past.bring`."""
        with self._database.write():
            by_pair: dict[tuple[str, str], list[PastDelivery]] = {}
            for row in self.news(rows):
                self._put(row)
                by_pair.setdefault((row.target_id, row.stream), []).append(row)
            for pair, new in by_pair.items():
                self._settle(pair, new)
            return sum(map(len, by_pair.values()))

    def _here(self, row: PastDelivery) -> tuple[Any, ...]:
        (number,) = self._database.row(_SOURCE, (row.path,)) or (None,)
        return number, row.old.key.part, row.old.key.row, row.old.key.digest.hex()

    def _put(self, row: PastDelivery) -> None:
        """Put the row on record; inside a unit of work."""
        old, place = row.old, self._place(row.target_id, row.stream)
        times = (old.first_at, old.last_at, old.accepted_at, old.completed_at)
        said = (old.event_id, old.alias, old.status, old.attempts)
        values = (*self._here(row), *place, row.position, *said, *times, old.http_status, old.error)
        self._database.run(_BRING, (*values, row.taken_at))

    def _place(self, target_id: str, stream: str) -> tuple[int, int]:
        return self._keys.target_for_writing(target_id), self._keys.stream_for_writing(stream)

    def _settle(self, pair: tuple[str, str], rows: Sequence[PastDelivery]) -> None:
        place = self._place(*pair)
        self._database.run(_MAY_HAVE_BEEN_SENT, place)
        carried = set(self._leases.open_positions(*pair))
        before = read_rows(self._database, place, sorted({row.position for row in rows}))
        after: dict[int, LedgerEntry] = {}
        for row in rows:
            position = row.position
            entry = after.get(position) or before.get(position)
            settled = settle_past(entry, row, is_carried=position in carried)
            if settled is not None:
                after[position] = settled
        store_rows(self._database, place, before, after)
        self._database.run_many(
            _NOTE,
            [
                (
                    place[1],
                    row.position,
                    place[0],
                    row.at,
                    row.outcome.value,
                    row.old.error or NOTED,
                )
                for row in rows
            ],
        )
        last = max((row.at for row in rows if row.outcome.is_delivered), default=0)
        self._database.run(_DELIVERED, (last, place[0], last))

    def of(self, stream: str, position: int) -> list[PastDelivery]:
        """See `Past.of`."""
        values = (self._keys.stream(stream), position)
        return [_past(stream, position, row) for row in self._database.rows(_OF, values)]


@understood
def _past(stream: str, position: int, row: tuple[Any, ...]) -> PastDelivery:
    path, target_id, part, number, digest, event_id, alias, status, attempts, *rest = row
    first_at, last_at, accepted_at, completed_at, http_status, error, taken_at = rest
    return PastDelivery(
        path=path,
        old=OldDelivery(
            key=RowKey(part, number, bytes.fromhex(digest)),
            event_id=event_id,
            alias=alias,
            status=status,
            attempts=attempts,
            first_at=first_at,
            last_at=last_at,
            accepted_at=accepted_at,
            completed_at=completed_at,
            http_status=http_status,
            error=error,
        ),
        target_id=target_id,
        stream=stream,
        position=position,
        taken_at=taken_at,
    )
