"""A loopback receiver for tests and demonstrations: the server's half over HTTP and SQLite."""

from eventsync_adapters.server._inbox import SqliteInbox
from eventsync_adapters.server._serving import Serving, serve

__all__ = ["Serving", "SqliteInbox", "serve"]
