from collections.abc import Mapping
from pathlib import Path

from eventsync_adapters.logs._files import open_log
from eventsync_adapters.logs._structlog import json_log
from eventsync_core.clock import iso_time
from eventsync_core.telemetry import LogEvent


def log_act(path: Path, event: LogEvent, values: Mapping[str, object], *, at: int) -> str:
    """
    Add a line to *path* with those of *values* that *event* names; return why it is missing.

    A line is a JSON object. Nothing is made: whoever wants the lines makes the file.
    """
    said = {field: values[field] for field in event.fields if field in values}
    try:
        with open_log(path) as file:
            json_log(file, event)(iso_time(at), said)
    except OSError as error:
        return f"{path} cannot be written: {error.strerror or 'unwritable'}"
    return ""
