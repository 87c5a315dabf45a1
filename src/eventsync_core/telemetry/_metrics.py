from enum import StrEnum

import attrs


class Instrument(StrEnum):
    """How a metric is measured: as it stands now, added up, or each time by itself."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@attrs.frozen(kw_only=True)
class Metric:
    """
    One metric; its name, unit and labels stay.

    A gauge is read from the status, everything else is measured while a host works. `unit` is
    that of UCUM: `s`, `By`, or `1`.
    """

    name: str
    help: str
    unit: str = "1"
    labels: tuple[str, ...] = ()
    instrument: Instrument = Instrument.GAUGE


_TARGET = ("target_id",)
_STREAM = ("target_id", "stream")

BUILD = Metric(name="eventsync.build", help="Always 1; the version that runs.", labels=("version",))
UP = Metric(name="eventsync.up", help="1 when the store can be read, else 0.")
COHERENT = Metric(
    name="eventsync.coherent",
    help="1 when everything holds together as status --check says, else 0.",
)
REASON = Metric(
    name="eventsync.reason", help="Why it does not, by code: how many.", labels=("code",)
)
GATE_CLOSED = Metric(
    name="eventsync.gate.closed", help="1 for each gate that is closed.", labels=("gate",)
)
RETAINED = Metric(name="eventsync.events.retained", help="Events whose text is stored.")
ARCHIVED = Metric(
    name="eventsync.events.archived", help="Events whose text sync archive moved into a file."
)
OLDEST = Metric(
    name="eventsync.events.oldest_retained",
    help="When the oldest of them was captured, in seconds since 1970 UTC.",
    unit="s",
)
PAYLOADS = Metric(
    name="eventsync.events.size", help="Size of the texts that are stored.", unit="By"
)
STREAM_PAYLOADS = Metric(
    name="eventsync.stream.size",
    help="Size of the texts of a stream that are stored.",
    unit="By",
    labels=("stream",),
)
SIZE = Metric(name="eventsync.database.size", help="Size of the database file.", unit="By")
UNUSED = Metric(
    name="eventsync.database.unused", help="What of it holds nothing and is used again.", unit="By"
)
WAL = Metric(
    name="eventsync.database.wal", help="What waits beside it to be taken into it.", unit="By"
)
TARGET = Metric(
    name="eventsync.target",
    help="Always 1; what a target is.",
    labels=("target_id", "kind", "url", "current"),
)
CLASSES = Metric(
    name="eventsync.target.events",
    help="Events of a stream by what became of them at a target.",
    labels=(*_STREAM, "class"),
)
OWED = Metric(
    name="eventsync.target.owed", help="Events that are still to be delivered.", labels=_STREAM
)
ALL_OWED = Metric(
    name="eventsync.target.all_owed",
    help="Events that are still to be delivered there, of all streams.",
    labels=_TARGET,
)
GRANTED = Metric(
    name="eventsync.target.granted", help="1 when the stream may go there, else 0.", labels=_STREAM
)
PAUSED = Metric(
    name="eventsync.target.paused",
    help="1 when the target rests by command, else 0.",
    labels=_TARGET,
)
FAULTS = Metric(name="eventsync.target.faults", help="Failed requests in a row.", labels=_TARGET)
IDLE = Metric(
    name="eventsync.target.since_delivery",
    help="Time since anything was delivered while something remained.",
    unit="s",
    labels=_TARGET,
)
STALLING = Metric(
    name="eventsync.target.since_progress",
    help="For how long something is owed there and nothing was delivered.",
    unit="s",
    labels=_TARGET,
)
OLDEST_OWED = Metric(
    name="eventsync.target.oldest_owed",
    help="When the oldest event that is owed there was captured, in seconds since 1970 UTC.",
    unit="s",
    labels=_TARGET,
)
OLDEST_OWED_AGE = Metric(
    name="eventsync.target.oldest_owed_age",
    help="How long ago that was.",
    unit="s",
    labels=_TARGET,
)
FAILED = Metric(
    name="eventsync.terminal_failures",
    help="Events that failed for good, once for each target that they failed at.",
)
BODIES = Metric(name="eventsync.bodies.waiting", help="Bodies that wait to be uploaded.")
BODY_FAILURES = Metric(name="eventsync.bodies.failures", help="Rows of the log of failed bodies.")
WAITING = Metric(
    name="eventsync.legacy.sources", help="Files of old programs in which something waits."
)
CONFLICTS = Metric(
    name="eventsync.legacy.conflicts", help="Conflicts of a migration that nobody has settled."
)
CAPTURED = Metric(
    name="eventsync.captured",
    help="Events that were handed to capture, by what became of them.",
    labels=("state",),
    instrument=Instrument.COUNTER,
)
CAPTURE_SECONDS = Metric(
    name="eventsync.capture.duration",
    help="How long a call of capture took.",
    unit="s",
    instrument=Instrument.HISTOGRAM,
)
OUTCOMES = Metric(
    name="eventsync.delivered",
    help="Events that a drain selected, by their outcome.",
    labels=("target_id", "outcome"),
    instrument=Instrument.COUNTER,
)
REQUESTS = Metric(
    name="eventsync.requests",
    help="Requests that drains made.",
    labels=_TARGET,
    instrument=Instrument.COUNTER,
)
DRAIN_SECONDS = Metric(
    name="eventsync.drain.duration",
    help="How long a drain took; `stopped_because` is `error` for one that failed.",
    unit="s",
    labels=("target_id", "stopped_because"),
    instrument=Instrument.HISTOGRAM,
)

METRICS = (
    BUILD,
    UP,
    COHERENT,
    REASON,
    GATE_CLOSED,
    RETAINED,
    ARCHIVED,
    OLDEST,
    PAYLOADS,
    STREAM_PAYLOADS,
    SIZE,
    UNUSED,
    WAL,
    TARGET,
    CLASSES,
    OWED,
    ALL_OWED,
    GRANTED,
    PAUSED,
    FAULTS,
    IDLE,
    STALLING,
    OLDEST_OWED,
    OLDEST_OWED_AGE,
    FAILED,
    BODIES,
    BODY_FAILURES,
    WAITING,
    CONFLICTS,
    CAPTURED,
    CAPTURE_SECONDS,
    OUTCOMES,
    REQUESTS,
    DRAIN_SECONDS,
)

_SUFFIXES = {"s": "_seconds", "By": "_bytes", "1": ""}


def prometheus_name(metric: Metric) -> str:
    """Return what *metric* is called where names have no dots and end with their unit."""
    return metric.name.replace(".", "_") + _SUFFIXES[metric.unit]
