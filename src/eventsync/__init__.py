"""
Capture events durably, deliver them to chosen targets, and know who has been told.

What a host program calls. Nothing here reads the environment or the working directory, keeps a
global or starts a thread on import; what was not opened is not there. The rest of the library
is in `eventsync_core` and `eventsync_adapters`, the command line in `eventsync_cli`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from eventsync._store import Store, open_store
from eventsync_core import __version__
from eventsync_core.capture import CaptureRules, Envelope, Receipt
from eventsync_core.errors import (
    DiscardRefusedError,
    EventSyncError,
    MissingEventIdError,
    NothingOpenError,
    NotJsonError,
    PayloadConflictError,
    RedactionError,
    SettingsError,
    StoreBusyError,
    StoreError,
    StoreFullError,
    StoreNewerError,
    StoreNotWritableError,
    StoreUnreadableError,
    TargetConflictError,
)
from eventsync_core.events import FAMILIES, Families, Family, Producer, strict_envelope
from eventsync_core.policy import Mode, OnDiscard

if TYPE_CHECKING:
    from eventsync._migrating import migrate_legacy
    from eventsync._observing import Observed, observe
    from eventsync._receiving import open_receiver
    from eventsync._resolving import read_rules, resolve_target
    from eventsync._standing import Standing
    from eventsync_core.authority import ResolvedTarget
    from eventsync_core.dispatch import Budget, Report
    from eventsync_core.egress import Grant
    from eventsync_core.legacy import Resolution
    from eventsync_core.migration import Migration, MigrationRules
    from eventsync_core.portability import Exported
    from eventsync_core.receivers import StubReceiver
    from eventsync_core.targets import Kind, Target, make_target

__all__ = [
    "FAMILIES",
    "Budget",
    "CaptureRules",
    "DiscardRefusedError",
    "Envelope",
    "EventSyncError",
    "Exported",
    "Families",
    "Family",
    "Grant",
    "Kind",
    "Migration",
    "MigrationRules",
    "MissingEventIdError",
    "Mode",
    "NotJsonError",
    "NothingOpenError",
    "Observed",
    "OnDiscard",
    "PayloadConflictError",
    "Producer",
    "Receipt",
    "RedactionError",
    "Report",
    "Resolution",
    "ResolvedTarget",
    "SettingsError",
    "Standing",
    "Store",
    "StoreBusyError",
    "StoreError",
    "StoreFullError",
    "StoreNewerError",
    "StoreNotWritableError",
    "StoreUnreadableError",
    "StubReceiver",
    "Target",
    "TargetConflictError",
    "__version__",
    "make_target",
    "migrate_legacy",
    "observe",
    "open_receiver",
    "open_store",
    "read_rules",
    "resolve_target",
    "strict_envelope",
]

# A process that only captures does without these; together they cost it 60 ms.
_LATER = {
    "Budget": "eventsync_core.dispatch",
    "Exported": "eventsync_core.portability",
    "Grant": "eventsync_core.egress",
    "Kind": "eventsync_core.targets",
    "Migration": "eventsync_core.migration",
    "MigrationRules": "eventsync_core.migration",
    "Observed": "eventsync._observing",
    "Report": "eventsync_core.dispatch",
    "ResolvedTarget": "eventsync_core.authority",
    "Resolution": "eventsync_core.legacy",
    "Standing": "eventsync._standing",
    "StubReceiver": "eventsync_core.receivers",
    "Target": "eventsync_core.targets",
    "make_target": "eventsync_core.targets",
    "migrate_legacy": "eventsync._migrating",
    "observe": "eventsync._observing",
    "open_receiver": "eventsync._receiving",
    "read_rules": "eventsync._resolving",
    "resolve_target": "eventsync._resolving",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)


def __dir__() -> list[str]:
    return list(__all__)
