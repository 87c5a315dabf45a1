"""Order and permanence of captured events; knows nothing of delivery."""

from eventsync_core.journal._heads import heads_of
from eventsync_core.journal._memory import MemoryJournal
from eventsync_core.journal._model import Appended, Entry, Head, Known
from eventsync_core.journal._port import Journal
from eventsync_core.journal._rules import chain_next, chain_start, reconcile
from eventsync_core.journal._text import checked_text

__all__ = [
    "Appended",
    "Entry",
    "Head",
    "Journal",
    "Known",
    "MemoryJournal",
    "chain_next",
    "chain_start",
    "checked_text",
    "heads_of",
    "reconcile",
]
