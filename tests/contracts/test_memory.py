"""The in-memory store keeps every promise; it is what the others are held against."""

import pytest

from eventsync_core.stores import MemoryStores
from eventsync_core.testing import (
    AuditContract,
    BacklogContract,
    BodiesContract,
    DeskContract,
    ErasingContract,
    GrantsContract,
    HoldsContract,
    InspectionContract,
    JournalContract,
    LeasesContract,
    LedgerContract,
    LegacyContract,
    MeasuresContract,
    PastContract,
    PayloadsContract,
    StoresContract,
    SupersedingContract,
    TargetRegistryContract,
    TracesContract,
)


@pytest.fixture
def stores():
    """Return an empty store."""
    return MemoryStores()


class TestMemoryJournal(JournalContract):
    """A list per stream."""


class TestMemoryTargetRegistry(TargetRegistryContract):
    """A dict by id."""


class TestMemoryGrants(GrantsContract):
    """A dict by target and stream."""


class TestMemoryLeases(LeasesContract):
    """A dict by target and stream."""


class TestMemoryLedger(LedgerContract):
    """A dict by target, stream and position."""


class TestMemoryBacklog(BacklogContract):
    """Looks at everything there is."""


class TestMemoryDesk(DeskContract):
    """Over dicts."""


class TestMemoryHolds(HoldsContract):
    """Over dicts."""


class TestMemorySuperseding(SupersedingContract):
    """Two dicts."""


class TestMemoryAudit(AuditContract):
    """A dict by number."""


class TestMemoryBodies(BodiesContract):
    """Two dicts and their numbers."""


class TestMemoryStores(StoresContract):
    """Copies what it may have to restore."""

    def test_nothing_in_memory_is_durable(self, stores) -> None:
        """Not even outside a unit of work."""
        assert not stores.is_durable


class TestMemoryLegacy(LegacyContract):
    """Three dicts."""


class TestMemoryMeasures(MeasuresContract):
    """Counts what there is."""


class TestMemoryPast(PastContract):
    """Two dicts over the ledger."""


class TestMemoryTraces(TracesContract):
    """A dict by event."""


class TestMemoryInspection(InspectionContract):
    """Nothing can be lost there."""


class TestMemoryPayloads(PayloadsContract):
    """Over a journal and a ledger."""


class TestMemoryErasing(ErasingContract):
    """Over all that is in memory."""
