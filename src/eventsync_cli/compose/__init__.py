"""Pairs ports with adapters; the only package that knows them, each imported when needed."""

from typing import TYPE_CHECKING

from eventsync_cli.compose._app import App, assemble, assemble_alone, is_in_unit

if TYPE_CHECKING:
    from eventsync_adapters.legacy_queues import Found as Found
    from eventsync_adapters.server import Serving as Serving
    from eventsync_adapters.sqlite import Space as Space

__all__ = ["App", "assemble", "assemble_alone", "is_in_unit"]
