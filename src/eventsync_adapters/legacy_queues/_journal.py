from eventsync_adapters.legacy_queues._tables import Part
from eventsync_adapters.legacy_queues._values import Row, bytes_of, text_of, time_of
from eventsync_core.legacy import SourceRow

_TABLE = "event_journal"
_SAID_AGAIN = ("event_type", "occurred_at", "project_uuid", "project_slug", "repo_slug")


def _event(row: Row) -> SourceRow:
    values = row.values
    raw, queued_at = bytes_of(values["payload"]), time_of(values.get("created_at"))
    said = {"payload", "event_id"}
    said |= {name for name in _SAID_AGAIN if bytes_of(values.get(name)) in raw}
    if queued_at is not None:
        said.add("created_at")
    return SourceRow(
        part=_TABLE,
        row=row.number,
        event_id=None if values.get("event_id") is None else text_of(values["event_id"]),
        raw=raw,
        queued_at=queued_at,
        beside=row.beside(said),
    )


JOURNAL = Part(name=_TABLE, make=_event, order=("created_at", "event_id"), needed="payload")
