"""What a line of an export or archive is: an event's exact text, or what is told of events."""

from eventsync_core.lines._history import History, Told, history_line, read_history
from eventsync_core.lines._lines import (
    HISTORY_KEY,
    MANIFEST_KEY,
    TEXT_KEY,
    Carried,
    Noted,
    line_of,
    read_line,
)
from eventsync_core.lines._manifest import Manifest, Seal, Sealed, manifest_line, read_manifest

__all__ = [
    "HISTORY_KEY",
    "MANIFEST_KEY",
    "TEXT_KEY",
    "Carried",
    "History",
    "Manifest",
    "Noted",
    "Seal",
    "Sealed",
    "Told",
    "history_line",
    "line_of",
    "manifest_line",
    "read_history",
    "read_line",
    "read_manifest",
]
