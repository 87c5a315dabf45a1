from collections.abc import Sequence

import attrs

from eventsync_core.ingest._port import Kept


@attrs.define
class MemoryInbox:
    """An `Inbox` that lives as long as the object; for one thread at a time."""

    _kept: list[Kept] = attrs.field(factory=list)
    _texts: dict[str, str] = attrs.field(factory=dict)

    def take(self, events: Sequence[tuple[str, str]]) -> list[bool]:
        """See `Inbox.take`."""
        are_new = []
        for event_id, text in events:
            is_new = event_id not in self._texts
            if is_new:
                self._texts[event_id] = text
                self._kept.append(Kept(len(self._kept) + 1, event_id, text))
            are_new.append(is_new)
        return are_new

    def received(self, *, after: int = 0, limit: int = 1_000) -> list[Kept]:
        """See `Inbox.received`."""
        return self._kept[after : after + limit]

    def get(self, event_id: str) -> str | None:
        """See `Inbox.get`."""
        return self._texts.get(event_id)

    def count(self) -> int:
        """See `Inbox.count`."""
        return len(self._kept)
