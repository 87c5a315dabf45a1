"""One picture of what is stored, owed and delivered, and whether it hangs together."""

from eventsync_core.status._check import UNTRUE, check
from eventsync_core.status._collect import collect
from eventsync_core.status._known import back_off_document, reset_document
from eventsync_core.status._model import (
    STALL_AFTER_SECONDS,
    Failure,
    Foreground,
    Setting,
    Status,
    StreamStatus,
    TargetStatus,
)
from eventsync_core.status._picture import (
    TargetPicture,
    grant_document,
    picture,
    picture_document,
)
from eventsync_core.status._stall import stall_of
from eventsync_core.status._wire import as_document

__all__ = [
    "STALL_AFTER_SECONDS",
    "UNTRUE",
    "Failure",
    "Foreground",
    "Setting",
    "Status",
    "StreamStatus",
    "TargetPicture",
    "TargetStatus",
    "as_document",
    "back_off_document",
    "check",
    "collect",
    "grant_document",
    "picture",
    "picture_document",
    "reset_document",
    "stall_of",
]
