"""Captured events as lines, exactly as they are stored; a line tells by itself what it is."""

from eventsync_core.portability._export import Exported, export, wanted_heads
from eventsync_core.portability._lines import TEXT_KEY, line_of

__all__ = ["TEXT_KEY", "Exported", "export", "line_of", "wanted_heads"]
