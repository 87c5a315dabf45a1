"""Where the programs of the journal era kept what they had."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import attrs

from eventsync_adapters.legacy_queues._journal import JOURNAL
from eventsync_adapters.legacy_queues._records import TableSource
from eventsync_adapters.legacy_queues._sources import DatabaseSource
from eventsync_core.legacy import Kind, Source
from eventsync_core.migration import OldRecords, OldSource, OldTable

_JOURNAL = re.compile(r"journal-(.+)\.db", re.DOTALL)
_PART = re.compile(r"(.+)-(?:journal|wal|shm)", re.DOTALL)
_JOURNALS, _DELIVERY = "event_journal", "delivery"
_LEDGER = ("ledger.db", Kind.LEDGER, "delivery_ledger")
_TARGETS = ("targets.db", Kind.TARGETS, "delivery_targets")
_AUDIT = ("migration_audit.db", Kind.AUDIT, "quarantined_conflicts")
_Shown = Callable[[Path], str]


class Finding(Protocol):
    """What takes in the files that are found."""

    def add(self, name: Path, make: Callable[[Path], OldSource]) -> None:
        """Take in the file that *name* leads to, which *make* gives for its real place."""
        ...

    def add_to(self, listed: list[OldTable], name: Path, make: Callable[[Path], OldTable]) -> None:
        """Do so, and let *listed* have it, if no other name of the file came before."""
        ...

    def skip(self, path: Path, why: str) -> None:
        """Note that *path* is left out."""
        ...


@attrs.frozen
class Group:
    """Files that belong together; a list is empty where another group has the file."""

    beside: Path
    ledger: list[OldTable] = attrs.field(factory=list)
    targets: list[OldTable] = attrs.field(factory=list)
    audit: list[OldTable] = attrs.field(factory=list)


def is_of_journal_era(path: Path) -> bool:
    """Say whether the name of a file is one of those that the journal era used."""
    return bool(_JOURNAL.fullmatch(path.name)) or path.name in (_LEDGER[0], _TARGETS[0], _AUDIT[0])


def add_journal_era(
    found: Finding, places: Sequence[Path], listed: Callable[[Path], list[Path]], shown: _Shown
) -> list[Group]:
    """
    Take in what the journal era left in *places*: folders, their `.spec-kitty` too, and files.

    *listed* gives what stands in a folder, *shown* a path as it is stored.
    """
    roots: dict[Path, None] = {}
    groups: list[Group] = []
    for place in places:
        if place.is_dir():
            path = place.resolve()
            roots |= dict.fromkeys((path, path / ".spec-kitty"))
            continue
        name = place.parent.resolve() / place.name
        if _JOURNAL.fullmatch(name.name):
            _add_journal(found, name, shown)
        elif is_of_journal_era(name):
            beside = name.with_name(_TARGETS[0]) if name.name == _LEDGER[0] else name
            groups.append(_group(found, name, beside, name, shown))
    for root in roots:
        for name in listed(root / _JOURNALS):
            part = _PART.fullmatch(name.name)
            if _JOURNAL.fullmatch(name.name):
                _add_journal(found, name, shown)
            elif part is None or _JOURNAL.fullmatch(part[1]) is None:
                found.skip(name, "its name is not that of a journal")
        delivery = root / _DELIVERY
        ledger, targets = delivery / _LEDGER[0], delivery / _TARGETS[0]
        groups.append(_group(found, ledger, targets, root / _AUDIT[0], shown))
    return groups


def _add_journal(found: Finding, name: Path, shown: _Shown) -> None:
    match = _JOURNAL.fullmatch(name.name)
    target = f"unknown:{match[1] if match else name.name}"

    def journal(path: Path) -> DatabaseSource:
        source = Source(path=shown(path), kind=Kind.JOURNAL, target=target)
        return DatabaseSource(path, source, JOURNAL)

    found.add(name, journal)


def _group(found: Finding, ledger: Path, targets: Path, audit: Path, shown: _Shown) -> Group:
    group = Group(targets)
    _add_table(found, group.ledger, ledger, _LEDGER, shown)
    _add_table(found, group.targets, targets, _TARGETS, shown)
    _add_table(found, group.audit, audit, _AUDIT, shown)
    return group


def _add_table(
    found: Finding, into: list[OldTable], path: Path, what: tuple[str, Kind, str], shown: _Shown
) -> None:
    name, kind, part = what

    def table(real: Path) -> TableSource:
        return TableSource(real, Source(path=shown(real), kind=kind), part)

    if path.name == name:
        found.add_to(into, path, table)


def records_of(groups: Sequence[Group], at: Callable[[Path], OldTable | None]) -> list[OldRecords]:
    """
    Return what *groups* hold, each ledger with its targets; *at* gives the table in a file.

    What has no ledger and is read with one is not read again.
    """
    records = [_records(each, at) for each in groups]
    read = {each.targets.source.path for each in records if each.ledger and each.targets}
    for place, each in enumerate(records):
        if each.ledger is None and each.targets and each.targets.source.path in read:
            records[place] = attrs.evolve(each, targets=None)
    return [each for each in records if each.tables]


def _records(group: Group, at: Callable[[Path], OldTable | None]) -> OldRecords:
    ledger, targets, audit = (
        listed[0] if listed else None for listed in (group.ledger, group.targets, group.audit)
    )
    if ledger is not None and targets is None:
        # Another group has the file.
        targets = at(group.beside)
    return OldRecords(ledger=ledger, targets=targets, audit=audit)
