"""Where the programs of the journal era kept what they had."""

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from eventsync_adapters.legacy_queues._journal import JOURNAL
from eventsync_adapters.legacy_queues._records import TableSource
from eventsync_adapters.legacy_queues._sources import DatabaseSource
from eventsync_core.legacy import Kind, Source
from eventsync_core.migration import OldRecords, OldSource

_JOURNAL = re.compile(r"journal-(.+)\.db", re.DOTALL)
_PART = re.compile(r"(.+)-(?:journal|wal|shm)", re.DOTALL)
_JOURNALS, _DELIVERY = "event_journal", "delivery"
_LEDGER = ("ledger.db", Kind.LEDGER, "delivery_ledger")
_TARGETS = ("targets.db", Kind.TARGETS, "delivery_targets")
_AUDIT = ("migration_audit.db", Kind.AUDIT, "quarantined_conflicts")
_Shown = Callable[[Path], str]


class Finding(Protocol):
    """What takes in the files that are found."""

    records: list[OldRecords]

    def add(self, name: Path, make: Callable[[Path], OldSource]) -> None:
        """Take in the file that *name* leads to, which *make* gives for its real place."""
        ...

    def skip(self, path: Path, why: str) -> None:
        """Note that *path* is left out."""
        ...


def is_of_journal_era(path: Path) -> bool:
    """Say whether the name of a file is one of those that the journal era used."""
    return bool(_JOURNAL.fullmatch(path.name)) or path.name in (_LEDGER[0], _TARGETS[0], _AUDIT[0])


def add_journal_era(
    found: Finding, places: Sequence[Path], listed: Callable[[Path], list[Path]], shown: _Shown
) -> None:
    """
    Take in what the journal era left in *places*: folders, their `.spec-kitty` too, and files.

    *listed* gives what stands in a folder, *shown* a path as it is stored.
    """
    roots: dict[Path, None] = {}
    for place in places:
        path = place.resolve()
        if path.is_dir():
            roots |= dict.fromkeys((path, path / ".spec-kitty"))
        elif _JOURNAL.fullmatch(path.name):
            found.add(path, lambda real: _journal(real, shown))
        elif is_of_journal_era(path):
            beside = path.with_name(_TARGETS[0]) if path.name == _LEDGER[0] else path
            found.records.append(_records(path, beside, path, shown))
    for root in roots:
        for name in listed(root / _JOURNALS):
            part = _PART.fullmatch(name.name)
            if _JOURNAL.fullmatch(name.name):
                found.add(name, lambda real: _journal(real, shown))
            elif part is None or _JOURNAL.fullmatch(part[1]) is None:
                found.skip(name, "its name is not that of a journal")
        delivery = root / _DELIVERY
        records = _records(delivery / _LEDGER[0], delivery / _TARGETS[0], root / _AUDIT[0], shown)
        if records not in found.records:
            found.records.append(records)
    found.records[:] = [each for each in found.records if each.tables]


def _journal(path: Path, shown: _Shown) -> DatabaseSource:
    match = _JOURNAL.fullmatch(path.name)
    token = match[1] if match else path.name
    source = Source(path=shown(path), kind=Kind.JOURNAL, target=f"unknown:{token}")
    return DatabaseSource(path, source, JOURNAL)


def _records(ledger: Path, targets: Path, audit: Path, shown: _Shown) -> OldRecords:
    return OldRecords(
        ledger=_table(ledger, *_LEDGER, shown),
        targets=_table(targets, *_TARGETS, shown),
        audit=_table(audit, *_AUDIT, shown),
    )


def _table(path: Path, name: str, kind: Kind, part: str, shown: _Shown) -> TableSource | None:
    if path.name != name or not os.path.lexists(path):
        return None
    real = path.resolve()
    return TableSource(real, Source(path=shown(real), kind=kind), part)
