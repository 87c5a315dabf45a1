"""What numbers in keys stand for, as commands call it."""

from collections.abc import Sequence

from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._damaged import text_of

STREAM_NAME = "SELECT CAST(stream AS BLOB) FROM streams WHERE stream_id = ?"
TARGET_NAME = "SELECT CAST(target_id AS BLOB) FROM targets WHERE target_no = ?"
_SQL = {"stream": STREAM_NAME, "target": TARGET_NAME}


class Names:
    """Looks each name up once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[tuple[str, object], str] = {}

    def name(self, what: str, number: object) -> str:
        """Return the name of the stream or target of that number; empty where there is none."""
        if what in _SQL and (what, number) not in self._known:
            row = self._database.row(_SQL[what], (number,))
            self._known[what, number] = "" if row is None else text_of(row[0])
        return self._known.get((what, number), "")

    def where(self, columns: Sequence[str], key: Sequence[object]) -> str:
        """Return *key*, of these columns, in words: with names where there are any."""
        return ", ".join(map(self._said, columns, key))

    def _said(self, what: str, value: object) -> str:
        if isinstance(value, bytes):
            return text_of(value)
        if what not in _SQL:
            return f"{what} {value}"
        return f"{what} {self.name(what, value) or f'number {value}'}"
