"""One class per port; each sentence of a port's docstring is a test here."""

from eventsync_core.testing._contracts._audit import AuditContract
from eventsync_core.testing._contracts._backlog import BacklogContract
from eventsync_core.testing._contracts._bodies import BodiesContract
from eventsync_core.testing._contracts._body_receiver import BodyReceiverContract
from eventsync_core.testing._contracts._desk import DeskContract
from eventsync_core.testing._contracts._erasing import ErasingContract
from eventsync_core.testing._contracts._grants import GrantsContract
from eventsync_core.testing._contracts._holds import HoldsContract
from eventsync_core.testing._contracts._inspection import InspectionContract
from eventsync_core.testing._contracts._journal import JournalContract
from eventsync_core.testing._contracts._leases import LeasesContract
from eventsync_core.testing._contracts._ledger import LedgerContract
from eventsync_core.testing._contracts._legacy import LegacyContract
from eventsync_core.testing._contracts._measures import MeasuresContract
from eventsync_core.testing._contracts._past import PastContract
from eventsync_core.testing._contracts._payloads import PayloadsContract
from eventsync_core.testing._contracts._receiver import ReceiverContract
from eventsync_core.testing._contracts._stores import StoresContract
from eventsync_core.testing._contracts._superseding import SupersedingContract
from eventsync_core.testing._contracts._targets import TargetRegistryContract
from eventsync_core.testing._contracts._traces import TracesContract
from eventsync_core.testing._contracts._writers import WritersContract

__all__ = [
    "AuditContract",
    "BacklogContract",
    "BodiesContract",
    "BodyReceiverContract",
    "DeskContract",
    "ErasingContract",
    "GrantsContract",
    "HoldsContract",
    "InspectionContract",
    "JournalContract",
    "LeasesContract",
    "LedgerContract",
    "LegacyContract",
    "MeasuresContract",
    "PastContract",
    "PayloadsContract",
    "ReceiverContract",
    "StoresContract",
    "SupersedingContract",
    "TargetRegistryContract",
    "TracesContract",
    "WritersContract",
]
