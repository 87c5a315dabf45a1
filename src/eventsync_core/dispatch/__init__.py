"""Offer a target what it is still owed, note its answers, never delete."""

from eventsync_core.dispatch._dispatch import Sending, dispatch
from eventsync_core.dispatch._drain import Drain, drain
from eventsync_core.dispatch._report import Budget, Report, Stop

__all__ = ["Budget", "Drain", "Report", "Sending", "Stop", "dispatch", "drain"]
