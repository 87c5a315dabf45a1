from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress

from eventsync_adapters.otel._api import (
    Counter,
    Gauge,
    Histogram,
    Meter,
    OpenSpan,
    Tracer,
)
from eventsync_core.telemetry import METRICS, Instrument, Metric, Sample, Span

_Opened = tuple[AbstractContextManager[OpenSpan], OpenSpan]


class Instruments:
    """
    Every metric and span of ours, told to the meter and tracer of a host.

    What fails there is not heeded: nobody loses an event because it could not be counted.
    """

    def __init__(self, meter: Meter, tracer: Tracer) -> None:
        self._tracer = tracer
        self._counters: dict[Metric, Counter] = {}
        self._histograms: dict[Metric, Histogram] = {}
        self._gauges: dict[Metric, Gauge] = {}
        for metric in METRICS:
            with suppress(Exception):
                self._make(meter, metric)

    def _make(self, meter: Meter, metric: Metric) -> None:
        name, unit, description = metric.name, metric.unit, metric.help
        if metric.instrument is Instrument.COUNTER:
            self._counters[metric] = meter.create_counter(name, unit, description)
        elif metric.instrument is Instrument.HISTOGRAM:
            self._histograms[metric] = meter.create_histogram(name, unit, description)
        else:
            self._gauges[metric] = meter.create_gauge(name, unit, description)

    def add(self, metric: Metric, amount: float, *labels: str) -> None:
        """Add *amount* to a counter; *labels* in the order of the metric's."""
        with suppress(Exception):
            self._counters[metric].add(amount, _named(metric, labels))

    def record(self, metric: Metric, amount: float, *labels: str) -> None:
        """Note *amount* in a histogram."""
        with suppress(Exception):
            self._histograms[metric].record(amount, _named(metric, labels))

    def set(self, samples: Iterable[Sample]) -> None:
        """Set gauges to their values."""
        for sample in samples:
            with suppress(Exception):
                gauge = self._gauges[sample.metric]
                gauge.set(float(sample.value), _named(sample.metric, sample.labels))

    @contextmanager
    def span(self, span: Span) -> Iterator[dict[str, str | float]]:
        """
        Trace the block as *span*; what is put into the dict that is yielded is noted with it.

        Of an error the name of its class is noted, and never what it says.
        """
        noted: dict[str, str | float] = {}
        opened = self._open(span)
        try:
            yield noted
        except BaseException as error:
            noted["error.type"] = type(error).__name__
            raise
        finally:
            if opened is not None:
                _end(opened, noted)

    def _open(self, span: Span) -> _Opened | None:
        with suppress(Exception):
            context = self._tracer.start_as_current_span(
                span.name, record_exception=False, set_status_on_exception=False
            )
            return context, context.__enter__()
        return None


def _end(opened: _Opened, noted: Mapping[str, str | float]) -> None:
    context, span = opened
    with suppress(Exception):
        for name, value in noted.items():
            span.set_attribute(name, value)
    with suppress(Exception):
        context.__exit__(None, None, None)


def _named(metric: Metric, labels: Iterable[str]) -> dict[str, str]:
    return dict(zip(metric.labels, labels, strict=True))
