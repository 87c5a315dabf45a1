"""Streams in which something seems to have been held that is not: there mending frees nothing."""

from eventsync_adapters.sqlite._connection import Database
from eventsync_core.events import Hold

HOLD_WORDS = ", ".join(f"'{each}'" for each in Hold)
"""The words of holds that are known, as SQL."""
# More is noted as held than is, and it may be an entry about which nobody else says anything; or
# a row is said to be of a held entry that is not; or what is held is so for no known reason.
DOUBTFUL = f"""
SELECT c.stream_id FROM held_counts c GROUP BY c.stream_id
HAVING TOTAL(MAX(c.entries, 0)) > (
        SELECT COUNT(*) FROM holds h
        CROSS JOIN entries e ON e.stream_id = h.stream_id AND e.position = h.position
        WHERE h.stream_id = c.stream_id)
    AND EXISTS (
        SELECT 1 FROM entries e
        WHERE e.stream_id = c.stream_id
          AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.stream_id = e.stream_id
                                                  AND h.position = e.position)
          AND NOT EXISTS (SELECT 1 FROM superseded s WHERE s.stream_id = e.stream_id
                                                       AND s.position = e.position)
          AND NOT EXISTS (SELECT 1 FROM targets t
                          CROSS JOIN ledger l ON l.target_no = t.target_no
                                             AND l.stream_id = e.stream_id
                                             AND l.position = e.position))
UNION
SELECT r.stream_id FROM held_rows r
CROSS JOIN entries e ON e.stream_id = r.stream_id AND e.position = r.position
WHERE NOT EXISTS (SELECT 1 FROM holds h WHERE h.stream_id = r.stream_id
                                          AND h.position = r.position)
UNION
SELECT h.stream_id FROM holds h
WHERE h.hold NOT IN ({HOLD_WORDS})
"""  # noqa: S608 - made of constants


def doubtful(database: Database) -> frozenset[int]:
    """Return the numbers of these streams."""
    return frozenset(stream_id for (stream_id,) in database.rows(DOUBTFUL))
