"""What old programs noted of deliveries, as it is shown."""

from typing import Any

from eventsync_core.clock import iso_time
from eventsync_core.legacy import PastDelivery

__all__ = ["past_document"]


def past_document(row: PastDelivery) -> dict[str, Any]:
    """Return *row* as JSON; a time that was not noted is null."""
    old = row.old
    return {
        "source": row.path,
        "row": old.key.row,
        "target_id": row.target_id,
        "alias": old.alias,
        "status": old.status,
        "attempts": old.attempts,
        "first_attempted_at": _time(old.first_at),
        "last_attempted_at": _time(old.last_at),
        "accepted_at": _time(old.accepted_at),
        "completed_at": _time(old.completed_at),
        "http_status": old.http_status,
        "error": old.error,
        "taken_at": iso_time(row.taken_at),
    }


def _time(micros: int | None) -> str | None:
    return None if micros is None else iso_time(micros)
