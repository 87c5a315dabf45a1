"""Acts by which payloads went, as they are shown."""

from typing import Any

from eventsync_core.clock import iso_time
from eventsync_core.payloads import Purge

__all__ = ["purge_document", "purge_words"]


def purge_document(purge: Purge) -> dict[str, Any]:
    """Return an act on record as JSON."""
    deed = purge.deed
    return {
        "number": purge.number,
        "act": deed.act.value,
        "at": iso_time(deed.at),
        "actor": deed.actor,
        "detail": deed.detail,
        "events": purge.events,
        "bytes": purge.size,
    }


def purge_words(purge: Purge) -> str:
    """Return an act on record in words."""
    deed = purge.deed
    words = f"{iso_time(deed.at)}  {deed.act} by {deed.actor}"
    return f"{words}  {deed.detail}" if deed.detail else words
