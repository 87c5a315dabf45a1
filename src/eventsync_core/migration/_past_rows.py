"""Rows of old targets, ledgers and audits, read by the names of their columns."""

from collections.abc import Mapping

import attrs

from eventsync_core.ids import is_event_id
from eventsync_core.legacy import (
    OldDelivery,
    OldTarget,
    SourceRow,
    read_error,
    read_fact,
    read_status,
    read_time,
)
from eventsync_core.migration._columns import TableRow, Value, folded, whole_of
from eventsync_core.targets import Deployment


def read_target(row: TableRow) -> OldTarget | None:
    """Return the target in *row*; None: it has no id or no URL."""
    columns = _columns(row)
    alias, url = _text(columns, "target_id"), _text(columns, "canonical_url")
    if not is_event_id(alias) or not url:
        return None
    facts = {each.name: read_fact(_text(columns, each.name)) for each in attrs.fields(Deployment)}
    return OldTarget(
        alias=alias,
        url=url,
        team=_text(columns, "team_slug"),
        user=_text(columns, "user_email"),
        deployment=Deployment(**facts) if any(facts.values()) else None,
    )


def read_delivery(row: TableRow) -> OldDelivery:
    """Return what *row* says; of what it does not say, nothing is made up."""
    columns = _columns(row)
    return OldDelivery(
        key=row.key,
        event_id=_text(columns, "event_id"),
        alias=_text(columns, "target_id"),
        status=read_status(_text(columns, "status")),
        attempts=whole_of(columns.get("attempt_count")) or 0,
        first_at=read_time(columns.get("first_attempted_at")),
        last_at=read_time(columns.get("last_attempted_at")),
        accepted_at=read_time(columns.get("accepted_at")),
        completed_at=read_time(columns.get("completed_at")),
        http_status=whole_of(columns.get("last_http_status")),
        error=read_error(_text(columns, "last_error")),
    )


def read_settled(row: TableRow) -> SourceRow:
    """Return the content that an old program put away when it settled a conflict over an event."""
    columns = _columns(row)
    payload = columns.get("payload")
    if not isinstance(payload, bytes):
        payload = ("" if payload is None else str(payload)).encode()
    return SourceRow(
        part=row.part,
        row=row.row,
        event_id=_text(columns, "event_id") or None,
        raw=payload,
        queued_at=read_time(columns.get("resolved_at")),
    )


def _columns(row: TableRow) -> Mapping[str, Value]:
    return {folded(name): value for name, value in row.columns}


def _text(columns: Mapping[str, Value], name: str) -> str:
    value = columns.get(name)
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return "" if value is None else str(value)
