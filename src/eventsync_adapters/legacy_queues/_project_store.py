from eventsync_adapters.legacy_queues._tables import Part
from eventsync_adapters.legacy_queues._values import Row, bytes_of, project_of, time_of
from eventsync_core.legacy import SourceRow, unwrap

_TABLE = "journal_entries"


def _event(row: Row) -> SourceRow:
    found = unwrap(bytes_of(row.values["payload_json"]))
    return SourceRow(
        part=_TABLE,
        row=row.number,
        event_id=found.event_id,
        raw=found.raw,
        queued_at=time_of(row.values.get("created_at")),
        project=project_of(row),
        damage=found.damage,
    )


# Other tables, which are not read, lead to its rows: these stay.
ENTRIES = Part(
    name=_TABLE,
    make=_event,
    order=("capture_sequence",),
    needed="payload_json",
    is_emptied=False,
)
