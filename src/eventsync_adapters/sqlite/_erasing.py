from collections.abc import Sequence
from typing import Any

import attrs

from eventsync_adapters.sqlite._body_failures import FailureLog
from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._errors import understood
from eventsync_adapters.sqlite._keys import Keys
from eventsync_adapters.sqlite._numbered import ASIDE, BODIES, erased, highest
from eventsync_adapters.sqlite._payloads import SqlitePayloads
from eventsync_core.bodies import BodyKey
from eventsync_core.erasure import Erased
from eventsync_core.legacy import body_names
from eventsync_core.payloads import Deed

_PERMIT = "UPDATE purging SET stream_id = ?, is_whole = ?, bodies = ? WHERE only_row = 1"
_PROVENANCE = """
SELECT COUNT(*) FROM entries e CROSS JOIN provenance p ON p.event_id = e.event_id
WHERE e.stream_id = ?
"""
_PROVENANCE_NAMED = """
SELECT COUNT(*) FROM provenance p
WHERE substr(lower(p.event_id), 1, length(?1)) = ?1
  AND NOT EXISTS (SELECT 1 FROM entries e WHERE e.event_id = p.event_id)
"""
_DROP_PROVENANCE = """
DELETE FROM provenance WHERE event_id IN (SELECT event_id FROM entries WHERE stream_id = ?)
"""
_DROP_PROVENANCE_NAMED = """
DELETE FROM provenance
WHERE substr(lower(event_id), 1, length(?1)) = ?1
  AND NOT EXISTS (SELECT 1 FROM entries e WHERE e.event_id = provenance.event_id)
"""
_UNCLAIMED = """
SELECT project_uuid, mission_slug, target_branch, mission_type, manifest_version, artifact_path,
       content_hash
FROM bodies WHERE stream_id = ? AND project_uuid <> ?
"""
_BODY_ROWS = """
SELECT source_no, part, row_no, digest, taken_at FROM provenance p
WHERE p.event_id = ? AND NOT EXISTS (SELECT 1 FROM entries e WHERE e.event_id = p.event_id)
"""
_PERMIT_BODY = "UPDATE purging SET bodies = lower(?) WHERE only_row = 1"
_DROP_BODY_ROW = """
DELETE FROM provenance WHERE source_no = ? AND part = ? AND row_no = ? AND digest = ?
"""
_NAMELESS = """
INSERT INTO provenance (source_no, part, row_no, digest, event_id, taken_at, beside)
VALUES (?, ?, ?, ?, '', ?, '')
"""
_BODIES = "SELECT COUNT(*) FROM bodies WHERE stream_id = ?"
_DROP_CONTENTS = """
DELETE FROM body_contents WHERE body_no IN (SELECT body_no FROM bodies WHERE stream_id = ?)
"""
_DROP_STANDINGS = "DELETE FROM body_standings WHERE target_no = ? AND stream_id = ?"
_DROP_REOPENINGS = """
DELETE FROM body_reopenings
WHERE target_no = ? AND body_no IN (SELECT body_no FROM bodies WHERE stream_id = ?)
"""
_DROP_BODIES = "DELETE FROM bodies WHERE stream_id = ?"
_FAILURES_OF = "SELECT COUNT(*) FROM body_failures WHERE lower(project_uuid) = ?"
_DROP_ASIDE = "DELETE FROM set_aside WHERE aside_no = ?"
_WORDS = "SELECT COUNT(*) FROM answers WHERE stream_id = ? AND reason <> ''"
_SILENCE = """
UPDATE answers SET reason = '', category = NULL
WHERE stream_id = ? AND (reason <> '' OR category IS NOT NULL)
"""
_REASONS = "SELECT COUNT(*) FROM holds WHERE stream_id = ? AND reason <> ''"
_DROP_REASONS = "UPDATE holds SET reason = '' WHERE stream_id = ? AND reason <> ''"
_OLD_REASONS = "SELECT COUNT(*) FROM released_holds WHERE stream_id = ? AND reason <> ''"
_DROP_OLD_REASONS = "UPDATE released_holds SET reason = '' WHERE stream_id = ? AND reason <> ''"
_AGGREGATES = "SELECT COUNT(*) FROM entries WHERE stream_id = ? AND aggregate IS NOT NULL"
_DROP_AGGREGATES = """
UPDATE entries SET aggregate = NULL
WHERE stream_id = ? AND aggregate IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM payloads p WHERE p.entry_id = entries.entry_id)
"""
_GUIDANCE = """
SELECT COUNT(*) FROM requests WHERE target_no = ? AND stream_id = ? AND guidance <> ''
"""
_DROP_GUIDANCE = """
UPDATE requests SET guidance = '' WHERE target_no = ? AND stream_id = ? AND guidance <> ''
"""
_PAST_WORDS = "SELECT COUNT(*) FROM past_deliveries WHERE stream_id = ? AND error <> ''"
_DROP_PAST_WORDS = "UPDATE past_deliveries SET error = '' WHERE stream_id = ? AND error <> ''"
_EVERY_TARGET = "SELECT target_no FROM targets"
_PARTS = tuple(field.name for field in attrs.fields(BodyKey))


class SqliteErasing:
    """`Erasing` in all tables that hold content of a stream besides payloads."""

    def __init__(self, database: Database, keys: Keys, payloads: SqlitePayloads) -> None:
        self._database = database
        self._keys = keys
        self._payloads = payloads

    def there(self, stream: str) -> Erased:
        """See `Erasing.there`."""
        stream_id = self._keys.stream(stream)
        named = self._count(_PROVENANCE_NAMED, body_names(stream))
        if stream_id is None:
            return Erased(provenance=named, failures=self._count(_FAILURES_OF, stream))
        words = self._count(_WORDS, stream_id) + self._count(_PAST_WORDS, stream_id)
        for target_no in self._targets():
            words += self._count(_GUIDANCE, target_no, stream_id)
        return Erased(
            provenance=self._count(_PROVENANCE, stream_id)
            + named
            + sum(len(rows) for _, rows in self._unclaimed(stream, stream_id)),
            bodies=self._count(_BODIES, stream_id),
            failures=self._count(_FAILURES_OF, stream),
            words=words,
            reasons=self._count(_REASONS, stream_id) + self._count(_OLD_REASONS, stream_id),
            aggregates=self._count(_AGGREGATES, stream_id),
        )

    def _unclaimed(
        self, stream: str, stream_id: int | None
    ) -> list[tuple[str, list[tuple[Any, ...]]]]:
        """Return the stream's bodies that do not name its project, and the rows they came from."""
        found = map(_name, self._database.rows(_UNCLAIMED, (stream_id, stream)))
        return [(name, self._database.rows(_BODY_ROWS, (name,))) for name in found]

    def _targets(self) -> list[int]:
        return [target_no for (target_no,) in self._database.rows(_EVERY_TARGET)]

    def _count(self, query: str, *values: str | int) -> int:
        row = self._database.row(query, values)
        return 0 if row is None else int(row[0])

    def erase(self, stream: str, aside: Sequence[int], deed: Deed) -> Erased:
        """See `Erasing.erase`."""
        # What is deleted is overwritten with zeros; it stays so for this connection.
        self._database.row("PRAGMA secure_delete = ON")
        with self._database.write():
            found = self.there(stream)
            stream_id = self._keys.stream(stream)
            if stream_id is None and found.failures:
                # What guards them knows their project by its stream.
                stream_id = self._keys.stream_for_writing(stream)
            highest_body = highest(self._database, BODIES)
            highest_aside = highest(self._database, ASIDE)
            self._database.run(_PERMIT, (stream_id or 0, 1, body_names(stream)))
            self._database.run(_DROP_PROVENANCE, (stream_id,))
            self._database.run(_DROP_PROVENANCE_NAMED, (body_names(stream),))
            for name, rows in self._unclaimed(stream, stream_id):
                self._database.run(_PERMIT_BODY, (name,))
                for *row, taken_at in rows:
                    self._database.run(_DROP_BODY_ROW, row)
                    self._database.run(_NAMELESS, (*row, taken_at))
            self._database.run(_DROP_CONTENTS, (stream_id,))
            self._database.run(_SILENCE, (stream_id,))
            self._database.run(_DROP_PAST_WORDS, (stream_id,))
            self._database.run(_DROP_REASONS, (stream_id,))
            self._database.run(_DROP_OLD_REASONS, (stream_id,))
            for target_no in self._targets():
                self._database.run(_DROP_REOPENINGS, (target_no, stream_id))
                self._database.run(_DROP_STANDINGS, (target_no, stream_id))
                self._database.run(_DROP_GUIDANCE, (target_no, stream_id))
            self._database.run(_DROP_BODIES, (stream_id,))
            FailureLog(self._database).erase(stream)
            gone = sum(self._database.run(_DROP_ASIDE, (number,)) for number in aside)
            self._database.run(_PERMIT, (0, 0, ""))
            erased(self._database, (highest_body, found.bodies), (highest_aside, gone))
            self._payloads.note(deed, 0, 0)
        return attrs.evolve(found, set_aside=gone)

    def erase_aggregates(self, stream: str) -> int:
        """See `Erasing.erase_aggregates`."""
        with self._database.write():
            return self._database.run(_DROP_AGGREGATES, (self._keys.stream(stream),))


@understood
def _name(row: tuple[Any, ...]) -> str:
    key = BodyKey(**dict(zip(_PARTS, row, strict=True)))
    return key.name
