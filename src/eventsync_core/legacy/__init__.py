"""What old programs left: rows of their files, where events came from, and what was set aside."""

from eventsync_core.legacy._belonging import belongs, body_names, row_belongs
from eventsync_core.legacy._memory import MemoryLegacy
from eventsync_core.legacy._memory_past import MemoryPast
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
from eventsync_core.legacy._past import (
    NOTED,
    PAST_STATUSES,
    Brought,
    OldDelivery,
    OldTarget,
    PastDelivery,
    can_be_shown,
    read_error,
    read_fact,
    read_status,
    read_time,
    recompute,
    settle_past,
)
from eventsync_core.legacy._past_port import Past
from eventsync_core.legacy._port import Legacy
from eventsync_core.legacy._rules import UNASSIGNED, decide, is_safe, judge
from eventsync_core.legacy._wrapped import Unwrapped, unwrap

__all__ = [
    "NOTED",
    "PAST_STATUSES",
    "UNASSIGNED",
    "Became",
    "Brought",
    "Decision",
    "Judged",
    "Kind",
    "Legacy",
    "MemoryLegacy",
    "MemoryPast",
    "Noted",
    "OldDelivery",
    "OldTarget",
    "Past",
    "PastDelivery",
    "Provenance",
    "Resolution",
    "RowKey",
    "SetAside",
    "Source",
    "SourceRow",
    "Stored",
    "Unwrapped",
    "Why",
    "belongs",
    "body_names",
    "can_be_shown",
    "decide",
    "is_safe",
    "judge",
    "read_error",
    "read_fact",
    "read_status",
    "read_time",
    "recompute",
    "row_belongs",
    "row_digest",
    "settle_past",
    "unwrap",
]
