from collections.abc import Mapping, Sequence

import attrs

from eventsync_core.errors import SourceError
from eventsync_core.legacy import Noted, Source
from eventsync_core.migration._guarding import guarding
from eventsync_core.migration._past_port import OldTable
from eventsync_core.migration._port import OldSource
from eventsync_core.stores import Stores

_MOST_COUNTED = 20


@attrs.frozen
class Waiting:
    """An old file that holds rows, by their tables; with `error` they could not be counted."""

    source: Source
    rows: Mapping[str, int] = attrs.field(factory=dict)
    error: str = ""

    def said(self) -> str:
        """Return what it holds, in words."""
        if self.error:
            return f"rows that cannot be counted: {self.error}"
        return "rows: " + ", ".join(f"{name} {count}" for name, count in self.rows.items())


def find_waiting(sources: Sequence[OldSource | OldTable], stores: Stores | None) -> list[Waiting]:
    """
    Return those of *sources* that hold rows; nothing is stored.

    One that is as it was when nothing was left in it is not read.
    """
    noted = {} if stores is None else {each.source.path: each for each in stores.legacy.sources()}
    asked = [old for old in sources if not _is_empty(old, noted.get(old.source.path))]
    found = [
        _count(old)
        if place < _MOST_COUNTED
        else Waiting(old.source, error="too many files to look into")
        for place, old in enumerate(asked)
    ]
    return [each for each in found if each.rows or each.error]


def _is_empty(old: OldSource | OldTable, noted: Noted | None) -> bool:
    if noted is None or not noted.fingerprint:
        return False
    if noted.rows_left and not old.source.kind.is_kept:
        return False
    return old.fingerprint() == noted.fingerprint


def _count(old: OldSource | OldTable) -> Waiting:
    try:
        with guarding(old.source), old.reading() as reading:
            rows = {name: count for name, count in reading.waiting.items() if count}
    except SourceError as error:
        return Waiting(old.source, error=error.message)
    if any(count < 0 for count in rows.values()):
        return Waiting(old.source, error=reading.damage or "the file is damaged")
    return Waiting(old.source, rows)
