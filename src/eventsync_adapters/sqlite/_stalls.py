from eventsync_adapters.sqlite._connection import Database

_LEFT_WAITING = """
SELECT DISTINCT t.target_id
FROM grants g CROSS JOIN targets t ON t.target_no = g.target_no
              CROSS JOIN streams s ON s.stream_id = g.stream_id
WHERE g.revoked_at IS NULL AND g.granted_at <= ?1 AND COALESCE(t.last_delivery_at, 0) <= ?1
  AND (EXISTS (SELECT 1 FROM due d WHERE d.target_no = g.target_no
                                     AND d.stream_id = g.stream_id AND d.is_owed = 1)
       OR (s.head > MAX(g.passed, g.from_position)
           AND EXISTS (SELECT 1 FROM entries e
                       WHERE e.stream_id = g.stream_id AND e.captured_at <= ?1
                         AND e.position = MAX(g.passed, g.from_position) + 1)))
LIMIT 1000
"""


def left_waiting(database: Database, *, before: int) -> frozenset[str]:
    """
    Return the ids of targets that may have been owed something, and got nothing, since *before*.

    Every target of which that is so is among them; of one that is, more has to be looked at.
    """
    return frozenset(target_id for (target_id,) in database.rows(_LEFT_WAITING, (before,)))
