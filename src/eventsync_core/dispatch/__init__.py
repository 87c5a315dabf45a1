"""Offer a target what it is still owed, note its answers, never delete."""

from eventsync_core.dispatch._dispatch import dispatch
from eventsync_core.dispatch._drain import Drain, drain
from eventsync_core.dispatch._report import Budget, Report, Stop
from eventsync_core.dispatch._sending import Alongside, Sending

__all__ = ["Alongside", "Budget", "Drain", "Report", "Sending", "Stop", "dispatch", "drain"]
