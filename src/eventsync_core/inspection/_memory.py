import attrs

from eventsync_core.inspection._model import (
    Checked,
    Dangling,
    Link,
    Looked,
    Mended,
    Miscount,
    Place,
)
from eventsync_core.journal import MemoryJournal
from eventsync_core.ledger import MemoryLedger, MemorySuperseding
from eventsync_core.targets import TargetRegistry

_ALL = 1 << 40


@attrs.define
class MemoryInspection:
    """
    `Inspection` over a journal, a ledger and the supersessions in memory.

    Nothing is counted beforehand there, and what else refers to an entry is looked up by it;
    so only entries and what targets said of them can disagree.
    """

    journal: MemoryJournal
    ledger: MemoryLedger
    superseding: MemorySuperseding
    targets: TargetRegistry

    def place(self, event_id: str) -> Place | None:
        """See `Inspection.place`."""
        entry = self.journal.find(event_id)
        return None if entry is None else Place(entry.stream, entry.position)

    def dangling(
        self, link: Link, *, after: tuple[int | str, ...] = (), limit: int = 2_000
    ) -> Looked:
        """See `Inspection.dangling`."""
        if link not in (Link.PASSED, Link.LEDGER):
            return Looked(0)
        places = self._passed() if link is Link.PASSED else self._rows()
        is_there = self._is_kept if link is Link.PASSED else self._is_entry
        page = sorted(place for place in places if place > after)[:limit]
        found = [
            Dangling(
                link=link,
                where=f"target {target_id}, position {position}",
                missing="ledger" if link is Link.PASSED else "entry",
                stream=stream,
            )
            for target_id, stream, position in page
            if not is_there(target_id, stream, position)
        ]
        return Looked(len(page), found, page[-1] if len(page) == limit else None)

    def miscounts(self) -> list[Miscount]:
        """See `Inspection.miscounts`."""
        return []

    def check(self, *, seconds: float | None = None, thorough: bool = False) -> Checked:
        """See `Inspection.check`: nothing is stored."""
        del seconds, thorough
        return Checked()

    def mend(self, *, at: int) -> Mended:
        """See `Inspection.mend`."""
        left = [place for place in self._passed() if not self._is_kept(*place)]
        for _, stream, position in left:
            self.ledger.owe_everywhere(stream, position, at=at)
        return Mended(owed=len(left))

    def _passed(self) -> list[tuple[str, str, int]]:
        found = []
        for target in self.targets.targets():
            for head in self.journal.heads():
                reach = self.ledger.reach(target.target_id, head.stream)
                cursor = self.ledger.cursor(target.target_id, head.stream)
                if reach is not None:
                    span = range(reach + 1, cursor + 1)
                    found += [(target.target_id, head.stream, position) for position in span]
        return found

    def _rows(self) -> list[tuple[str, str, int]]:
        return [
            (target.target_id, head.stream, position)
            for target in self.targets.targets()
            for head in self.journal.heads()
            for position, _ in self.ledger.rows(target.target_id, head.stream)
        ]

    def _is_entry(self, target_id: str, stream: str, position: int) -> bool:
        found = self.journal.entries(stream, after=position - 1, limit=1)
        return bool(found) and self.ledger.entry(target_id, stream, position) is not None

    def _is_kept(self, target_id: str, stream: str, position: int) -> bool:
        """Say whether the entry has a ledger row, or is not deliverable."""
        if self.ledger.entry(target_id, stream, position) is not None:
            return True
        if self.superseding.is_superseded(stream, position):
            return True
        found = self.journal.entries(stream, after=position - 1, limit=1)
        return any(entry.event.hold is not None or not entry.has_text for entry in found)
