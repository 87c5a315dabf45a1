from collections.abc import Mapping
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any, Protocol, cast

from eventsync_core import __version__
from eventsync_core.errors import SettingsError

_SCOPE = "eventsync"


class Counter(Protocol):
    """Adds up."""

    def add(self, amount: float, attributes: Mapping[str, str] | None = None) -> None: ...


class Histogram(Protocol):
    """Keeps how often which values came."""

    def record(self, amount: float, attributes: Mapping[str, str] | None = None) -> None: ...


class Gauge(Protocol):
    """Keeps the last value."""

    def set(self, amount: float, attributes: Mapping[str, str] | None = None) -> None: ...


class Meter(Protocol):
    """What makes instruments; `opentelemetry.metrics.Meter` is one."""

    def create_counter(self, name: str, unit: str = "", description: str = "") -> Counter: ...

    def create_histogram(self, name: str, unit: str = "", description: str = "") -> Histogram: ...

    def create_gauge(self, name: str, unit: str = "", description: str = "") -> Gauge: ...


class OpenSpan(Protocol):
    """A span that has not ended."""

    def set_attribute(self, key: str, value: str | float) -> None: ...


class Tracer(Protocol):
    """What makes spans; `opentelemetry.trace.Tracer` is one."""

    def start_as_current_span(
        self, name: str, *, record_exception: bool = True, set_status_on_exception: bool = True
    ) -> AbstractContextManager[OpenSpan]: ...


def api_meter() -> Meter:
    """
    Return the meter of the provider that the host has set up; without one it does nothing.

    Raises:
        SettingsError: The extra `otel` is not installed.
    """
    return cast(Meter, _api("opentelemetry.metrics").get_meter(_SCOPE, __version__))


def api_tracer() -> Tracer:
    """
    Return the tracer of the provider that the host has set up; without one it does nothing.

    Raises:
        SettingsError: The extra `otel` is not installed.
    """
    return cast(Tracer, _api("opentelemetry.trace").get_tracer(_SCOPE, __version__))


def _api(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as missing:
        error = SettingsError(
            "opentelemetry-api is not installed",
            source="opentelemetry-api",
            code="telemetry_missing",
        )
        error.fix_text = "install eventsync[otel], or hand in a meter and a tracer"
        raise error from missing
