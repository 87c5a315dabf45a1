"""The SQLite store keeps every promise of the ports."""

import pytest

from eventsync_adapters.sqlite import open_stores
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
    WritersContract,
)
from tests.templates import put_new_database


@pytest.fixture
def path(tmp_path):
    """Return where the database is."""
    return tmp_path / "eventsync" / "eventsync.db"


@pytest.fixture
def stores(path):
    """Return an empty store."""
    put_new_database(path)
    with open_stores(path) as stores:
        yield stores


@pytest.fixture
def another(stores, path):
    """Return what opens the same file once more."""
    return lambda: open_stores(path)


class TestSqliteJournal(JournalContract):
    """Over one file."""


class TestSqliteTargetRegistry(TargetRegistryContract):
    """Over one file."""


class TestSqliteGrants(GrantsContract):
    """Over one file."""


class TestSqliteLeases(LeasesContract):
    """Over one file."""


class TestSqliteLedger(LedgerContract):
    """Over one file."""


class TestSqliteBacklog(BacklogContract):
    """Over one file."""


class TestSqliteDesk(DeskContract):
    """Over one file."""


class TestSqliteHolds(HoldsContract):
    """Over one file."""


class TestSqliteSuperseding(SupersedingContract):
    """Over one file."""


class TestSqliteAudit(AuditContract):
    """Over one file."""


class TestSqliteBodies(BodiesContract):
    """Over one file."""


class TestSqliteStores(StoresContract):
    """Over one file."""

    def test_by_default_every_write_is_durable(self, stores) -> None:
        """Outside a unit of work the call's return is the promise."""
        assert stores.is_durable


class TestSqliteWriters(WritersContract):
    """Two connections to one file."""


class TestSqliteLegacy(LegacyContract):
    """Over one file."""


class TestSqliteMeasures(MeasuresContract):
    """Over one file."""


class TestSqlitePast(PastContract):
    """Over one file."""


class TestSqliteTraces(TracesContract):
    """Over one file."""


class TestSqliteInspection(InspectionContract):
    """Over one file."""


class TestSqlitePayloads(PayloadsContract):
    """Over one file."""


class TestSqliteErasing(ErasingContract):
    """Over one file."""
