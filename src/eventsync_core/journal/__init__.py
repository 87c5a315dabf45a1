"""Order and permanence of captured events; knows nothing of delivery."""

from eventsync_core.journal._heads import heads_of, is_astray, reach, windows
from eventsync_core.journal._judging import BadPosition, Flaw, LeftOut, judge_text, lacks_text
from eventsync_core.journal._memory import MemoryJournal
from eventsync_core.journal._model import Appended, Entry, Head, Known
from eventsync_core.journal._port import Journal
from eventsync_core.journal._rules import FAR, chain_next, chain_start, chains_after, reconcile

__all__ = [
    "FAR",
    "Appended",
    "BadPosition",
    "Entry",
    "Flaw",
    "Head",
    "Journal",
    "Known",
    "LeftOut",
    "MemoryJournal",
    "chain_next",
    "chain_start",
    "chains_after",
    "heads_of",
    "is_astray",
    "judge_text",
    "lacks_text",
    "reach",
    "reconcile",
    "windows",
]
