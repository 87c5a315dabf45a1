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

LOG_EVENTS = (ROW_MIGRATED, SERVED, NOT_STORED, BROKEN)
