"""Numbers that stand for names in the tables."""

from eventsync_adapters.sqlite._connection import Database
from eventsync_core.errors import StoreUnreadableError, UnknownTargetError
from eventsync_core.events import Producer
from eventsync_core.journal import chain_start

# Each number is looked up by its name, and that name by the number: another one is damage.
_STREAM = """
SELECT s.stream_id, (SELECT b.stream FROM streams b WHERE b.stream_id = s.stream_id)
FROM streams s WHERE s.stream = ?
"""
_NEW_STREAM = """
INSERT INTO streams (stream_id, stream, head, chain, lamport)
SELECT COALESCE(MAX(stream_id), 0) + 1, ?, 0, ?, 0 FROM streams
"""
_TARGET = """
SELECT t.target_no, (SELECT b.target_id FROM targets b WHERE b.target_no = t.target_no)
FROM targets t WHERE t.target_id = ?
"""
_PRODUCER = """
SELECT producer_no FROM producers WHERE user_name = ? AND team = ? AND installation = ?
"""
_NEW_PRODUCER = """
INSERT INTO producers (producer_no, user_name, team, installation)
SELECT COALESCE(MAX(producer_no), 0) + 1, ?, ?, ? FROM producers
"""


class Keys:
    """
    Looks names up once for all units of work.

    What a rollback undid, or a restored backup may have given to others, is forgotten.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._upsets = 0
        self._streams: dict[str, int] = {}
        self._targets: dict[str, int] = {}

    def _may_keep(self) -> bool:
        """Only in a unit of our own it is known that numbers are still what they were."""
        if self._upsets != self._database.upsets:
            self._upsets = self._database.upsets
            self._streams.clear()
            self._targets.clear()
        return self._database.depth > 0 and not self._database.is_joined

    def _number(self, number: object, name: object, asked: str) -> int:
        if name != asked or not isinstance(number, int):
            raise StoreUnreadableError(f"{self._database.path} is damaged: it mixes up {asked!r}")
        return number

    def stream(self, stream: str) -> int | None:
        """Return the number of *stream*, or None if nothing was ever written to it."""
        may_keep = self._may_keep()
        found = self._streams.get(stream) if may_keep else None
        if found is None:
            row = self._database.row(_STREAM, (stream,))
            if row is None:
                return None
            found = self._number(row[0], row[1], stream)
            if may_keep:
                self._streams[stream] = found
        return found

    def stream_for_writing(self, stream: str) -> int:
        """Return the number of *stream*, which is made if it is new; inside a unit of work."""
        found = self.stream(stream)
        if found is None:
            self._database.run(_NEW_STREAM, (stream, chain_start(stream).hex()))
            row = self._database.row(_STREAM, (stream,))
            found = int(row[0]) if row else 0
        return found

    def producer_for_writing(self, producer: Producer) -> int:
        """Return the number of *producer*, who is noted if new; inside a unit of work."""
        names = (producer.user, producer.team, producer.installation)
        row = self._database.row(_PRODUCER, names)
        if row is None:
            self._database.run(_NEW_PRODUCER, names)
            row = self._database.row(_PRODUCER, names)
        return int(row[0]) if row else 0

    def target(self, target_id: str) -> int | None:
        """Return the number of the target, or None if it was never registered."""
        may_keep = self._may_keep()
        found = self._targets.get(target_id) if may_keep else None
        if found is None:
            row = self._database.row(_TARGET, (target_id,))
            if row is None:
                return None
            found = self._number(row[0], row[1], target_id)
            if may_keep:
                self._targets[target_id] = found
        return found

    def target_for_writing(self, target_id: str) -> int:
        """
        Return the number of the target.

        Raises:
            UnknownTargetError: It was never registered.
        """
        found = self.target(target_id)
        if found is None:
            raise UnknownTargetError(target_id)
        return found
