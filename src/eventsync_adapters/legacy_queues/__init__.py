"""Files that old programs left: found without opening them, read from private copies."""

from eventsync_adapters.legacy_queues._discover import Found, Skipped, find_sources, place_of

__all__ = ["Found", "Skipped", "find_sources", "place_of"]
