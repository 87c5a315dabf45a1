import attrs

from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._keys import Keys

_NOTE = """
INSERT INTO trace_contexts (stream_id, position, context) VALUES (?, ?, ?)
ON CONFLICT (stream_id, position) DO NOTHING
"""
_OF = "SELECT context FROM trace_contexts WHERE stream_id = ? AND position = ?"


@attrs.frozen
class SqliteTraces:
    """`Traces` in a table of their own."""

    _database: Database
    _keys: Keys

    def note(self, stream: str, position: int, context: str) -> None:
        """See `Traces.note`."""
        with self._database.write():
            number = self._keys.stream_for_writing(stream)
            self._database.run(_NOTE, (number, position, context))

    def of(self, stream: str, position: int) -> str | None:
        """See `Traces.of`."""
        row = self._database.row(_OF, (self._keys.stream(stream), position))
        return None if row is None else str(row[0])
