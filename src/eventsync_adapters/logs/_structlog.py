from collections.abc import Callable
from typing import TextIO


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
