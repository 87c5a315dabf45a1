from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from eventsync_core.telemetry._metrics import METRICS, Metric, prometheus_name
from eventsync_core.telemetry._samples import Sample, samples


def prometheus_text(document: Mapping[str, Any]) -> str:
    """
    Return the document of `sync status` in the text format of Prometheus, version 0.0.4.

    Each metric that has a value is told with its help and type, in an order that stays.
    """
    found: dict[Metric, list[Sample]] = {}
    for sample in samples(document):
        found.setdefault(sample.metric, []).append(sample)
    lines = (line for metric in METRICS if metric in found for line in _told(metric, found[metric]))
    return "".join(f"{line}\n" for line in lines)


def _told(metric: Metric, values: Iterable[Sample]) -> Iterator[str]:
    name = prometheus_name(metric)
    yield f"# HELP {name} {metric.help}"
    yield f"# TYPE {name} {metric.instrument.value}"
    for sample in values:
        pairs = zip(metric.labels, sample.labels, strict=True)
        labels = ",".join(f'{label}="{_escaped(value)}"' for label, value in pairs)
        yield (
            f"{name}{{{labels}}} {_number(sample.value)}"
            if labels
            else (f"{name} {_number(sample.value)}")
        )


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
