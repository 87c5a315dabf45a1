from collections.abc import Sequence
from typing import Any

from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._errors import bytes_in, understood
from eventsync_adapters.sqlite._numbered import ASIDE, count
from eventsync_core.legacy import (
    Kind,
    Noted,
    Provenance,
    RowKey,
    SetAside,
    Source,
    Stored,
    Why,
)

_IDS_AT_ONCE = 500
_STORED = """
SELECT e.event_id, s.stream, e.position, e.digest, e.canonical_digest
FROM entries e JOIN streams s ON s.stream_id = e.stream_id
WHERE e.event_id IN ({})
"""
_WITH_TEXT = """
SELECT e.event_id, s.stream, e.position, e.digest, e.canonical_digest,
       CASE WHEN g.position IS NULL THEN COALESCE(p.text, '') END
FROM entries e
JOIN streams s ON s.stream_id = e.stream_id
LEFT JOIN payloads p ON p.entry_id = e.entry_id
LEFT JOIN purged g ON g.stream_id = e.stream_id AND g.position = e.position
WHERE e.event_id IN ({})
"""
_SOURCE = "SELECT source_no FROM legacy_sources WHERE path = ?"
_NOTE = """
INSERT INTO legacy_sources (source_no, path, kind, target, spelling, fingerprint, rows_left,
                            open_left, became, noted_at)
VALUES ((SELECT COALESCE(MAX(source_no), 0) + 1 FROM legacy_sources), ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (path) DO UPDATE SET
    kind = excluded.kind, target = excluded.target, spelling = excluded.spelling,
    fingerprint = excluded.fingerprint, rows_left = excluded.rows_left,
    open_left = excluded.open_left, became = excluded.became,
    noted_at = excluded.noted_at
"""
_SOURCES = """
SELECT path, kind, target, spelling, fingerprint, rows_left, open_left, became
FROM legacy_sources ORDER BY source_no
"""
_TAKE = """
INSERT INTO provenance (source_no, part, row_no, digest, event_id, queued_at, retry_count,
                        taken_at, beside)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (source_no, part, row_no, digest) DO NOTHING
"""
_KNOWN = """
SELECT 1 FROM provenance WHERE source_no = ? AND part = ? AND row_no = ? AND digest = ?
"""
_CHANGES = "SELECT TOTAL_CHANGES()"
_TAKEN_UPTO = """
SELECT row_no FROM provenance
WHERE source_no = ? AND part = ? AND row_no >= ? AND row_no <= ?
ORDER BY row_no LIMIT 1 OFFSET ?
"""
_TAKEN = """
SELECT part, row_no, digest, event_id, queued_at, retry_count, taken_at, beside FROM provenance
WHERE source_no = ? AND part = ? AND row_no >= ? AND row_no <= ?
ORDER BY row_no, digest
"""
_CAME_FROM = """
SELECT s.path, p.part, p.row_no, p.digest, p.event_id, p.queued_at, p.retry_count, p.taken_at,
       p.beside
FROM provenance p JOIN legacy_sources s ON s.source_no = p.source_no
WHERE p.event_id = ? ORDER BY p.source_no, p.part, p.row_no, p.digest
"""
_ASIDE = """
INSERT INTO set_aside (source_no, part, row_no, digest, event_id, why, detail, existing_digest,
                       incoming_digest, queued_at, retry_count, beside, size, raw,
                       set_aside_at, resolution, resolved_at, aside_no)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', NULL,
        (SELECT MAX(COALESCE((SELECT MAX(aside_no) FROM set_aside), 0), highest) + 1
         FROM erasures WHERE what = 'set_aside'))
ON CONFLICT (source_no, part, row_no, digest) DO NOTHING
"""
_ASIDE_COLUMNS = """
SELECT s.path, a.part, a.row_no, a.digest, a.event_id, a.why, a.detail, a.size, a.set_aside_at,
       a.existing_digest, a.incoming_digest, a.queued_at, a.retry_count, a.beside, a.aside_no,
       a.resolution, a.resolved_at
FROM set_aside a JOIN legacy_sources s ON s.source_no = a.source_no
"""
_ASIDE_PAGE = _ASIDE_COLUMNS + "WHERE a.aside_no > ? ORDER BY a.aside_no LIMIT ?"
_OPEN_PAGE = (
    _ASIDE_COLUMNS
    + """
WHERE a.why = 'conflict' AND a.resolution = '' AND a.aside_no > ? ORDER BY a.aside_no LIMIT ?
"""
)
_ASIDE_ONE = (
    _ASIDE_COLUMNS + "WHERE a.source_no = ? AND a.part = ? AND a.row_no = ? AND a.digest = ?"
)
_ASIDE_UNDER = _ASIDE_COLUMNS + "WHERE a.event_id = ? ORDER BY a.aside_no"
_BYTES = "SELECT raw FROM set_aside WHERE aside_no = ?"
_OPEN = "SELECT COUNT(*) FROM set_aside WHERE why = 'conflict' AND resolution = ''"
_OPEN_OF = """
SELECT COUNT(*) FROM set_aside WHERE source_no = ? AND resolution = '' AND why = 'conflict'
"""
_RESOLVE = """
UPDATE set_aside SET resolution = ?, resolved_at = ? WHERE aside_no = ? AND resolution = ''
"""


class SqliteLegacy:
    """A `Legacy` in the tables legacy_sources, provenance and set_aside."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def stored(self, event_ids: Sequence[str], *, with_text: bool = False) -> dict[str, Stored]:
        """See `Legacy.stored`."""
        found = {}
        for start in range(0, len(event_ids), _IDS_AT_ONCE):
            some = event_ids[start : start + _IDS_AT_ONCE]
            query = (_WITH_TEXT if with_text else _STORED).format(",".join("?" * len(some)))
            for row in self._database.rows(query, some):
                event_id, stream, position, digest, canonical, *text = row
                found[event_id] = Stored(
                    stream=stream,
                    position=position,
                    digest=bytes_in(digest),
                    canonical_digest=bytes_in(canonical),
                    text=text[0] if text else None,
                )
        return found

    def note(self, noted: Noted, *, at: int) -> None:
        """See `Legacy.note`."""
        source = noted.source
        with self._database.write():
            self._database.run(
                _NOTE,
                (
                    source.path,
                    source.kind.value,
                    source.target,
                    source.spelling,
                    noted.fingerprint,
                    noted.rows_left,
                    noted.open_left,
                    noted.became,
                    at,
                ),
            )

    def sources(self) -> list[Noted]:
        """See `Legacy.sources`."""
        return [_noted(row) for row in self._database.rows(_SOURCES)]

    def take(self, rows: Sequence[Provenance]) -> int:
        """See `Legacy.take`."""
        with self._database.write():
            numbers = self._numbers({row.path for row in rows})
            before = self._changes()
            self._database.run_many(
                _TAKE,
                [
                    (
                        numbers[row.path],
                        row.key.part,
                        row.key.row,
                        row.key.digest.hex(),
                        row.event_id,
                        row.queued_at,
                        row.retry_count,
                        row.taken_at,
                        row.beside,
                    )
                    for row in rows
                ],
            )
            return self._changes() - before

    def known(self, path: str, keys: Sequence[RowKey]) -> set[RowKey]:
        """See `Legacy.known`."""
        number = self._number(path)
        if number is None:
            return set()
        found = ((key, (number, key.part, key.row, key.digest.hex())) for key in keys)
        return {key for key, values in found if self._database.row(_KNOWN, values) is not None}

    def taken(
        self, path: str, part: str, *, after: int = -1, upto: int, limit: int = 1000
    ) -> list[Provenance]:
        """See `Legacy.taken`."""
        number = self._number(path)
        if number is None or after >= upto:
            return []
        # The lowest number has none below it.
        first = after + 1
        last = self._database.row(_TAKEN_UPTO, (number, part, first, upto, limit - 1))
        values = (number, part, first, upto if last is None else last[0])
        return [_provenance((path, *row)) for row in self._database.rows(_TAKEN, values)]

    def provenance(self, event_id: str) -> list[Provenance]:
        """See `Legacy.provenance`."""
        return [_provenance(row) for row in self._database.rows(_CAME_FROM, (event_id,))]

    def set_aside(self, rows: Sequence[SetAside]) -> int:
        """See `Legacy.set_aside`."""
        with self._database.write():
            numbers = self._numbers({row.path for row in rows})
            return sum(
                self._database.run(
                    _ASIDE,
                    (
                        numbers[row.path],
                        row.key.part,
                        row.key.row,
                        row.key.digest.hex(),
                        row.event_id,
                        row.why.value,
                        row.detail,
                        row.existing.hex(),
                        row.incoming.hex(),
                        row.queued_at,
                        row.retry_count,
                        row.beside,
                        row.size,
                        row.raw.hex(),
                        row.at,
                    ),
                )
                for row in rows
            )

    def aside(
        self, *, after: int = 0, limit: int = 1000, is_open_conflict: bool = False
    ) -> list[SetAside]:
        """See `Legacy.aside`."""
        query = _OPEN_PAGE if is_open_conflict else _ASIDE_PAGE
        return [_aside(row) for row in self._database.rows(query, (after, limit))]

    def aside_count(self) -> int:
        """See `Legacy.aside_count`."""
        return count(self._database, ASIDE)

    def aside_of(self, path: str, keys: Sequence[RowKey]) -> dict[RowKey, SetAside]:
        """See `Legacy.aside_of`."""
        number = self._number(path)
        found = {}
        for key in keys if number is not None else ():
            values = (number, key.part, key.row, key.digest.hex())
            row = self._database.row(_ASIDE_ONE, values)
            if row is not None:
                found[key] = _aside(row)
        return found

    def aside_under(self, event_id: str) -> list[SetAside]:
        """See `Legacy.aside_under`."""
        return [_aside(row) for row in self._database.rows(_ASIDE_UNDER, (event_id,))]

    def bytes_of(self, number: int) -> bytes | None:
        """See `Legacy.bytes_of`."""
        row = self._database.row(_BYTES, (number,))
        return None if row is None else bytes_in(row[0])

    def open_conflicts(self, path: str | None = None) -> int:
        """See `Legacy.open_conflicts`."""
        query, values = (_OPEN, ()) if path is None else (_OPEN_OF, (self._number(path),))
        row = self._database.row(query, values)
        return int(row[0]) if row else 0

    def resolve(self, numbers: Sequence[int], resolution: str, *, at: int) -> int:
        """See `Legacy.resolve`."""
        with self._database.write():
            return sum(self._database.run(_RESOLVE, (resolution, at, number)) for number in numbers)

    def _changes(self) -> int:
        row = self._database.row(_CHANGES)
        return int(row[0]) if row else 0

    def _number(self, path: str) -> int | None:
        row = self._database.row(_SOURCE, (path,))
        return None if row is None else int(row[0])

    def _numbers(self, paths: set[str]) -> dict[str, int | None]:
        return {path: self._number(path) for path in paths}


@understood
def _noted(row: tuple[Any, ...]) -> Noted:
    path, kind, target, spelling, fingerprint, left, open_left, became = row
    return Noted(
        source=Source(path=path, kind=Kind(kind), target=target, spelling=spelling),
        fingerprint=fingerprint,
        rows_left=left,
        open_left=open_left,
        became=became,
    )


@understood
def _provenance(row: tuple[Any, ...]) -> Provenance:
    path, part, number, digest, event_id, queued_at, retry_count, taken_at, beside = row
    return Provenance(
        path=path,
        key=RowKey(part, number, bytes.fromhex(digest)),
        event_id=event_id,
        queued_at=queued_at,
        retry_count=retry_count,
        taken_at=taken_at,
        beside=beside,
    )


@understood
def _aside(row: tuple[Any, ...]) -> SetAside:
    path, part, number, digest, event_id, why, detail, size, at, *facts = row
    existing, incoming, queued_at, retry_count, beside, aside_no, resolution, resolved_at = facts
    return SetAside(
        path=path,
        key=RowKey(part, number, bytes.fromhex(digest)),
        event_id=event_id,
        why=Why(why),
        detail=detail,
        size=size,
        at=at,
        existing=bytes.fromhex(existing),
        incoming=bytes.fromhex(incoming),
        queued_at=queued_at,
        retry_count=retry_count,
        beside=beside,
        number=aside_no,
        resolution=resolution,
        resolved_at=resolved_at,
    )
