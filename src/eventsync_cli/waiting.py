"""Rows that still wait in the files of old programs; looking changes nothing."""

from collections.abc import Mapping

import attrs

from eventsync_cli.compose import App
from eventsync_core.errors import SourceError
from eventsync_core.legacy import Noted
from eventsync_core.migration import OldSource
from eventsync_core.stores import Stores

__all__ = ["Waiting", "look_for_waiting"]

_MOST_COUNTED = 20


@attrs.frozen
class Waiting:
    """An old file that holds rows, by their tables; without any it could not be counted."""

    path: str
    rows: Mapping[str, int] = attrs.field(factory=dict)
    error: str = ""

    def said(self) -> str:
        """Return what it holds, in words."""
        if self.error:
            return f"rows that cannot be counted ({self.error})"
        return ", ".join(f"{name} {count}" for name, count in self.rows.items())


def look_for_waiting(app: App) -> list[Waiting]:
    """
    Return the old files of the home that hold rows.

    A file that is as it was when nothing was left in it is not looked into.

    Raises:
        StoreError: What was imported before cannot be read.
    """
    sources = app.old_sources().sources
    if not sources:
        return []
    with app.reading() as stores:
        return waiting_in(sources, stores)


def waiting_in(sources: list[OldSource], stores: Stores | None) -> list[Waiting]:
    """Return those of *sources* that hold rows."""
    noted = {} if stores is None else {each.source.path: each for each in stores.legacy.sources()}
    found, counted = [], 0
    for old in sources:
        if _is_empty(old, noted.get(old.source.path)):
            continue
        counted += 1
        waiting = _count(old) if counted <= _MOST_COUNTED else _uncounted(old)
        if waiting is not None:
            found.append(waiting)
    return found


def _is_empty(old: OldSource, noted: Noted | None) -> bool:
    if noted is None or not noted.fingerprint or noted.rows_left:
        return False
    return old.fingerprint() == noted.fingerprint


def _uncounted(old: OldSource) -> Waiting:
    return Waiting(old.source.path, error="too many files to look into")


def _count(old: OldSource) -> Waiting | None:
    try:
        with old.reading() as reading:
            rows = {name: count for name, count in reading.waiting.items() if count}
    except SourceError as error:
        return Waiting(old.source.path, error=error.message)
    return Waiting(old.source.path, rows) if rows else None
