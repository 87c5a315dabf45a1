"""Every counter that is kept: how it stands, and how it is counted anew, page by page."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._doubts import doubtful
from eventsync_adapters.sqlite._names import Names
from eventsync_core.inspection import Miscount

_LEAST = -(2**63)
_AT_ONCE = 5_000
_TRIES = 3
_TALLIES = """
SELECT target_no, stream_id, CAST(outcome AS BLOB), entries FROM tallies
ORDER BY target_no, stream_id, outcome
"""
_SUPERSESSIONS = "SELECT stream_id, entries FROM supersessions ORDER BY stream_id"
_RETAINED = "SELECT stream_id, kept, kept_bytes FROM streams ORDER BY stream_id"
_PURGED_COUNTS = """
SELECT stream_id, entries, bytes, archived, superseded FROM purged_counts ORDER BY stream_id
"""
_PURGED_TALLIES = """
SELECT target_no, stream_id, CAST(outcome AS BLOB), entries FROM purged_tallies
ORDER BY target_no, stream_id, outcome
"""
_HELD_COUNTS = """
SELECT stream_id, CAST(hold AS BLOB), superseded, purged, entries FROM held_counts
ORDER BY stream_id, hold, superseded, purged
"""
_BELOW_TALLIES = """
SELECT target_no, stream_id, CAST(outcome AS BLOB), entries FROM below_tallies
ORDER BY target_no, stream_id, outcome
"""
_ERASURES = """
SELECT MAX(COALESCE((SELECT MAX(body_no) FROM bodies), 0), b.highest) - b.entries,
       MAX(COALESCE((SELECT MAX(aside_no) FROM set_aside), 0), a.highest) - a.entries
FROM erasures b CROSS JOIN erasures a WHERE b.what = 'bodies' AND a.what = 'set_aside'
"""
# Rows that are made with their tables, and that what goes is held against.
_ROWS = """
SELECT (SELECT COUNT(*) FROM purging WHERE only_row = 1),
       (SELECT COUNT(*) FROM erasures WHERE what IN ('bodies', 'set_aside'))
"""
LEDGER_PAGE = """
SELECT l.target_no, l.stream_id, l.position, CAST(l.outcome AS BLOB),
       EXISTS (SELECT 1 FROM purged g WHERE g.stream_id = l.stream_id
                                        AND g.position = l.position),
       EXISTS (SELECT 1 FROM grants a WHERE a.target_no = l.target_no
                   AND a.stream_id = l.stream_id AND a.from_position >= l.position)
FROM ledger l WHERE (l.target_no, l.stream_id, l.position) > (?, ?, ?)
ORDER BY l.target_no, l.stream_id, l.position LIMIT ?
"""
SUPERSEDED_PAGE = """
SELECT stream_id, position FROM superseded WHERE (stream_id, position) > (?, ?)
ORDER BY stream_id, position LIMIT ?
"""
KEPT_PAGE = """
SELECT e.stream_id, e.position, e.size FROM entries e
WHERE (e.stream_id, e.position) > (?, ?)
  AND EXISTS (SELECT 1 FROM payloads p WHERE p.entry_id = e.entry_id)
  AND EXISTS (SELECT 1 FROM streams s WHERE s.stream_id = e.stream_id)
ORDER BY e.stream_id, e.position LIMIT ?
"""
HELD_PAGE = """
SELECT h.stream_id, h.position, CAST(h.hold AS BLOB),
       EXISTS (SELECT 1 FROM superseded s WHERE s.stream_id = h.stream_id
                                            AND s.position = h.position),
       EXISTS (SELECT 1 FROM purged g WHERE g.stream_id = h.stream_id
                                        AND g.position = h.position)
FROM holds h WHERE (h.stream_id, h.position) > (?, ?)
ORDER BY h.stream_id, h.position LIMIT ?
"""
PURGED_PAGE = """
SELECT g.stream_id, g.position, e.size, u.act = 'archive',
       EXISTS (SELECT 1 FROM superseded s WHERE s.stream_id = g.stream_id
                                            AND s.position = g.position)
FROM purged g
CROSS JOIN entries e ON e.stream_id = g.stream_id AND e.position = g.position
CROSS JOIN purges u ON u.purge_no = g.purge_no
WHERE (g.stream_id, g.position) > (?, ?) ORDER BY g.stream_id, g.position LIMIT ?
"""
BODIES_PAGE = "SELECT body_no FROM bodies WHERE body_no > ? ORDER BY body_no LIMIT ?"
ASIDE_PAGE = "SELECT aside_no FROM set_aside WHERE aside_no > ? ORDER BY aside_no LIMIT ?"
_Counts = Counter[tuple[Any, ...]]


class _Kind(NamedTuple):
    """Counters of one kind: how they are read, what their columns are, how to count anew."""

    what: str
    sql: str
    columns: tuple[str, ...]
    counted: tuple[str, ...]
    recount: Callable[[Database], _Counts]


def miscounts(database: Database) -> list[Miscount]:
    """See `Inspection.miscounts`."""
    names = Names(database)
    return [found for kept in _ALL for found in _differing(database, kept, names)]


def _differing(database: Database, kept: _Kind, names: Names) -> Iterator[Miscount]:
    for _ in range(_TRIES):
        before = database.rows(kept.sql)
        counted = kept.recount(database)
        if database.rows(kept.sql) == before:
            break
    else:
        return
    doubts = doubtful(database) if kept.what == "held" else frozenset()
    width = len(kept.columns)
    noted = {
        (*row[:width], name): number
        for row in before
        for name, number in zip(kept.counted, row[width:], strict=True)
    }
    for key in sorted(noted.keys() | counted.keys(), key=repr):
        if noted.get(key, 0) != counted[key]:
            yield Miscount(
                what=kept.what,
                where=_where(names, kept.columns, key),
                kept=noted.get(key, 0),
                counted=counted[key],
                is_mendable=key[0] not in doubts,
            )


def _where(names: Names, columns: tuple[str, ...], key: tuple[Any, ...]) -> str:
    return ", ".join(filter(None, [names.where(columns, key), *key[len(columns) :]]))


def _pages(database: Database, sql: str, width: int) -> Iterable[tuple[Any, ...]]:
    last: tuple[Any, ...] = (_LEAST,) * width
    while rows := database.rows(sql, (*last, _AT_ONCE)):
        yield from rows
        last = rows[-1][:width]


def _ledger(database: Database) -> _Counts:
    rows = _pages(database, LEDGER_PAGE, 3)
    return Counter((target_no, stream_id, word, "") for target_no, stream_id, _, word, *_ in rows)


def _purged_ledger(database: Database) -> _Counts:
    rows = _pages(database, LEDGER_PAGE, 3)
    return Counter((target, stream, word, "") for target, stream, _, word, gone, _ in rows if gone)


def _below_grants(database: Database) -> _Counts:
    rows = _pages(database, LEDGER_PAGE, 3)
    return Counter((target, stream, word, "") for target, stream, _, word, _, low in rows if low)


def _held(database: Database) -> _Counts:
    rows = _pages(database, HELD_PAGE, 2)
    return Counter((stream_id, hold, *marks, "") for stream_id, _, hold, *marks in rows)


def _superseded(database: Database) -> _Counts:
    return Counter((stream_id, "") for stream_id, _ in _pages(database, SUPERSEDED_PAGE, 2))


def _kept(database: Database) -> _Counts:
    counts: _Counts = Counter()
    for stream_id, _, size in _pages(database, KEPT_PAGE, 2):
        counts[stream_id, "events"] += 1
        counts[stream_id, "bytes"] += size
    return counts


def _purged(database: Database) -> _Counts:
    counts: _Counts = Counter()
    for stream_id, _, size, is_archived, is_superseded in _pages(database, PURGED_PAGE, 2):
        counts[stream_id, "events"] += 1
        counts[stream_id, "bytes"] += size
        counts[stream_id, "archived"] += is_archived
        counts[stream_id, "superseded"] += is_superseded
    return counts


def _alone(_: Database) -> _Counts:
    return Counter({("purging",): 1, ("erasures",): 2})


def _numbered(database: Database) -> _Counts:
    return Counter(
        {
            ("bodies",): sum(1 for _ in _pages(database, BODIES_PAGE, 1)),
            ("set aside",): sum(1 for _ in _pages(database, ASIDE_PAGE, 1)),
        }
    )


_OF_TARGET = ("target", "stream", "outcome")
_ALL = (
    _Kind("tallies", _TALLIES, _OF_TARGET, ("",), _ledger),
    _Kind("supersessions", _SUPERSESSIONS, ("stream",), ("",), _superseded),
    _Kind("kept", _RETAINED, ("stream",), ("events", "bytes"), _kept),
    _Kind(
        "purged",
        _PURGED_COUNTS,
        ("stream",),
        ("events", "bytes", "archived", "superseded"),
        _purged,
    ),
    _Kind("purged_tallies", _PURGED_TALLIES, _OF_TARGET, ("",), _purged_ledger),
    _Kind("held", _HELD_COUNTS, ("stream", "hold", "superseded", "purged"), ("",), _held),
    _Kind("below_tallies", _BELOW_TALLIES, _OF_TARGET, ("",), _below_grants),
    _Kind("erasures", _ERASURES, (), ("bodies", "set aside"), _numbered),
    _Kind("rows", _ROWS, (), ("purging", "erasures"), _alone),
)
