import re
import sqlite3
from collections.abc import Iterable

from eventsync_adapters import machine
from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._doubts import DOUBTFUL
from eventsync_adapters.sqlite._migrate import strange_parts
from eventsync_adapters.sqlite._rows import OWED, SETTLED
from eventsync_core.errors import StoreUnreadableError
from eventsync_core.inspection import Checked, Dangling, Link
from eventsync_core.receivers import Outcome

_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
_MOST = 20
_DECIDING = {
    Link.HOLD: "holds",
    Link.GRANT: "grants",
    Link.GRANT_ACT: "grant_acts",
    Link.LEASE: "streams",
    Link.ALIAS: "targets",
}
_STEPS = 10_000
# Set right at one go, in one unit of work.
_RECOUNT = (
    "DELETE FROM tallies",
    """
    INSERT INTO tallies (target_no, stream_id, outcome, entries)
    SELECT target_no, stream_id, outcome, COUNT(*) FROM ledger
    GROUP BY target_no, stream_id, outcome
    """,
    "DELETE FROM supersessions",
    """
    INSERT INTO supersessions (stream_id, entries)
    SELECT stream_id, COUNT(*) FROM superseded GROUP BY stream_id
    """,
    """
    UPDATE streams
    SET (kept, kept_bytes) = (SELECT COUNT(*), COALESCE(SUM(e.size), 0)
                              FROM entries e JOIN payloads p ON p.entry_id = e.entry_id
                              WHERE e.stream_id = streams.stream_id)
    """,
    "DELETE FROM purged_counts",
    """
    INSERT INTO purged_counts (stream_id, entries, bytes, archived, superseded)
    SELECT g.stream_id, COUNT(*), SUM(e.size), SUM(u.act = 'archive'), COUNT(s.position)
    FROM purged g
    JOIN entries e ON e.stream_id = g.stream_id AND e.position = g.position
    JOIN purges u ON u.purge_no = g.purge_no
    LEFT JOIN superseded s ON s.stream_id = g.stream_id AND s.position = g.position
    GROUP BY g.stream_id
    """,
    "DELETE FROM purged_tallies",
    """
    INSERT INTO purged_tallies (target_no, stream_id, outcome, entries)
    SELECT l.target_no, l.stream_id, l.outcome, COUNT(*)
    FROM ledger l JOIN purged g ON g.stream_id = l.stream_id AND g.position = l.position
    GROUP BY l.target_no, l.stream_id, l.outcome
    """,
    # What says that something was held stays until somebody decided.
    f"DELETE FROM held_counts WHERE stream_id NOT IN ({DOUBTFUL})",  # noqa: S608
    f"""
    INSERT INTO held_counts (stream_id, hold, superseded, purged, entries)
    SELECT h.stream_id, h.hold, s.position IS NOT NULL, g.position IS NOT NULL, COUNT(*)
    FROM holds h
    LEFT JOIN superseded s ON s.stream_id = h.stream_id AND s.position = h.position
    LEFT JOIN purged g ON g.stream_id = h.stream_id AND g.position = h.position
    WHERE h.stream_id NOT IN ({DOUBTFUL})
    GROUP BY 1, 2, 3, 4
    """,  # noqa: S608
    "DELETE FROM below_tallies",
    """
    INSERT INTO below_tallies (target_no, stream_id, outcome, entries)
    SELECT l.target_no, l.stream_id, l.outcome, COUNT(*)
    FROM grants a JOIN ledger l ON l.target_no = a.target_no AND l.stream_id = a.stream_id
                               AND l.position <= a.from_position
    GROUP BY 1, 2, 3
    """,
    "INSERT OR IGNORE INTO purging (only_row, stream_id, is_whole) VALUES (1, 0, 0)",
    "INSERT OR IGNORE INTO erasures (what, highest, entries) VALUES ('bodies', 0, 0)",
    "INSERT OR IGNORE INTO erasures (what, highest, entries) VALUES ('set_aside', 0, 0)",
    """
    UPDATE erasures
    SET entries = MAX(COALESCE((SELECT MAX(body_no) FROM bodies), 0), highest)
                  - (SELECT COUNT(*) FROM bodies)
    WHERE what = 'bodies'
    """,
    """
    UPDATE erasures
    SET entries = MAX(COALESCE((SELECT MAX(aside_no) FROM set_aside), 0), highest)
                  - (SELECT COUNT(*) FROM set_aside)
    WHERE what = 'set_aside'
    """,
)
# These are written anew where SQLite complains of them; all that they say follows from others.
_FOLLOWING = (
    "due",
    "held_rows",
    "superseded_rows",
    "tallies",
    "supersessions",
    "purged_counts",
    "purged_tallies",
    "held_counts",
    "below_tallies",
)
_OF_ROWS = re.compile(
    r"(from|in|# of entries in) index |PRIMARY KEY order| value in |holds what is no "
)
_ANEW = (
    "CREATE TEMP TABLE as_it_was AS SELECT * FROM {0} NOT INDEXED",
    "DELETE FROM {0}",
    "INSERT OR IGNORE INTO {0} SELECT * FROM temp.as_it_was",
    "DROP TABLE temp.as_it_was",
)
# These change only what does not fit: held rows first, for what is due looks at them.
_FIT = (
    # From there on a drain looks; a head that lies below an entry says nothing.
    """
    UPDATE grants SET passed = (SELECT s.head FROM streams s WHERE s.stream_id = grants.stream_id)
    WHERE EXISTS (SELECT 1 FROM streams s
                  WHERE s.stream_id = grants.stream_id AND grants.passed > s.head
                    AND NOT EXISTS (SELECT 1 FROM entries e WHERE e.stream_id = s.stream_id
                                                              AND e.position > s.head))
    """,
    """
    DELETE FROM held_rows
    WHERE NOT EXISTS (SELECT 1 FROM ledger l WHERE l.target_no = held_rows.target_no
                          AND l.stream_id = held_rows.stream_id
                          AND l.position = held_rows.position)
      AND (EXISTS (SELECT 1 FROM holds h WHERE h.stream_id = held_rows.stream_id
                                           AND h.position = held_rows.position)
           OR NOT EXISTS (SELECT 1 FROM entries e WHERE e.stream_id = held_rows.stream_id
                                                    AND e.position = held_rows.position))
    """,
    """
    INSERT OR IGNORE INTO held_rows (target_no, stream_id, position)
    SELECT l.target_no, l.stream_id, l.position
    FROM targets t CROSS JOIN holds h
         CROSS JOIN ledger l ON l.target_no = t.target_no AND l.stream_id = h.stream_id
                            AND l.position = h.position
    """,
    """
    DELETE FROM superseded_rows
    WHERE NOT EXISTS (SELECT 1 FROM ledger l WHERE l.target_no = superseded_rows.target_no
                          AND l.stream_id = superseded_rows.stream_id
                          AND l.position = superseded_rows.position)
      AND (EXISTS (SELECT 1 FROM superseded s WHERE s.stream_id = superseded_rows.stream_id
                                                AND s.position = superseded_rows.position)
           OR NOT EXISTS (SELECT 1 FROM entries e WHERE e.stream_id = superseded_rows.stream_id
                                                    AND e.position = superseded_rows.position))
    """,
    """
    INSERT OR IGNORE INTO superseded_rows (target_no, stream_id, position)
    SELECT l.target_no, l.stream_id, l.position
    FROM targets t CROSS JOIN superseded s
         CROSS JOIN ledger l ON l.target_no = t.target_no AND l.stream_id = s.stream_id
                            AND l.position = s.position
    """,
    f"UPDATE ledger SET due_at = NULL WHERE due_at IS NOT NULL AND outcome IN ({SETTLED})",  # noqa: S608
    # What is open is offered soon rather than never, whichever of its times is the wrong one.
    f"""
    UPDATE ledger SET due_at = ?1
    WHERE outcome NOT IN ({SETTLED})
      AND (due_at IS NULL
           OR NOT EXISTS (SELECT 1 FROM due d WHERE d.target_no = ledger.target_no
                              AND d.stream_id = ledger.stream_id
                              AND d.lane IN ('first', 'rejected') AND d.due_at = ledger.due_at
                              AND d.position = ledger.position)
              AND EXISTS (SELECT 1 FROM due d WHERE d.target_no = ledger.target_no
                              AND d.stream_id = ledger.stream_id AND d.is_owed IN (0, 1)
                              AND d.position = ledger.position))
    """,  # noqa: S608
    """
    DELETE FROM due
    WHERE typeof(aggregate) NOT IN ('text', 'null')
       OR NOT EXISTS (SELECT 1 FROM ledger l WHERE l.target_no = due.target_no
                          AND l.stream_id = due.stream_id AND l.position = due.position
                          AND l.due_at = due.due_at
                          AND due.is_owed = (l.outcome <> 'pending')
                          AND due.lane = CASE l.outcome WHEN 'rejected' THEN 'rejected'
                                                        ELSE 'first' END)
    """,
    """
    INSERT INTO due (target_no, stream_id, lane, due_at, position, aggregate, is_owed)
    SELECT l.target_no, l.stream_id,
           CASE l.outcome WHEN 'rejected' THEN 'rejected' ELSE 'first' END, l.due_at, l.position,
           CASE WHEN l.outcome IN ('owed', 'transient', 'unknown_effect') THEN e.aggregate END,
           l.outcome <> 'pending'
    FROM ledger l JOIN entries e ON e.stream_id = l.stream_id AND e.position = l.position
    WHERE l.due_at IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM purged g WHERE g.stream_id = l.stream_id
                                               AND g.position = l.position)
      AND NOT EXISTS (SELECT 1 FROM superseded s WHERE s.stream_id = l.stream_id
                                                   AND s.position = l.position)
      AND NOT EXISTS (SELECT 1 FROM due d WHERE d.target_no = l.target_no
                          AND d.stream_id = l.stream_id AND d.lane IN ('first', 'rejected')
                          AND d.due_at = l.due_at AND d.position = l.position)
      AND (NOT EXISTS (SELECT 1 FROM held_rows r WHERE r.target_no = l.target_no
                           AND r.stream_id = l.stream_id AND r.position = l.position)
           OR EXISTS (SELECT 1 FROM holds h WHERE h.stream_id = l.stream_id
                                              AND h.position = l.position))
    """,
)


def recount(database: Database, *, at: int) -> int:
    """
    Let counters and due rows be what the ledger and the links say; inside a unit of work.

    An open row of the ledger with no time, or with two, is due at *at*. Returned is how many
    rows, of those that are no counters, were written or removed.

    Raises:
        StoreUnreadableError: The ledger says a word that is no outcome.
    """
    for (word,) in database.rows("SELECT outcome FROM ledger GROUP BY outcome"):
        if word != OWED and word not in list(Outcome):
            message = f"{database.path} is damaged: {word!r} is no outcome; nothing was mended"
            raise StoreUnreadableError(message)
    anew = sum(_write_anew(database, name) for name in _FOLLOWING)
    for statement in _RECOUNT:
        database.run(statement)
    return anew + sum(database.run(sql, (at,) if "?1" in sql else ()) for sql in _FIT)


def _write_anew(database: Database, table: str) -> int:
    """Write *table* and its indexes anew if SQLite complains of its rows; return their number."""
    if not _are_of_rows(_complaints(database, table, "integrity_check")):
        return 0
    _, _, rows, _ = [database.run(statement.format(table)) for statement in _ANEW]
    return rows


def _are_of_rows(flaws: Iterable[str]) -> bool:
    """Say whether there are *flaws*, and all of rows, not of the pages that hold them."""
    found = [_OF_ROWS.search(flaw) for flaw in flaws]
    return bool(found) and all(found)


def _complaints(database: Database, table: str, pragma: str) -> list[str]:
    said = database.rows(f"PRAGMA {pragma}({table})")
    return [" ".join(str(line).split()) for (line,) in said if line != "ok"]


def torn_indexes(database: Database, link: Link) -> list[Dangling]:
    """Say what differs between an index and its table, for tables that decide what may leave."""
    table = _DECIDING.get(link)
    lines = [] if table is None else _complaints(database, table, "integrity_check")
    return [Dangling(link=link, where=line, missing="index") for line in lines[:_MOST]]


def check(database: Database, *, seconds: float | None, thorough: bool) -> Checked:
    """See `Inspection.check`; table by table, so that no statement is open for all of it."""
    pragma = "integrity_check" if thorough else "quick_check"
    deadline = None if seconds is None else machine.monotonic() + seconds

    def is_over() -> bool:
        return deadline is not None and machine.monotonic() > deadline

    schema, flaws, others = strange_parts(database), list[str](), list[str]()
    connection = database.connection
    connection.set_progress_handler(is_over, _STEPS)
    try:
        for (name,) in database.rows(_TABLES):
            found = _complaints(database, name, pragma) + _of_other_types(database, name)
            flaws += found
            if name not in _FOLLOWING or not _are_of_rows(found):
                others += found
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_INTERRUPT:
            raise
        return Checked(flaws[:_MOST], is_finished=False, schema=schema)
    finally:
        connection.set_progress_handler(None, _STEPS)
    return Checked(flaws[:_MOST], schema=schema, is_mendable=bool(flaws) and not others)


def _of_other_types(database: Database, table: str) -> list[str]:
    """Name the columns of *table* with values that SQLite keeps, and eventsync never writes."""
    wrong = []
    for _, column, kind, *_ in database.rows(f"PRAGMA table_info({table})"):
        right = "integer" if kind in ("BIGINT", "INTEGER") else "text"
        sql = f"SELECT 1 FROM {table} WHERE typeof({column}) NOT IN (?, 'null') LIMIT 1"  # noqa: S608
        if database.rows(sql, (right,)):
            wrong.append(f"{table}.{column} holds what is no {right}")
    return wrong
