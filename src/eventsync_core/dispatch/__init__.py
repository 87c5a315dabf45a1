"""Offer a target what it is still owed, note its answers, never delete."""

from eventsync_core.dispatch._drain import Drain, drain
from eventsync_core.dispatch._report import Budget, Report, Stop
from eventsync_core.dispatch._sending import Alongside
from eventsync_core.dispatch._streams import Streams, granted_streams

__all__ = [
    "Alongside",
    "Budget",
    "Drain",
    "Report",
    "Stop",
    "Streams",
    "drain",
    "granted_streams",
]
