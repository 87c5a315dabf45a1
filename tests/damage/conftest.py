"""A home in which something is captured, and its commands."""

from tests.cli.conftest import events, home, receiver, run

__all__ = ["events", "home", "receiver", "run"]
