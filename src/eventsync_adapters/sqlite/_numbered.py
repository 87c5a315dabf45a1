"""Rows that may be erased: no number is given twice, and how many are left is never counted."""

from eventsync_adapters.sqlite._connection import Database

BODIES = """
SELECT MAX(COALESCE((SELECT MAX(body_no) FROM bodies), 0), highest), entries
FROM erasures WHERE what = 'bodies'
"""
ASIDE = """
SELECT MAX(COALESCE((SELECT MAX(aside_no) FROM set_aside), 0), highest), entries
FROM erasures WHERE what = 'set_aside'
"""
_ERASED = "UPDATE erasures SET highest = ?, entries = entries + ? WHERE what = ?"


def highest(database: Database, query: str) -> int:
    """Return the highest number that was ever given; *query* is `BODIES` or `ASIDE`."""
    return _numbers(database, query)[0]


def count(database: Database, query: str) -> int:
    """Return how many rows are left."""
    last, erased = _numbers(database, query)
    return last - erased


def erased(database: Database, bodies: tuple[int, int], aside: tuple[int, int]) -> None:
    """Note of both kinds the highest number before rows went, and how many did."""
    database.run(_ERASED, (*bodies, "bodies"))
    database.run(_ERASED, (*aside, "set_aside"))


def _numbers(database: Database, query: str) -> tuple[int, int]:
    row = database.row(query)
    return (0, 0) if row is None else (int(row[0]), int(row[1]))
