from collections.abc import Mapping

import attrs


@attrs.frozen(kw_only=True)
class Span:
    """A stretch of work that tracing shows, and what is noted with it."""

    name: str
    help: str
    attributes: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class LogEvent:
    """A line of a log: its name stays, and so do the names of its fields."""

    name: str
    help: str
    where: str
    fields: tuple[str, ...] = ()


CAPTURE_SPAN = Span(
    name="eventsync.capture",
    help="one call of capture",
    attributes=("eventsync.events", "eventsync.stored", "error.type"),
)
DRAIN_SPAN = Span(
    name="eventsync.drain",
    help="one drain of a target",
    attributes=(
        "eventsync.target_id",
        "eventsync.requests",
        "eventsync.delivered",
        "eventsync.remaining_owed",
        "eventsync.stopped_because",
        "error.type",
    ),
)

SPANS = (CAPTURE_SPAN, DRAIN_SPAN)

ROW_MIGRATED = LogEvent(
    name="migrated row",
    help="what became of one row of an old program",
    where="migrated.log",
    fields=("timestamp", "level", "event", "became", "table", "key", "row", "source"),
)
SERVED = LogEvent(
    name="request",
    help="one request to eventsync serve, and its status",
    where="stderr of eventsync serve",
    fields=("timestamp", "source", "event", "detail"),
)
NOT_STORED = LogEvent(
    name="cannot store",
    help="a batch that it could not keep",
    where="stderr of eventsync serve",
    fields=("timestamp", "source", "event", "detail"),
)
BROKEN = LogEvent(
    name="connection broke",
    help="a connection that ended in the midst of a request",
    where="stderr of eventsync serve",
    fields=("timestamp", "source", "event", "detail"),
)


_OF_ACTS = ("timestamp", "level", "event", "exit", "error")


def _act(name: str, said: str, *fields: str) -> LogEvent:
    return LogEvent(name=name, help=said, where="acts.log", fields=(*_OF_ACTS, *fields))


ACTS: Mapping[str, LogEvent] = {
    "gc": _act(
        "payloads collected",
        "what sync gc let go, and whether it wrote the database anew",
        *("purged", "purged_bytes", "skipped", "compacted"),
    ),
    "archive": _act(
        "payloads archived",
        "what sync archive moved into a file",
        *("archived", "archived_bytes", "undelivered", "damaged_count"),
    ),
    "purge": _act(
        "project purged",
        "what journal purge erased",
        *("stream", "payloads", "bodies", "copies_count"),
    ),
    "import": _act(
        "lines imported",
        "what became of the lines of journal import",
        *("lines", "stored", "brought_back", "duplicates", "conflicts_count", "refused_count"),
    ),
    "backup": _act(
        "backup made",
        "what journal backup copied",
        *("events", "streams_count", "file_bytes"),
    ),
    "restore": _act(
        "backup restored",
        "what journal restore put in place",
        *("events", "left_behind", "grants_resting", "grants_revoked"),
    ),
    "quarantine": _act(
        "entries quarantined",
        "what journal quarantine set aside",
        *("quarantined", "already_held", "not_damaged_count"),
    ),
    "doctor": _act(
        "home changed",
        "what sync doctor --mend or --journal-mode changed, and what it finds now",
        *("mended", "journal_mode", "errors", "warnings"),
    ),
    "now": _act(
        "target drained",
        "what came of sync now",
        *("counts", "target_id", "requests", "stopped_because", "remaining_owed"),
    ),
}
LOG_EVENTS = (ROW_MIGRATED, SERVED, NOT_STORED, BROKEN, *ACTS.values())
