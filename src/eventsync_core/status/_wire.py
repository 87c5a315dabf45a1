from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from eventsync_core.census import Class
from eventsync_core.clock import iso_time
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.errors import Reason
from eventsync_core.ledger import Request
from eventsync_core.status._bodies import body_documents
from eventsync_core.status._gates import gate_document
from eventsync_core.status._kept import (
    backlog_document,
    journal_document,
    known,
    storage_document,
    time_or_null,
)
from eventsync_core.status._known import back_off_document, reset_document
from eventsync_core.status._legacy import legacy_document
from eventsync_core.status._model import (
    Setting,
    Status,
    StreamStatus,
    TargetStatus,
)
from eventsync_core.status._owner import owner_document
from eventsync_core.targets import Target


def as_document(status: Status, reasons: Sequence[Reason], *, exit_code: int) -> dict[str, Any]:
    """
    Return the JSON contract of `sync status`; keys are only ever added.

    *reasons* is what `check` found. What could not be read is null, never zero, and
    `event_sync_status_error` says why.
    """
    setting = status.setting
    document: dict[str, Any] = {
        "schema": 1,
        "ok": not reasons,
        "exit_code": exit_code,
        "reasons": [reason.document() for reason in reasons[:MOST_ITEMS]],
        "reasons_count": len(reasons),
        "mode": setting.mode.value,
        "gates": list(setting.gates),
        "gate_reasons": [gate_document(refusal) for refusal in status.gate_reasons],
        "auth_required": setting.auth_required,
        "auth_present": setting.auth_present,
        "foreground": _foreground(status),
        "active_queue": _active_queue(status),
        "target_authority": setting.authority.document(),
        "target_authority_provenance": dict(setting.authority.provenance),
        **_queue_files(setting),
        **owner_document(),
        "event_journal": journal_document(status),
        "storage": storage_document(status),
        "backlog": backlog_document(status),
        "delivery_targets": _targets(status),
        "delivery_ledger": _ledger(status),
        **legacy_document(status),
        "terminal_failures": _failures(status),
        "body_upload_compatibility": {
            "body_upload_queue_count": known(status, status.bodies.waiting),
            "body_upload_failure_log_count": known(status, status.bodies.failure_log),
        },
        "body_streams": body_documents(status.body_streams),
        "body_streams_count": known(status, len(status.body_streams)),
        "targets": [_target(target, status.at) for target in status.targets[:MOST_ITEMS]],
        "targets_count": known(status, len(status.targets)),
    }
    if setting.store_error is not None:
        document["event_sync_status_error"] = setting.store_error.message[:200]
    return document


def _foreground(status: Status) -> dict[str, Any]:
    setting = status.setting
    resolved = setting.authority
    who = resolved.team_slug or resolved.user_id
    both = resolved.resolved_server_url is not None and who is not None
    return {
        **attrs.asdict(setting.foreground),
        "server_url": resolved.resolved_server_url if both else None,
        "team_or_user": who if both else None,
        "queue_db_path": resolved.queue_db_path,
    }


def _queue_files(setting: Setting) -> dict[str, Any]:
    found = setting.queue_files
    if found is None:
        return {"queue_files": [], "queue_files_count": None}
    files = [
        {"path": each.path, "digest": each.digest, "spelling": each.match and each.match.spelling}
        for each in found[:MOST_ITEMS]
    ]
    return {"queue_files": files, "queue_files_count": len(found)}


def _active_queue(status: Status) -> dict[str, Any]:
    current = status.current
    settled = 0
    if current is not None:
        settled = current.count(Class.DELIVERED) + current.count(Class.TERMINAL_FAILED)
    return {
        "path": status.setting.database_path,
        "event_count": known(status, status.captured_count - settled),
        "body_upload_count": known(status, status.bodies.waiting),
    }


def _targets(status: Status) -> dict[str, Any]:
    chosen, current = status.setting.current, _unusable(status.setting)
    if chosen is not None:
        current = _identity(chosen)
        if status.current is None:
            current["target_id"] = None
    previous = [
        {**_identity(target.target), "delivered_count": target.count(Class.DELIVERED)}
        for target in _previous(status)
    ]
    return {"current": current, "previous": previous[:MOST_ITEMS]}


def _unusable(setting: Setting) -> dict[str, Any] | None:
    """Return what is chosen where no target can be made of its address."""
    if not setting.place:
        return None
    return {
        "target_id": None,
        "canonical_url": setting.place,
        "team_slug": setting.authority.team_slug or "",
        "user_email": setting.authority.user_id or "",
    }


def _previous(status: Status) -> list[TargetStatus]:
    return [
        target
        for target in status.targets
        if not target.is_current and target.count(Class.DELIVERED)
    ]


def _identity(target: Target) -> dict[str, Any]:
    return {
        "target_id": target.target_id,
        "canonical_url": target.url,
        "team_slug": target.team,
        "user_email": target.user,
    }


def _ledger(status: Status) -> dict[str, Any]:
    current = status.current
    counts = dict.fromkeys(Class, 0)
    if current is not None:
        counts = {name: current.count(name) for name in Class}
    previous = sum(target.count(Class.DELIVERED) for target in _previous(status))
    transient = counts[Class.IN_BACKOFF] + counts[Class.UNKNOWN_EFFECT]
    return {
        "delivered_current_target": known(status, counts[Class.DELIVERED]),
        "delivered_previous_target": known(status, previous),
        "pending": known(status, counts[Class.PENDING]),
        "rejected": known(status, counts[Class.REJECTED]),
        "transient": known(status, transient),
    }


def _failures(status: Status) -> dict[str, Any]:
    count = sum(target.count(Class.TERMINAL_FAILED) for target in status.targets)
    events = [
        {
            "event_id": failure.event_id,
            "target_id": failure.target_id,
            "last_error": failure.said.reason,
        }
        for failure in status.failures[:MOST_ITEMS]
    ]
    return {"count": known(status, count), "events": events}


def _target(status: TargetStatus, at: int) -> dict[str, Any]:
    target = status.target
    return {
        "target_id": target.target_id,
        "url": target.url,
        "team": target.team,
        "user": target.user,
        "kind": target.kind.value,
        "is_current": status.is_current,
        "paused": target.paused,
        "back_off": back_off_document(target, at=at),
        "reset": reset_document(target),
        "last_delivery_at": time_or_null(status.last_delivery_at),
        "seconds_since_delivery": status.seconds_since_delivery,
        "seconds_since_progress": status.seconds_since_progress(at),
        "oldest_owed_at": time_or_null(status.oldest_owed_at),
        "seconds_since_oldest_owed": status.seconds_since_oldest_owed(at),
        "captured": status.captured,
        "classes": _classes(status.classes),
        "sum": sum(status.classes.values()),
        "coherent": status.is_coherent,
        "remaining_owed": status.remaining_owed,
        "streams": [stream_document(stream) for stream in status.streams[:MOST_ITEMS]],
        "streams_count": len(status.streams),
    }


def stream_document(status: StreamStatus) -> dict[str, Any]:
    """Return how a stream stands with a target, as JSON."""
    return {
        "stream": status.stream,
        "captured": status.captured,
        "granted": status.is_granted,
        "from_position": status.from_position,
        "paused": status.paused,
        "classes": _classes(status.classes),
        "sum": status.total,
        "coherent": status.is_coherent,
        "remaining_owed": status.remaining_owed,
        "oldest_owed_at": time_or_null(status.oldest_owed_at),
        "last_request": None
        if status.last_request is None
        else request_document(status.last_request),
    }


def request_document(request: Request) -> dict[str, Any]:
    """Return one request as history keeps it, as JSON."""
    return {
        "request_id": request.request_id,
        "opened_at": iso_time(request.opened_at),
        "closed_at": time_or_null(request.closed_at),
        "positions": request.positions,
        "event_count": request.event_count,
        "body_bytes": request.body_bytes,
        "digest": request.digest.hex(),
        "status": request.status,
        "answer": request.answer,
        "guidance": request.guidance,
    }


def _classes(counts: Mapping[Class, int]) -> dict[str, int]:
    return {name.value: counts[name] for name in Class}
