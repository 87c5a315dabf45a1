"""What may go and what must stay: payloads that every target has, archives, and when to ask."""

from eventsync_core.retention._archive import Archived, ArchiveFile, archive, plan_archive
from eventsync_core.retention._choice import Choice, Stay
from eventsync_core.retention._collect import Collected, collect, preview
from eventsync_core.retention._erase import erase, is_known, plan_erasure, sender_of
from eventsync_core.retention._suggest import suggest

__all__ = [
    "ArchiveFile",
    "Archived",
    "Choice",
    "Collected",
    "Stay",
    "archive",
    "collect",
    "erase",
    "is_known",
    "plan_archive",
    "plan_erasure",
    "preview",
    "sender_of",
    "suggest",
]
