"""What an operator does with what was answered or may not go: retry, replay, hold, release."""

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
    "held_pages",
    "hold",
    "matches",
    "preview",
    "release",
    "release_all",
    "reopen",
    "settle",
]
