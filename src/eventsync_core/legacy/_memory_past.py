from collections.abc import Sequence

import attrs

from eventsync_core.ledger import HistoryItem, MemoryLedger
from eventsync_core.legacy._model import RowKey
from eventsync_core.legacy._past import NOTED, PastDelivery, settle_past
from eventsync_core.targets import TargetRegistry


@attrs.define
class MemoryPast:
    """`Past` that lives as long as the object."""

    targets: TargetRegistry
    ledger: MemoryLedger
    _aliases: dict[tuple[str, str], int] = attrs.field(factory=dict)
    _brought: dict[tuple[str, RowKey], PastDelivery] = attrs.field(factory=dict)
    _contents: dict[tuple[str, str, int, bytes], int] = attrs.field(factory=dict)

    def call(self, target_id: str, alias: str, *, at: int) -> bool:
        """See `Past.call`."""
        self.targets.get(target_id)
        is_new = (target_id, alias) not in self._aliases
        self._aliases.setdefault((target_id, alias), at)
        return is_new

    def aliases(self, target_id: str) -> list[str]:
        """See `Past.aliases`."""
        return sorted(alias for whose, alias in self._aliases if whose == target_id)

    def called(self, alias: str) -> list[str]:
        """See `Past.called`."""
        return sorted(target_id for target_id, name in self._aliases if name == alias)

    def news(self, rows: Sequence[PastDelivery]) -> list[PastDelivery]:
        """See `Past.news`."""
        places, contents = set[object](), set[object]()
        found = []
        for row in rows:
            place, content = _place(row), _content(row)
            is_known = place in self._brought or content in self._contents
            if not is_known and place not in places and content not in contents:
                places.add(place)
                contents.add(content)
                found.append(row)
        return found

    def bring(self, rows: Sequence[PastDelivery]) -> int:
        """See `Past.bring`."""
        new = self.news(rows)
        for row in new:
            self._brought[_place(row)] = row
            self._contents[_content(row)] = row.taken_at
            self._settle(row)
        return len(new)

    def _settle(self, row: PastDelivery) -> None:
        target_id, stream, position = row.target_id, row.stream, row.position
        carried, _ = self.ledger.carried(target_id, stream, at=row.taken_at)
        entry = settle_past(
            self.ledger.entry(target_id, stream, position), row, is_carried=position in carried
        )
        item = HistoryItem(
            target_id=target_id,
            request_id=0,
            at=row.at,
            outcome=row.outcome,
            reason=row.old.error or NOTED,
        )
        self.ledger.note(stream, position, item, entry)

    def of(self, stream: str, position: int) -> list[PastDelivery]:
        """See `Past.of`."""
        return [
            row
            for row in self._brought.values()
            if (row.stream, row.position) == (stream, position)
        ]

    def words_of(self, stream: str) -> list[tuple[str, RowKey]]:
        """Return the keys of what says in words why deliveries of the stream failed."""
        return [
            place for place, row in self._brought.items() if row.stream == stream and row.old.error
        ]

    def silence(self, stream: str) -> None:
        """Forget the words that `words_of` finds; all else of the deliveries stays."""
        for place in self.words_of(stream):
            row = self._brought[place]
            self._brought[place] = attrs.evolve(row, old=attrs.evolve(row.old, error=""))


def _place(row: PastDelivery) -> tuple[str, RowKey]:
    return row.path, row.old.key


def _content(row: PastDelivery) -> tuple[str, str, int, bytes]:
    return row.target_id, row.stream, row.position, row.old.key.digest
