from functools import partial

from eventsync_adapters.legacy_queues._tables import Part
from eventsync_adapters.legacy_queues._values import Row, bytes_of, text_of, whole_row
from eventsync_core.legacy import SourceRow
from eventsync_core.migration import BODIES, FAILURES, micros_of, whole_of


def _event(row: Row) -> SourceRow:
    values = row.values
    raw, kind = bytes_of(values["data"]), values.get("event_type")
    queued_at = micros_of(values.get("timestamp"))
    retry_count = whole_of(values.get("retry_count"))
    said = {"data", "event_id"}
    # What the event itself or the number of its row says the same.
    if values.get("id") == row.number:
        said.add("id")
    if isinstance(kind, bytes) and kind in raw:
        said.add("event_type")
    if queued_at is not None:
        said.add("timestamp")
    if retry_count is not None:
        said.add("retry_count")
    return SourceRow(
        part="queue",
        row=row.number,
        event_id=None if values.get("event_id") is None else text_of(values["event_id"]),
        raw=raw,
        queued_at=queued_at,
        retry_count=retry_count,
        beside=row.beside(said),
    )


QUEUE = Part(name="queue", make=_event, order=("timestamp",), needed="data")
BODY_PARTS = tuple(
    Part(name=name, make=partial(whole_row, name), order=("created_at",))
    for name in (BODIES, FAILURES)
)
