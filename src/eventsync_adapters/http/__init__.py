"""Deliver over HTTP: one transport, and the receivers that post through it."""

from eventsync_adapters.http._receivers import ExternalReceiver, TeamspaceReceiver
from eventsync_adapters.http._transport import Timeouts, Transport

__all__ = ["ExternalReceiver", "TeamspaceReceiver", "Timeouts", "Transport"]
