"""Log lines for people and programs; nothing global is configured, `logging` is left alone."""

from eventsync_adapters.logs._acts import log_act
from eventsync_adapters.logs._rows import RowLog, row_log
from eventsync_adapters.logs._structlog import line_log

__all__ = ["RowLog", "line_log", "log_act", "row_log"]
