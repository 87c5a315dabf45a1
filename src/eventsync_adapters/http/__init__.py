"""Deliver over HTTP: one transport, and the receivers that post through it."""

from eventsync_adapters.http._external import ExternalReceiver, Signing
from eventsync_adapters.http._held import HeldReader
from eventsync_adapters.http._signing import read_signing_key
from eventsync_adapters.http._teamspace import TeamspaceReceiver
from eventsync_adapters.http._transport import Timeouts, Transport

__all__ = [
    "ExternalReceiver",
    "HeldReader",
    "Signing",
    "TeamspaceReceiver",
    "Timeouts",
    "Transport",
    "read_signing_key",
]
