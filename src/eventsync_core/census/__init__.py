"""The one place that counts: per target, every entry is in exactly one class."""

from eventsync_core.census._classes import Class, Facts, Group, Tally, classify, remaining

__all__ = ["Class", "Facts", "Group", "Tally", "classify", "remaining"]
