from collections.abc import Mapping, Sequence

import attrs

from eventsync_core.errors import SourceError
from eventsync_core.ids import printable
from eventsync_core.legacy import Became, Noted, Resolution, Source
from eventsync_core.migration._guarding import guarding
from eventsync_core.migration._model import SourceReport
from eventsync_core.migration._past_port import OldTable
from eventsync_core.migration._port import OldSource
from eventsync_core.stores import Stores

_MOST_COUNTED = 20
_MIGRATE = ("eventsync", "sync", "migrate")


@attrs.frozen
class Waiting:
    """
    An old file that holds rows, by their tables; with `error` they could not be counted.

    Where all of it was looked at and nothing is new, somebody has to decide about `conflicts`
    and rows that are `quarantined`; both are 0 where a migration can do more by itself.
    """

    source: Source
    rows: Mapping[str, int] = attrs.field(factory=dict)
    error: str = ""
    conflicts: int = 0
    quarantined: int = 0

    @property
    def is_looked_at(self) -> bool:
        """Nothing of it is imported by another migration, until somebody decides."""
        return bool(self.conflicts or self.quarantined)

    @property
    def fix_argv(self) -> tuple[str, ...]:
        """The command that goes on with it."""
        if self.conflicts:
            return (*_MIGRATE, "--resolve", Resolution.KEEP_JOURNAL.value)
        return (*_MIGRATE, "--take-quarantined") if self.quarantined else _MIGRATE

    def said(self) -> str:
        """Return what it holds, in words that can be printed."""
        if self.error:
            return f"rows that cannot be counted: {printable(self.error)}"
        parts = [f"{printable(name)} {count}" for name, count in self.rows.items()]
        parts += [f"conflicts {self.conflicts}"] if self.conflicts else []
        parts += [f"quarantined {self.quarantined}"] if self.quarantined else []
        return "rows: " + ", ".join(parts)


def find_waiting(sources: Sequence[OldSource | OldTable], stores: Stores | None) -> list[Waiting]:
    """
    Return those of *sources* that hold rows; nothing is stored.

    One that is as it was when all in it was accounted for is not read, and does not wait.
    """
    noted = {} if stores is None else {each.source.path: each for each in stores.legacy.sources()}
    looked_at = {
        old.source.path: noted[old.source.path]
        for old in sources
        if _is_as_noted(old, noted.get(old.source.path))
    }
    asked = [
        old
        for old in sources
        if old.source.path not in looked_at or looked_at[old.source.path].open_left
    ]
    found = [
        _count(old)
        if place < _MOST_COUNTED
        else Waiting(old.source, error="too many files to look into")
        for place, old in enumerate(asked)
    ]
    return [
        _undecided(each, looked_at.get(each.source.path), stores)
        for each in found
        if each.rows or each.error
    ]


def _is_as_noted(old: OldSource | OldTable, noted: Noted | None) -> bool:
    return noted is not None and bool(noted.fingerprint) and old.fingerprint() == noted.fingerprint


def _undecided(waiting: Waiting, noted: Noted | None, stores: Stores | None) -> Waiting:
    """Return *waiting* with what of it somebody has to decide, if it is as it was *noted*."""
    if noted is None or stores is None:
        return waiting
    report = SourceReport(source=waiting.source)
    report.unchanged_since(noted)
    return attrs.evolve(
        waiting,
        conflicts=stores.legacy.open_conflicts(waiting.source.path),
        quarantined=report.of_all(Became.QUARANTINED),
    )


def _count(old: OldSource | OldTable) -> Waiting:
    try:
        with guarding(old.source), old.reading() as reading:
            rows = {name: count for name, count in reading.waiting.items() if count}
    except SourceError as error:
        return Waiting(old.source, error=error.message)
    if any(count < 0 for count in rows.values()):
        return Waiting(old.source, error=reading.damage or "the file is damaged")
    return Waiting(old.source, rows)
