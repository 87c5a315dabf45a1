"""How much is kept and how much waits, as status tells it; what cannot be read is null."""

from typing import Any

from eventsync_core.census import Class
from eventsync_core.clock import iso_time
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.measures import total
from eventsync_core.retention import suggest
from eventsync_core.status._model import Status
from eventsync_core.status._stall import stall_of

_REASON = (
    "the journal is large, and every known target has every event; "
    "removing delivered content keeps what is known of it"
)


def known(status: Status, value: int) -> int | None:
    """Return *value*, or None where the store could not be read."""
    return value if status.is_known else None


def time_or_null(micros: int | None) -> str | None:
    """Return a time as JSON."""
    return None if micros is None else iso_time(micros)


def journal_document(status: Status) -> dict[str, Any]:
    """Return what the journal holds as JSON."""
    retained = total(status.retained)
    is_suggested = suggest(
        size_bytes=retained.size_bytes,
        retained=retained.count,
        targets=len(status.targets),
        is_all_delivered=_is_all_delivered(status),
    )
    suggestion = {
        "reason": _REASON,
        "retained_event_count": retained.count,
        "journal_size_bytes": retained.size_bytes,
    }
    return {
        "retained_event_count": known(status, retained.count),
        "archived_event_count": known(status, status.archived_count),
        "oldest_retained_event_at": time_or_null(status.oldest_at),
        "journal_size_bytes": known(status, retained.size_bytes),
        "gc_suggested": is_suggested,
        "gc_suggestion": suggestion if is_suggested else None,
    }


def _is_all_delivered(status: Status) -> bool:
    """Say whether every target has every event whose content is kept."""
    gone = Class.ARCHIVED_OR_PURGED_UNDELIVERED
    return all(
        stream.classes[Class.DELIVERED] + stream.classes[gone] == stream.captured
        for target in status.targets
        for stream in target.streams
    )


def storage_document(status: Status) -> dict[str, Any]:
    """Return how the store lies on disk, and what each stream takes of it, as JSON."""
    disk = status.storage
    streams = [
        {
            "stream": kept.stream,
            "captured": status.captured.get(kept.stream, 0),
            "retained": kept.count,
            "payload_bytes": kept.size_bytes,
        }
        for kept in status.retained[:MOST_ITEMS]
    ]
    return {
        "payload_bytes": known(status, total(status.retained).size_bytes),
        "file_bytes": known(status, disk.file_bytes if disk else 0),
        "free_pages": known(status, disk.free_pages if disk else 0),
        "free_bytes": known(status, disk.free_bytes if disk else 0),
        "page_bytes": None if disk is None else disk.page_bytes,
        "wal_bytes": known(status, disk.wal_bytes if disk else 0),
        "journal_mode": None if disk is None else disk.journal_mode,
        "streams": streams,
        "streams_count": known(status, len(status.retained)),
    }


def backlog_document(status: Status) -> dict[str, Any]:
    """Return what the current target is owed, and since when, as JSON."""
    current = status.current
    delivered = 0 if current is None else current.count(Class.DELIVERED)
    return {
        "undelivered_current_target": known(status, status.captured_count - delivered),
        "remaining_owed": known(status, 0 if current is None else current.remaining_owed),
        "oldest_owed_at": time_or_null(None if current is None else current.oldest_owed_at),
        "seconds_since_progress": (
            None if current is None else current.seconds_since_progress(status.at)
        ),
        "stall_after_seconds": status.setting.stall_after_seconds,
        "stalled": stall_of(status) is not None if status.is_known else None,
    }
