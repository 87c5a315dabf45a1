from collections import defaultdict
from collections.abc import Iterable, Mapping

import attrs

from eventsync_core.ledger._memory import MemoryLedger
from eventsync_core.ledger._superseding import Link, succeed


@attrs.define
class MemorySuperseding:
    """`Superseding` over a ledger in memory."""

    ledger: MemoryLedger
    _links: dict[tuple[str, int], Link] = attrs.field(factory=dict)
    _open: dict[tuple[str, str], tuple[int, ...]] = attrs.field(factory=dict)

    def supersede(self, stream: str, keys: Mapping[int, str], *, at: int) -> Mapping[int, int]:
        """See `Superseding.supersede`."""
        newcomers, counts = defaultdict[str, list[int]](list), defaultdict[int, int](int)
        for position, key in sorted(keys.items()):
            newcomers[key].append(position)
        flying = self.ledger.carried_anywhere(stream)
        for key, positions in newcomers.items():
            earlier = {
                position: self.ledger.rows_of(stream, position)
                for position in self._open.get((stream, key), ())
            }
            succession = succeed(positions, earlier, flying)
            for position, by in succession.links:
                self._links[stream, position] = Link(position, by, at)
                counts[by] += 1
            self._open[stream, key] = succession.open
        return dict(counts)

    def superseded(self, stream: str, positions: Iterable[int]) -> Mapping[int, Link]:
        """See `Superseding.superseded`."""
        found = {position: self._links.get((stream, position)) for position in positions}
        return {position: link for position, link in found.items() if link is not None}

    def is_superseded(self, stream: str, position: int) -> bool:
        """Say whether a later event stands for the entry."""
        return (stream, position) in self._links

    def supersedes(self, stream: str, position: int) -> list[Link]:
        """See `Superseding.supersedes`."""
        found = [
            link
            for (where, _), link in self._links.items()
            if where == stream and link.by == position
        ]
        return sorted(found, key=lambda link: link.position)
