from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, TextIO

from eventsync_core.codec import write_document
from eventsync_core.telemetry import LogEvent


def line_log(stream: TextIO, name: str) -> Callable[[str, str], None]:
    """
    Return a function that writes one line to *stream* for each thing that happened.

    It takes a word for what happened, which stays, and what there is to say of it. A line has
    the time in UTC, *name*, the word and the rest, as key=value pairs; text with spaces or
    control characters is quoted, so that a line stays one line.
    """
    import structlog

    log = structlog.wrap_logger(
        structlog.PrintLogger(stream),
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.KeyValueRenderer(
                key_order=["timestamp", "source", "event", "detail"]
            ),
        ],
        cache_logger_on_first_use=True,
    ).bind(source=name)

    def write(event: str, detail: str) -> None:
        log.info(event, detail=detail)

    return write


def json_log(stream: TextIO, event: LogEvent) -> Callable[[str, Mapping[str, object]], None]:
    """
    Return a function that writes one JSON object, in a line, to *stream* for each *event*.

    It takes the time and what there is to say; a line has the fields that *event* names, in
    their order, null where nothing is said of one. What it raises is what *stream* raises.
    """
    import structlog

    def named(_: object, __: str, said: MutableMapping[str, Any]) -> Mapping[str, Any]:
        return {field: said.get(field) for field in event.fields}

    log = structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=[
            structlog.processors.add_log_level,
            named,
            structlog.processors.JSONRenderer(serializer=lambda said, **_: write_document(said)),
        ],
        wrapper_class=structlog.BoundLogger,
        cache_logger_on_first_use=True,
    ).bind()

    def write(at: str, said: Mapping[str, object]) -> None:
        log.info(**{**said, "event": event.name, "timestamp": at})

    return write
