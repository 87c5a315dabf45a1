"""
Everything an adapter author needs to hold an adapter against the ports.

A contract class is subclassed in a test file and given a fixture; a state machine is
subclassed and told how to open the store. For readable failures let pytest rewrite the
assertions: `pytest.register_assert_rewrite("eventsync_core.testing")` in a conftest.
"""

from eventsync_core.testing._builders import (
    EPOCH,
    HOLDER,
    ManualClock,
    make_batch,
    make_body,
    make_envelope,
    make_event,
    make_events,
    make_stub_target,
)
from eventsync_core.testing._contracts import (
    AuditContract,
    BacklogContract,
    BodiesContract,
    BodyReceiverContract,
    DeskContract,
    ErasingContract,
    GrantsContract,
    HoldsContract,
    JournalContract,
    LeasesContract,
    LedgerContract,
    LegacyContract,
    PayloadsContract,
    ReceiverContract,
    StoresContract,
    SupersedingContract,
    TargetRegistryContract,
    WritersContract,
)
from eventsync_core.testing._faults import CrashError, CrashingStores, run_until_crash
from eventsync_core.testing._machines import StoresMachine
from eventsync_core.testing._strategies import (
    AGGREGATES,
    IDS,
    PROJECTS,
    answers,
    envelopes,
    events,
    json_texts,
    respell,
    scripts,
)

__all__ = [
    "AGGREGATES",
    "EPOCH",
    "HOLDER",
    "IDS",
    "PROJECTS",
    "AuditContract",
    "BacklogContract",
    "BodiesContract",
    "BodyReceiverContract",
    "CrashError",
    "CrashingStores",
    "DeskContract",
    "ErasingContract",
    "GrantsContract",
    "HoldsContract",
    "JournalContract",
    "LeasesContract",
    "LedgerContract",
    "LegacyContract",
    "ManualClock",
    "PayloadsContract",
    "ReceiverContract",
    "StoresContract",
    "StoresMachine",
    "SupersedingContract",
    "TargetRegistryContract",
    "WritersContract",
    "answers",
    "envelopes",
    "events",
    "json_texts",
    "make_batch",
    "make_body",
    "make_envelope",
    "make_event",
    "make_events",
    "make_stub_target",
    "respell",
    "run_until_crash",
    "scripts",
]
