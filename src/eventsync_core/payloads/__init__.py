"""The texts of entries, which may go on record while everything else of them stays."""

from eventsync_core.payloads._memory import MemoryPayloads
from eventsync_core.payloads._model import Act, Deed, Kept, Purge, PurgedCounts
from eventsync_core.payloads._port import Payloads
from eventsync_core.payloads._purges import erased_at

__all__ = [
    "Act",
    "Deed",
    "Kept",
    "MemoryPayloads",
    "Payloads",
    "Purge",
    "PurgedCounts",
    "erased_at",
]
