"""What an operator does with what may go, or was answered: grant, retry, replay, hold, release."""

from eventsync_core.desk._grant import grant, head_of, wake
from eventsync_core.desk._hold import (
    Moved,
    find_entries,
    held_pages,
    hold,
    release,
    release_all,
)
from eventsync_core.desk._model import Account, Order, Selection, matches
from eventsync_core.desk._reopen import preview, reopen, settle

__all__ = [
    "Account",
    "Moved",
    "Order",
    "Selection",
    "find_entries",
    "grant",
    "head_of",
    "held_pages",
    "hold",
    "matches",
    "preview",
    "release",
    "release_all",
    "reopen",
    "settle",
    "wake",
]
