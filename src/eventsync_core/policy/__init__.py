"""Retention and delivery: four presets, and what may be dropped where nothing is retained."""

from eventsync_core.policy._discard import OnDiscard, may_discard
from eventsync_core.policy._memory import MemoryAudit
from eventsync_core.policy._mode import Mode, Policy, policy_of, read_mode
from eventsync_core.policy._port import Audit, AuditRecord

__all__ = [
    "Audit",
    "AuditRecord",
    "MemoryAudit",
    "Mode",
    "OnDiscard",
    "Policy",
    "may_discard",
    "policy_of",
    "read_mode",
]
