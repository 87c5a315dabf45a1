from collections.abc import Callable
from hashlib import sha256
from typing import Any

import attrs

from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._counters import miscounts
from eventsync_adapters.sqlite._damaged import text_of
from eventsync_adapters.sqlite._doubts import doubtful
from eventsync_adapters.sqlite._links import BODY_NAMED, FAILURE_NAMED, QUESTIONS
from eventsync_adapters.sqlite._mending import check, recount, torn_indexes
from eventsync_adapters.sqlite._names import Names
from eventsync_adapters.sqlite._rows import owe
from eventsync_core.ids import Kind, target_key
from eventsync_core.inspection import (
    LOST_HOLD,
    Checked,
    Dangling,
    Link,
    Looked,
    Mended,
    Miscount,
    Place,
)
from eventsync_core.ledger import in_ranges
from eventsync_core.migration import BODIES, FAILURES, read_name

_LEAST = -(2**63)
_AT_ONCE = 5_000
_BODY_MISSING = {True: "body", False: "body failure"}
PLACE = """
SELECT s.stream, e.position FROM entries e JOIN streams s ON s.stream_id = e.stream_id
WHERE e.event_id = ?
"""
REQUESTS = """
SELECT r.request_id, r.stream_id, CAST(r.positions AS BLOB), r.event_count,
       (SELECT s.head FROM streams s WHERE s.stream_id = r.stream_id),
       EXISTS (SELECT 1 FROM targets t WHERE t.target_no = r.target_no)
FROM requests r WHERE r.request_id > ? ORDER BY r.request_id LIMIT ?
"""
TARGETS = """
SELECT target_no, CAST(target_id AS BLOB), CAST(kind AS BLOB), CAST(url AS BLOB),
       CAST(url_hash AS BLOB), CAST(team AS BLOB), CAST(user_name AS BLOB)
FROM targets WHERE target_no > ? ORDER BY target_no LIMIT ?
"""
NEXT_GRANT = """
SELECT target_no, stream_id, from_position, passed FROM grants
WHERE (target_no, stream_id) >= (?, ?) AND revoked_at IS NULL
ORDER BY target_no, stream_id LIMIT 1
"""
PASSED = """
SELECT e.position,
       EXISTS (SELECT 1 FROM ledger l WHERE l.target_no = ?1 AND l.stream_id = e.stream_id
                                        AND l.position = e.position)
       OR EXISTS (SELECT 1 FROM holds h WHERE h.stream_id = e.stream_id
                                          AND h.position = e.position)
       OR EXISTS (SELECT 1 FROM superseded u WHERE u.stream_id = e.stream_id
                                               AND u.position = e.position)
       OR NOT EXISTS (SELECT 1 FROM payloads p WHERE p.entry_id = e.entry_id)
FROM entries e WHERE e.stream_id = ?2 AND e.position > ?3 AND e.position <= ?4
ORDER BY e.position LIMIT ?5
"""


class SqliteInspection:
    """`Inspection` over all tables; every statement reads one page by key."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._names = Names(database)

    def place(self, event_id: str) -> Place | None:
        """See `Inspection.place`."""
        row = self._database.row(PLACE, (event_id,))
        return None if row is None else Place(*row)

    def dangling(
        self, link: Link, *, after: tuple[int | str, ...] = (), limit: int = 2_000
    ) -> Looked:
        """See `Inspection.dangling`."""
        if link is Link.PASSED:
            return self._look_at_passed(after or (_LEAST, _LEAST, 0), limit)[0]
        if link is Link.REQUEST:
            return self._judged(link, REQUESTS, after, limit, self._of_request)
        if link is Link.TARGET:
            return self._judged(link, TARGETS, after, limit, _of_target)
        question = QUESTIONS[link]
        torn = [] if after else torn_indexes(self._database, link)
        width = len(question.keys)
        first = tuple("" if name in question.texts else _LEAST for name in question.keys)
        rows = self._database.rows(question.sql, (*(after or first), limit))
        found = [
            Dangling(
                link=link,
                where=self._names.where(question.keys, row[:width]),
                missing=missing,
                stream=self._stream(row[width]),
            )
            for row in rows
            if (missing := self._missing(link, row))
        ]
        last = rows[-1][:width] if len(rows) == limit else None
        return Looked(len(rows), torn + found, last)

    def _missing(self, link: Link, row: tuple[Any, ...]) -> str:
        if link is Link.LEDGER and not row[-1]:
            return "" if _was_carried(*row[2:]) else "request"
        if link is Link.PROVENANCE and row[-1] == "entry" and row[1] in (BODIES, FAILURES):
            is_body = row[1] == BODIES
            return "" if self._is_named(row[-2], is_body=is_body) else _BODY_MISSING[is_body]
        return row[-1] or ""

    def _is_named(self, name: bytes | None, *, is_body: bool) -> bool:
        """Say whether the body, or the failure of one, that *name* names is there, if any."""
        if not name:
            return True
        try:
            key, reason = read_name(text_of(name))
            parts = attrs.astuple(key)
            if is_body:
                found = self._database.row(BODY_NAMED, parts)
            else:
                found = self._database.row(FAILURE_NAMED, (*parts, reason))
        except ValueError:
            return False
        return found is not None

    def _stream(self, stream_id: int | None) -> str:
        return self._names.name("stream", stream_id)

    def _judged(
        self,
        link: Link,
        sql: str,
        after: tuple[int | str, ...],
        limit: int,
        judge: Callable[..., str],
    ) -> Looked:
        rows = self._database.rows(sql, (*(after or (_LEAST,)), limit))
        found = []
        for number, *rest in rows:
            missing = judge(*rest)
            if missing:
                stream = self._stream(rest[0]) if link is Link.REQUEST else ""
                where = f"number {number}"
                found.append(Dangling(link=link, where=where, missing=missing, stream=stream))
        return Looked(len(rows), found, (rows[-1][0],) if len(rows) == limit else None)

    def _of_request(
        self, _: int, positions: bytes, count: int, head: int | None, has_target: int
    ) -> str:
        if head is None:
            return "stream"
        if not has_target:
            return "target"
        return "" if _are_there(text_of(positions), count, head) else "entry"

    def _look_at_passed(
        self, after: tuple[int | str, ...], limit: int
    ) -> tuple[Looked, dict[tuple[int, int], list[int]]]:
        """Look at the grant that *after* names, above the position that it names."""
        grant = self._database.row(NEXT_GRANT, after[:2])
        if grant is None:
            return Looked(0), {}
        target_no, stream_id, reach, passed = grant
        position = after[2] if (target_no, stream_id) == after[:2] else 0
        above = max(reach, int(position))
        rows = self._database.rows(PASSED, (target_no, stream_id, above, passed, limit))
        places = [place for place, is_kept in rows if not is_kept]
        of_grant = self._names.where(("target", "stream"), (target_no, stream_id))
        is_in_doubt = bool(places) and stream_id in doubtful(self._database)
        found = [
            Dangling(
                link=Link.PASSED,
                where=f"{of_grant}, position {place}",
                missing=LOST_HOLD if is_in_doubt else "ledger",
                stream=self._stream(stream_id),
            )
            for place in places
        ]
        left = {(target_no, stream_id): [] if is_in_doubt else places}
        last = (target_no, stream_id, rows[-1][0]) if len(rows) == limit else None
        return Looked(len(rows), found, last or (target_no, stream_id + 1, 0)), left

    def check(self, *, seconds: float | None = None, thorough: bool = False) -> Checked:
        """See `Inspection.check`."""
        return check(self._database, seconds=seconds, thorough=thorough)

    def mend(self, *, at: int) -> Mended:
        """See `Inspection.mend`."""
        with self._database.write():
            before = self.miscounts()
            rows = recount(self._database, at=at)
            owed = self._owe_passed(at)
            after = self.miscounts() if before else []
            return Mended(len(before) - len(after), owed, rows)

    def _owe_passed(self, at: int) -> int:
        count = 0
        after: tuple[int | str, ...] | None = (_LEAST, _LEAST, 0)
        while after is not None:
            looked, places = self._look_at_passed(after, _AT_ONCE)
            for (target_no, stream_id), positions in places.items():
                owe(self._database, (target_no, stream_id), positions, at=at)
                count += len(positions)
            after = looked.last
        return count

    def miscounts(self) -> list[Miscount]:
        """See `Inspection.miscounts`."""
        return miscounts(self._database)


def _was_carried(position: int, _: int, positions: bytes | None, __: object) -> bool:
    """Say whether the request of a ledger row, if it has a sound one, carried its entry."""
    try:
        return positions is None or in_ranges(text_of(positions), position)
    except ValueError:
        return True


def _are_there(positions: str, count: int, head: int) -> bool:
    """Say whether the ranges name *count* positions up to *head*."""
    try:
        parts = [part.partition("-") for part in positions.split(",")]
        spans = [(int(first), int(last or first)) for first, _, last in parts]
    except ValueError:
        return False
    total = sum(last - first + 1 for first, last in spans)
    return total == count and all(0 < first <= last <= head for first, last in spans)


def _of_target(target_id: bytes, kind: bytes, url: bytes, url_hash: bytes, *who: bytes) -> str:
    """Say that the target is not there under its id when its parts name another."""
    place = text_of(url)
    if sha256(place.encode()).hexdigest() != text_of(url_hash):
        return "url of that hash"
    team, user = map(text_of, who)
    try:
        right = target_key(Kind(text_of(kind)), place, team, user)
    except ValueError:
        return "kind"
    return "" if right == text_of(target_id) else "target of that id"
