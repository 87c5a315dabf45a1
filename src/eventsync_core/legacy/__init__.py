"""What old programs left: rows of their files, where events came from, and what was set aside."""

from eventsync_core.legacy._memory import MemoryLegacy
from eventsync_core.legacy._model import (
    Became,
    Decision,
    Judged,
    Kind,
    Noted,
    Provenance,
    Resolution,
    RowKey,
    SetAside,
    Source,
    SourceRow,
    Stored,
    Why,
    row_digest,
)
from eventsync_core.legacy._port import Legacy
from eventsync_core.legacy._rules import UNASSIGNED, decide, is_safe, judge

__all__ = [
    "UNASSIGNED",
    "Became",
    "Decision",
    "Judged",
    "Kind",
    "Legacy",
    "MemoryLegacy",
    "Noted",
    "Provenance",
    "Resolution",
    "RowKey",
    "SetAside",
    "Source",
    "SourceRow",
    "Stored",
    "Why",
    "decide",
    "is_safe",
    "judge",
    "row_digest",
]
