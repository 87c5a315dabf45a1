"""What must be there for what: one statement for each kind of reference, by key."""

from typing import NamedTuple

from eventsync_adapters.sqlite._body_failures import BY_PARTS
from eventsync_adapters.sqlite._doubts import HOLD_WORDS
from eventsync_adapters.sqlite._rows import OUTCOMES, SETTLED
from eventsync_core.inspection import NO_OUTCOME, UNTIMELY, Link

# Each returns its key, the number of a stream or NULL, and what is missing or NULL.
ENTRIES = """
SELECT e.entry_id, e.stream_id, CASE
    WHEN NOT EXISTS (SELECT 1 FROM streams s WHERE s.stream_id = e.stream_id) THEN 'stream'
    WHEN e.producer_no IS NOT NULL AND NOT EXISTS
        (SELECT 1 FROM producers p WHERE p.producer_no = e.producer_no) THEN 'producer' END
FROM entries e WHERE e.entry_id > ? ORDER BY e.entry_id LIMIT ?
"""
PAYLOADS = """
SELECT p.entry_id, NULL, CASE
    WHEN NOT EXISTS (SELECT 1 FROM entries e WHERE e.entry_id = p.entry_id) THEN 'entry' END
FROM payloads p WHERE p.entry_id > ? ORDER BY p.entry_id LIMIT ?
"""
HOLDS = f"""
SELECT h.stream_id, h.position, h.stream_id, CASE
    WHEN h.hold NOT IN ({HOLD_WORDS})
        THEN 'hold of that name'
    WHEN NOT EXISTS (SELECT 1 FROM entries e WHERE e.stream_id = h.stream_id
                                               AND e.position = h.position) THEN 'entry' END
FROM holds h WHERE (h.stream_id, h.position) > (?, ?) ORDER BY h.stream_id, h.position LIMIT ?
"""  # noqa: S608 - made of constants
HELD_ROWS = """
SELECT r.target_no, r.stream_id, r.position, r.stream_id, CASE
    WHEN NOT EXISTS (SELECT 1 FROM ledger l WHERE l.target_no = r.target_no
                         AND l.stream_id = r.stream_id AND l.position = r.position)
        AND (EXISTS (SELECT 1 FROM holds h WHERE h.stream_id = r.stream_id
                                             AND h.position = r.position)
             OR NOT EXISTS (SELECT 1 FROM entries e WHERE e.stream_id = r.stream_id
                                                      AND e.position = r.position))
        THEN 'ledger'
    WHEN NOT EXISTS (SELECT 1 FROM holds h WHERE h.stream_id = r.stream_id
                                             AND h.position = r.position) THEN 'hold' END
FROM held_rows r WHERE (r.target_no, r.stream_id, r.position) > (?, ?, ?)
ORDER BY r.target_no, r.stream_id, r.position LIMIT ?
"""
RELEASED_HOLDS = f"""
SELECT h.stream_id, h.position, h.number, h.stream_id, CASE
    WHEN h.hold NOT IN ({HOLD_WORDS})
        THEN 'hold of that name'
    WHEN NOT EXISTS (SELECT 1 FROM entries e WHERE e.stream_id = h.stream_id
                                               AND e.position = h.position) THEN 'entry' END
FROM released_holds h WHERE (h.stream_id, h.position, h.number) > (?, ?, ?)
ORDER BY h.stream_id, h.position, h.number LIMIT ?
"""  # noqa: S608 - made of constants
SUPERSEDED = """
SELECT u.stream_id, u.position, u.stream_id, CASE
    WHEN NOT EXISTS (SELECT 1 FROM entries e WHERE e.stream_id = u.stream_id
                                               AND e.position = u.position) THEN 'entry'
    WHEN NOT EXISTS (SELECT 1 FROM entries e WHERE e.stream_id = u.stream_id
                         AND e.position = u.superseded_by) THEN 'entry that stands for it' END
FROM superseded u WHERE (u.stream_id, u.position) > (?, ?)
ORDER BY u.stream_id, u.position LIMIT ?
"""
SUPERSEDED_ROWS = """
SELECT r.target_no, r.stream_id, r.position, r.stream_id, CASE
    WHEN NOT EXISTS (SELECT 1 FROM ledger l WHERE l.target_no = r.target_no
                         AND l.stream_id = r.stream_id AND l.position = r.position)
        AND (EXISTS (SELECT 1 FROM superseded s WHERE s.stream_id = r.stream_id
                                                  AND s.position = r.position)
             OR NOT EXISTS (SELECT 1 FROM entries e WHERE e.stream_id = r.stream_id
                                                      AND e.position = r.position))
        THEN 'ledger'
    WHEN NOT EXISTS (SELECT 1 FROM superseded s WHERE s.stream_id = r.stream_id
                                                  AND s.position = r.position) THEN 'superseded' END
FROM superseded_rows r WHERE (r.target_no, r.stream_id, r.position) > (?, ?, ?)
ORDER BY r.target_no, r.stream_id, r.position LIMIT ?
"""
KEYED = """
SELECT k.stream_id, k.key, k.position, k.stream_id, CASE
    WHEN NOT EXISTS (SELECT 1 FROM entries e WHERE e.stream_id = k.stream_id
                                               AND e.position = k.position) THEN 'entry' END
FROM keyed k WHERE (k.stream_id, k.key, k.position) > (?, ?, ?)
ORDER BY k.stream_id, k.key, k.position LIMIT ?
"""
GRANTS = """
SELECT g.target_no, g.stream_id, g.stream_id, CASE
    WHEN NOT EXISTS (SELECT 1 FROM targets t WHERE t.target_no = g.target_no) THEN 'target'
    WHEN NOT EXISTS (SELECT 1 FROM streams s WHERE s.stream_id = g.stream_id) THEN 'stream'
    WHEN NOT EXISTS (SELECT 1 FROM grant_acts a WHERE a.target_no = g.target_no
                         AND a.stream_id = g.stream_id AND a.generation = g.generation
                         AND a.from_position = g.from_position
                         AND a.from_body = g.from_body)
        OR (SELECT a.act = 'granted' FROM grant_acts a
            WHERE a.target_no = g.target_no AND a.stream_id = g.stream_id
              AND a.act IN ('granted', 'revoked')
            ORDER BY a.generation DESC LIMIT 1) IS NOT (g.revoked_at IS NULL) THEN 'grant_act'
    WHEN g.passed > (SELECT s.head FROM streams s WHERE s.stream_id = g.stream_id)
        THEN CASE WHEN EXISTS (SELECT 1 FROM streams s
                               CROSS JOIN entries e ON e.stream_id = s.stream_id
                                                   AND e.position > s.head
                               WHERE s.stream_id = g.stream_id)
            THEN 'head' ELSE 'entry at its cursor' END END
FROM grants g WHERE (g.target_no, g.stream_id) > (?, ?)
ORDER BY g.target_no, g.stream_id LIMIT ?
"""
GRANT_ACTS = """
SELECT a.target_no, a.act_no, a.stream_id, CASE
    WHEN NOT EXISTS (SELECT 1 FROM grants g WHERE g.target_no = a.target_no
                                              AND g.stream_id = a.stream_id) THEN 'grant' END
FROM grant_acts a WHERE (a.target_no, a.act_no) > (?, ?) ORDER BY a.target_no, a.act_no LIMIT ?
"""
LEASES = """
SELECT l.target_no, l.stream_id, l.stream_id, CASE
    WHEN NOT EXISTS (SELECT 1 FROM targets t WHERE t.target_no = l.target_no) THEN 'target'
    WHEN NOT EXISTS (SELECT 1 FROM streams s WHERE s.stream_id = l.stream_id) THEN 'stream'
    WHEN l.open_request <> 0 AND NOT EXISTS
        (SELECT 1 FROM requests r WHERE r.request_id = l.open_request) THEN 'request' END
FROM leases l WHERE (l.target_no, l.stream_id) > (?, ?)
ORDER BY l.target_no, l.stream_id LIMIT ?
"""
LEDGER = f"""
SELECT l.target_no, l.stream_id, l.position, l.stream_id,
       (SELECT CAST(r.positions AS BLOB) FROM requests r WHERE r.request_id = l.request_id), CASE
    WHEN l.outcome NOT IN ({OUTCOMES}) THEN '{NO_OUTCOME}'
    WHEN NOT EXISTS (SELECT 1 FROM targets t WHERE t.target_no = l.target_no) THEN 'target'
    WHEN NOT EXISTS (SELECT 1 FROM entries e WHERE e.stream_id = l.stream_id
                                               AND e.position = l.position) THEN 'entry'
    WHEN l.request_id <> 0 AND NOT EXISTS
        (SELECT 1 FROM requests r WHERE r.request_id = l.request_id
             AND r.target_no = l.target_no AND r.stream_id = l.stream_id) THEN 'request'
    WHEN l.request_id = 0 AND l.outcome IN ('success', 'duplicate') AND NOT EXISTS
        (SELECT 1 FROM answers a WHERE a.stream_id = l.stream_id AND a.position = l.position
             AND a.target_no = l.target_no) THEN 'request'
    WHEN (l.due_at IS NULL) <> (l.outcome IN ({SETTLED})) THEN '{UNTIMELY}'
    WHEN l.due_at IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM purged g WHERE g.stream_id = l.stream_id
                                                 AND g.position = l.position)
        AND NOT EXISTS (SELECT 1 FROM superseded s WHERE s.stream_id = l.stream_id
                                                     AND s.position = l.position)
        AND NOT EXISTS
        (SELECT 1 FROM due d WHERE d.target_no = l.target_no AND d.stream_id = l.stream_id
             AND d.lane = CASE l.outcome WHEN 'rejected' THEN 'rejected' ELSE 'first' END
             AND d.due_at = l.due_at AND d.position = l.position
             AND d.is_owed = (l.outcome <> 'pending')) THEN 'due'
    WHEN EXISTS (SELECT 1 FROM holds h WHERE h.stream_id = l.stream_id
                                         AND h.position = l.position)
        AND NOT EXISTS (SELECT 1 FROM held_rows r WHERE r.target_no = l.target_no
                            AND r.stream_id = l.stream_id AND r.position = l.position)
        THEN 'held row'
    WHEN EXISTS (SELECT 1 FROM superseded s WHERE s.stream_id = l.stream_id
                                              AND s.position = l.position)
        AND NOT EXISTS (SELECT 1 FROM superseded_rows r WHERE r.target_no = l.target_no
                            AND r.stream_id = l.stream_id AND r.position = l.position)
        THEN 'superseded row' END
FROM ledger l WHERE (l.target_no, l.stream_id, l.position) > (?, ?, ?)
ORDER BY l.target_no, l.stream_id, l.position LIMIT ?
"""  # noqa: S608 - made of constants
DUE = f"""
SELECT d.target_no, d.stream_id, d.lane, d.due_at, d.position, d.stream_id, CASE
    WHEN NOT EXISTS (SELECT 1 FROM ledger l WHERE l.target_no = d.target_no
                         AND l.stream_id = d.stream_id AND l.position = d.position
                         AND l.due_at = d.due_at AND l.outcome NOT IN ({SETTLED})
                         AND d.is_owed = (l.outcome <> 'pending')
                         AND d.lane = CASE l.outcome WHEN 'rejected' THEN 'rejected'
                                                     ELSE 'first' END) THEN 'ledger' END
FROM due d WHERE (d.target_no, d.stream_id, d.lane, d.due_at, d.position) > (?, ?, ?, ?, ?)
ORDER BY d.target_no, d.stream_id, d.lane, d.due_at, d.position LIMIT ?
"""  # noqa: S608 - made of constants
ANSWERS = """
SELECT a.answer_id, a.stream_id, CASE
    WHEN NOT EXISTS (SELECT 1 FROM targets t WHERE t.target_no = a.target_no) THEN 'target'
    WHEN NOT EXISTS (SELECT 1 FROM entries e WHERE e.stream_id = a.stream_id
                                               AND e.position = a.position) THEN 'entry'
    WHEN a.request_id <> 0 AND NOT EXISTS
        (SELECT 1 FROM requests r WHERE r.request_id = a.request_id) THEN 'request' END
FROM answers a WHERE a.answer_id > ? ORDER BY a.answer_id LIMIT ?
"""
BODIES = """
SELECT b.body_no, b.stream_id, CASE
    WHEN NOT EXISTS (SELECT 1 FROM streams s WHERE s.stream_id = b.stream_id) THEN 'stream' END
FROM bodies b WHERE b.body_no > ? ORDER BY b.body_no LIMIT ?
"""
BODY_CONTENTS = """
SELECT c.body_no, NULL, CASE
    WHEN NOT EXISTS (SELECT 1 FROM bodies b WHERE b.body_no = c.body_no) THEN 'body' END
FROM body_contents c WHERE c.body_no > ? ORDER BY c.body_no LIMIT ?
"""
BODY_STANDINGS = """
SELECT s.target_no, s.stream_id, s.body_no, s.stream_id, CASE
    WHEN NOT EXISTS (SELECT 1 FROM targets t WHERE t.target_no = s.target_no) THEN 'target'
    WHEN NOT EXISTS (SELECT 1 FROM bodies b WHERE b.body_no = s.body_no) THEN 'body' END
FROM body_standings s WHERE (s.target_no, s.stream_id, s.body_no) > (?, ?, ?)
ORDER BY s.target_no, s.stream_id, s.body_no LIMIT ?
"""
PROVENANCE = """
SELECT v.source_no, v.part, v.row_no, v.digest, NULL, CAST(v.event_id AS BLOB), CASE
    WHEN NOT EXISTS (SELECT 1 FROM legacy_sources o WHERE o.source_no = v.source_no) THEN 'source'
    WHEN NOT EXISTS (SELECT 1 FROM entries e WHERE e.event_id = v.event_id) THEN 'entry' END
FROM provenance v WHERE (v.source_no, v.part, v.row_no, v.digest) > (?, ?, ?, ?)
ORDER BY v.source_no, v.part, v.row_no, v.digest LIMIT ?
"""
# What the rows of these parts name is no event.
BODY_NAMED = f"SELECT 1 FROM bodies WHERE {BY_PARTS}"  # noqa: S608 - made of constants
FAILURE_NAMED = f"SELECT 1 FROM body_failures WHERE {BY_PARTS} AND reason = ?"  # noqa: S608 - made of constants
SET_ASIDE = """
SELECT a.aside_no, NULL, CASE
    WHEN NOT EXISTS (SELECT 1 FROM legacy_sources o WHERE o.source_no = a.source_no) THEN 'source'
    END
FROM set_aside a WHERE a.aside_no > ? ORDER BY a.aside_no LIMIT ?
"""
BODY_REOPENINGS = """
SELECT r.target_no, r.body_no, r.reopening_no, NULL, CASE
    WHEN NOT EXISTS (SELECT 1 FROM targets t WHERE t.target_no = r.target_no) THEN 'target'
    WHEN NOT EXISTS (SELECT 1 FROM bodies b WHERE b.body_no = r.body_no) THEN 'body' END
FROM body_reopenings r WHERE (r.target_no, r.body_no, r.reopening_no) > (?, ?, ?)
ORDER BY r.target_no, r.body_no, r.reopening_no LIMIT ?
"""
ALIASES = """
SELECT a.alias, a.target_no, NULL, CASE
    WHEN NOT EXISTS (SELECT 1 FROM targets t WHERE t.target_no = a.target_no) THEN 'target' END
FROM aliases a WHERE (a.alias, a.target_no) > (?, ?) ORDER BY a.alias, a.target_no LIMIT ?
"""
PAST_DELIVERIES = """
SELECT d.past_no, d.stream_id, CASE
    WHEN NOT EXISTS (SELECT 1 FROM legacy_sources o WHERE o.source_no = d.source_no) THEN 'source'
    WHEN NOT EXISTS (SELECT 1 FROM targets t WHERE t.target_no = d.target_no) THEN 'target'
    WHEN NOT EXISTS (SELECT 1 FROM entries e WHERE e.stream_id = d.stream_id
                                               AND e.position = d.position) THEN 'entry' END
FROM past_deliveries d WHERE d.past_no > ? ORDER BY d.past_no LIMIT ?
"""
PURGED = """
SELECT g.stream_id, g.position, g.stream_id, CASE
    WHEN NOT EXISTS (SELECT 1 FROM purges u WHERE u.purge_no = g.purge_no) THEN 'purge'
    WHEN NOT EXISTS (SELECT 1 FROM entries e WHERE e.stream_id = g.stream_id
                                               AND e.position = g.position) THEN 'entry' END
FROM purged g WHERE (g.stream_id, g.position) > (?, ?) ORDER BY g.stream_id, g.position LIMIT ?
"""
TRACES = """
SELECT c.stream_id, c.position, c.stream_id, CASE
    WHEN NOT EXISTS (SELECT 1 FROM entries e WHERE e.stream_id = c.stream_id
                                               AND e.position = c.position) THEN 'entry' END
FROM trace_contexts c WHERE (c.stream_id, c.position) > (?, ?)
ORDER BY c.stream_id, c.position LIMIT ?
"""


class Question(NamedTuple):
    """A statement, what its key consists of, and which parts of it are texts."""

    sql: str
    keys: tuple[str, ...]
    texts: tuple[str, ...] = ()


_AT_STREAM = ("stream", "position")
_OF_GRANT = ("target", "stream")
QUESTIONS = {
    Link.ENTRY: Question(ENTRIES, ("entry number",)),
    Link.PAYLOAD: Question(PAYLOADS, ("entry number",)),
    Link.HOLD: Question(HOLDS, _AT_STREAM),
    Link.HELD_ROW: Question(HELD_ROWS, (*_OF_GRANT, "position")),
    Link.RELEASED_HOLD: Question(RELEASED_HOLDS, (*_AT_STREAM, "number")),
    Link.SUPERSEDED: Question(SUPERSEDED, _AT_STREAM),
    Link.SUPERSEDED_ROW: Question(SUPERSEDED_ROWS, (*_OF_GRANT, "position")),
    Link.KEYED: Question(KEYED, ("stream", "key", "position"), ("key",)),
    Link.GRANT: Question(GRANTS, _OF_GRANT),
    Link.GRANT_ACT: Question(GRANT_ACTS, ("target", "number")),
    Link.LEASE: Question(LEASES, _OF_GRANT),
    Link.LEDGER: Question(LEDGER, (*_OF_GRANT, "position")),
    Link.DUE: Question(DUE, (*_OF_GRANT, "lane", "due at", "position"), ("lane",)),
    Link.ANSWER: Question(ANSWERS, ("answer",)),
    Link.BODY: Question(BODIES, ("body",)),
    Link.BODY_CONTENT: Question(BODY_CONTENTS, ("body",)),
    Link.BODY_STANDING: Question(BODY_STANDINGS, (*_OF_GRANT, "body")),
    Link.BODY_REOPENING: Question(BODY_REOPENINGS, ("target", "body", "number")),
    Link.ALIAS: Question(ALIASES, ("alias", "target"), ("alias",)),
    Link.PAST_DELIVERY: Question(PAST_DELIVERIES, ("number",)),
    Link.PURGED: Question(PURGED, _AT_STREAM),
    Link.TRACE: Question(TRACES, _AT_STREAM),
    Link.PROVENANCE: Question(PROVENANCE, ("source", "part", "row", "digest"), ("part", "digest")),
    Link.SET_ASIDE: Question(SET_ASIDE, ("row",)),
}
