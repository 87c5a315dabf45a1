"""One picture of what is stored, owed and delivered, and whether it hangs together."""

from eventsync_core.status._check import check
from eventsync_core.status._collect import collect
from eventsync_core.status._model import (
    Failure,
    Foreground,
    Setting,
    Status,
    StreamStatus,
    TargetStatus,
)
from eventsync_core.status._wire import as_document

__all__ = [
    "Failure",
    "Foreground",
    "Setting",
    "Status",
    "StreamStatus",
    "TargetStatus",
    "as_document",
    "check",
    "collect",
]
