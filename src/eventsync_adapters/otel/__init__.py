"""Metrics and spans through the OpenTelemetry of a host; its API only, and nobody else's."""

from eventsync_adapters.otel._api import Meter, Tracer, api_meter, api_tracer
from eventsync_adapters.otel._instruments import Instruments

__all__ = ["Instruments", "Meter", "Tracer", "api_meter", "api_tracer"]
