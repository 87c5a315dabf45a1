"""Captured events as lines, exactly as they are stored; a line tells by itself what it is."""

from eventsync_core.portability._choose import Filter, choose, tell
from eventsync_core.portability._export import Exported, export, wanted_heads
from eventsync_core.portability._take import Taken, Taking, TakingRules

__all__ = [
    "Exported",
    "Filter",
    "Taken",
    "Taking",
    "TakingRules",
    "choose",
    "export",
    "tell",
    "wanted_heads",
]
