from collections.abc import Callable
from typing import TextIO


def line_log(stream: TextIO, name: str) -> Callable[[str], None]:
    """
    Return a function that writes one line to *stream* for each thing that happened.

    A line has the time in UTC, *name* and the text, as key=value pairs; text with spaces or
    control characters is quoted, so that a line stays one line.
    """
    import structlog

    log = structlog.wrap_logger(
        structlog.PrintLogger(stream),
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "source", "event"]),
        ],
        cache_logger_on_first_use=True,
    ).bind(source=name)

    def write(text: str) -> None:
        log.info(text)

    return write
