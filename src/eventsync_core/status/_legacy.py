"""What old programs left, as status tells it."""

from collections.abc import Iterator
from typing import Any

from eventsync_core.codec import MOST_ITEMS
from eventsync_core.errors import Reason
from eventsync_core.ids import printable
from eventsync_core.legacy import SetAside
from eventsync_core.migration import BODIES
from eventsync_core.status._model import Status

_MIGRATE = ("eventsync", "sync", "migrate")


def legacy_document(status: Status) -> dict[str, Any]:
    """Return the sections on old files as JSON."""
    waiting = status.setting.waiting
    return {
        "legacy_queue": _alone(status),
        "waiting_sources": [
            {
                "path": each.source.path,
                "rows": dict(each.rows),
                "error": each.error or None,
                "conflicts": each.conflicts,
                "quarantined": each.quarantined,
            }
            for each in waiting[:MOST_ITEMS]
        ],
        "waiting_sources_count": len(waiting),
        "migration_conflicts": {
            "count": status.conflict_count if status.is_known else None,
            "cleanup_blocked": bool(status.conflict_count),
            "conflicts": [_conflict(each, status) for each in status.conflicts[:MOST_ITEMS]],
        },
    }


def _alone(status: Status) -> dict[str, Any]:
    """Return how many rows wait in the queue that belonged to nobody, the old `queue.db`."""
    path = status.setting.legacy_queue_path
    found = next((each for each in status.setting.waiting if each.source.path == path), None)
    known = found is None or not found.error
    rows = {} if found is None else found.rows
    return {
        "path": path,
        "event_count": rows.get("queue", 0) if known else None,
        "body_upload_count": rows.get(BODIES, 0) if known else None,
        "rows_in_scope": sum(rows.values()) if known else None,
    }


def _conflict(row: SetAside, status: Status) -> dict[str, Any]:
    return {
        "event_id": row.event_id,
        "source": row.path,
        "source_digest": status.source_digests.get(row.path, ""),
        "existing_sha": row.existing.hex(),
        "incoming_sha": row.incoming.hex(),
        "detail": row.detail,
        "number": row.number,
    }


def legacy_reasons(status: Status) -> Iterator[Reason]:
    """Yield what is not coherent about old files."""
    waiting = [each for each in status.setting.waiting if not each.is_looked_at]
    if waiting:
        first = waiting[0]
        more = f", and {len(waiting) - 1} more files" if len(waiting) > 1 else ""
        path = printable(first.source.path)
        yield Reason(
            code="old_rows_waiting",
            message=f"an old program left rows in {path} ({first.said()}){more}",
            fix_argv=first.fix_argv,
        )
    if status.conflict_count:
        yield Reason(
            code="conflict",
            message=f"rows of old programs differ from what is stored: {status.conflict_count}",
            fix_argv=(*_MIGRATE, "--resolve", "keep-journal"),
        )
    quarantined = sum(each.quarantined for each in status.setting.waiting)
    if quarantined:
        yield Reason(
            code="quarantined",
            message=f"rows of old programs hold no event: {quarantined}; their bytes are kept",
            fix_argv=(*_MIGRATE, "--take-quarantined"),
        )
