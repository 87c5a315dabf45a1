"""One durable store as a bundle of ports, and the unit of work over them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import attrs

from eventsync_core.bodies import Bodies, MemoryBodies
from eventsync_core.egress import Grants, MemoryGrants
from eventsync_core.erasure import Erasing, MemoryErasing
from eventsync_core.inspection import Inspection, MemoryInspection
from eventsync_core.journal import Journal, MemoryJournal
from eventsync_core.ledger import (
    Backlog,
    Desk,
    Holds,
    Leases,
    Ledger,
    MemoryBacklog,
    MemoryDesk,
    MemoryHolds,
    MemoryLedger,
    MemorySuperseding,
    Superseding,
)
from eventsync_core.legacy import Legacy, MemoryLegacy, MemoryPast, Past
from eventsync_core.measures import Measures, MemoryMeasures
from eventsync_core.payloads import MemoryPayloads, Payloads
from eventsync_core.policy import Audit, MemoryAudit
from eventsync_core.targets import MemoryTargetRegistry, TargetRegistry
from eventsync_core.traces import MemoryTraces, Traces

__all__ = ["MemoryStores", "Stores"]


class Stores(Protocol):
    """The ports of one store; `StoresContract` tests each promise."""

    @property
    def journal(self) -> Journal: ...

    @property
    def ledger(self) -> Ledger: ...

    @property
    def leases(self) -> Leases: ...

    @property
    def backlog(self) -> Backlog: ...

    @property
    def desk(self) -> Desk: ...

    @property
    def holds(self) -> Holds: ...

    @property
    def superseding(self) -> Superseding: ...

    @property
    def targets(self) -> TargetRegistry: ...

    @property
    def grants(self) -> Grants: ...

    @property
    def audit(self) -> Audit: ...

    @property
    def legacy(self) -> Legacy: ...

    @property
    def past(self) -> Past: ...

    @property
    def bodies(self) -> Bodies: ...

    @property
    def traces(self) -> Traces: ...

    @property
    def measures(self) -> Measures: ...

    @property
    def inspection(self) -> Inspection: ...

    @property
    def payloads(self) -> Payloads: ...

    @property
    def erasing(self) -> Erasing: ...

    @property
    def is_durable(self) -> bool:
        """What is written now survives kill and power loss as soon as the call returns."""
        ...

    @property
    def is_in_unit(self) -> bool:
        """A unit of work is open, which what is written now belongs to."""
        ...

    def atomic(self) -> AbstractContextManager[None]:
        """
        Run one unit of writing: all of it is stored, or none of it.

        Units nest: an inner one that fails undoes only its own part, an outer one all.

        Raises:
            StoreError: The unit could not begin or be stored; nothing of it is.
        """
        ...


class MemoryStores:
    """`Stores` that live as long as the object; the model the others are held against."""

    def __init__(self) -> None:
        self.journal = MemoryJournal()
        self.targets = MemoryTargetRegistry()
        self.ledger = MemoryLedger(self.journal, lambda *_: None)
        self.grants = MemoryGrants(self.targets, self.ledger)
        self.ledger.reach = self.grants.reach
        self.superseding = MemorySuperseding(self.ledger)
        self.ledger.is_superseded = self.superseding.is_superseded
        self.backlog = MemoryBacklog(self.journal, self.ledger, self.superseding)
        self.desk = MemoryDesk(self.journal, self.ledger)
        self.holds = MemoryHolds(self.journal, self.ledger)
        self.audit = MemoryAudit()
        self._depth = 0
        self.legacy = MemoryLegacy(self.journal)
        self.past = MemoryPast(self.targets, self.ledger)
        self.bodies = MemoryBodies(self.targets)
        self.traces = MemoryTraces()
        self.measures = MemoryMeasures(self.journal, self.ledger, self.superseding)
        self.inspection = MemoryInspection(
            self.journal, self.ledger, self.superseding, self.targets
        )
        self.payloads = MemoryPayloads(self.journal, self.ledger, self.targets)
        self.ledger.is_erased = self.payloads.is_erased
        self.erasing = MemoryErasing(
            self.journal,
            self.ledger,
            self.holds,
            self.legacy,
            self.past,
            self.bodies,
            self.payloads,
        )

    @property
    def leases(self) -> MemoryLedger:
        """See `Stores`."""
        return self.ledger

    @property
    def is_durable(self) -> bool:
        """See `Stores.is_durable`: nothing in memory is."""
        return False

    @property
    def is_in_unit(self) -> bool:
        """See `Stores.is_in_unit`."""
        return self._depth > 0

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """See `Stores.atomic`."""
        parts = (
            self.journal,
            self.targets,
            self.ledger,
            self.grants,
            self.holds,
            self.superseding,
            self.audit,
            self.legacy,
            self.past,
            self.bodies,
            self.traces,
            self.payloads,
        )
        saved = [_tables(part) for part in parts]
        self._depth += 1
        try:
            yield
        except BaseException:
            for part, tables in zip(parts, saved, strict=True):
                for name, table in tables.items():
                    setattr(part, name, table)
            raise
        finally:
            self._depth -= 1


def _tables(part: Any) -> dict[str, dict[Any, Any]]:
    """Return independent copies of the dicts that *part* keeps its frozen values in."""
    found = {}
    for field in attrs.fields(type(part)):
        table = getattr(part, field.name)
        if isinstance(table, dict):
            found[field.name] = {
                key: list(value) if isinstance(value, list) else value
                for key, value in table.items()
            }
    return found
