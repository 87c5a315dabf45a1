"""What programs may watch: metrics, spans and log lines, each with a name that stays."""

from eventsync_core.telemetry._metrics import (
    CAPTURE_SECONDS,
    CAPTURED,
    DRAIN_SECONDS,
    METRICS,
    OUTCOMES,
    REQUESTS,
    Instrument,
    Metric,
)
from eventsync_core.telemetry._names import (
    ACTS,
    BROKEN,
    CAPTURE_SPAN,
    DRAIN_SPAN,
    LOG_EVENTS,
    NOT_STORED,
    ROW_MIGRATED,
    SERVED,
    SPANS,
    LogEvent,
    Span,
)
from eventsync_core.telemetry._samples import Sample, samples
from eventsync_core.telemetry._text import prometheus_text

__all__ = [
    "ACTS",
    "BROKEN",
    "CAPTURED",
    "CAPTURE_SECONDS",
    "CAPTURE_SPAN",
    "DRAIN_SECONDS",
    "DRAIN_SPAN",
    "LOG_EVENTS",
    "METRICS",
    "NOT_STORED",
    "OUTCOMES",
    "REQUESTS",
    "ROW_MIGRATED",
    "SERVED",
    "SPANS",
    "Instrument",
    "LogEvent",
    "Metric",
    "Sample",
    "Span",
    "prometheus_text",
    "samples",
]
