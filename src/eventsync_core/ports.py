"""Every port on one page, for reading; each lives in its room."""

from eventsync_core.bodies import Bodies, BodyReceiver
from eventsync_core.clock import Clock
from eventsync_core.egress import Grants
from eventsync_core.erasure import Erasing
from eventsync_core.ingest import Inbox
from eventsync_core.inspection import Inspection
from eventsync_core.journal import Journal
from eventsync_core.ledger import Backlog, Desk, Holds, Leases, Ledger, Superseding
from eventsync_core.legacy import Legacy, Past
from eventsync_core.measures import Measures
from eventsync_core.migration import OldSource
from eventsync_core.payloads import Payloads
from eventsync_core.policy import Audit
from eventsync_core.receivers import DeliveryReceiver
from eventsync_core.stores import Stores
from eventsync_core.targets import TargetRegistry
from eventsync_core.traces import Traces

__all__ = [
    "Audit",
    "Backlog",
    "Bodies",
    "BodyReceiver",
    "Clock",
    "DeliveryReceiver",
    "Desk",
    "Erasing",
    "Grants",
    "Holds",
    "Inbox",
    "Inspection",
    "Journal",
    "Leases",
    "Ledger",
    "Legacy",
    "Measures",
    "OldSource",
    "Past",
    "Payloads",
    "Stores",
    "Superseding",
    "TargetRegistry",
    "Traces",
]
