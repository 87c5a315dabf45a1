"""What old programs left and nobody imported yet, as commands tell that import nothing."""

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from eventsync_cli.compose import App
from eventsync_core.errors import StoreError
from eventsync_core.ids import printable

if TYPE_CHECKING:
    from eventsync_core.migration import OldSource, OldTable, Waiting
    from eventsync_core.stores import Stores

__all__ = ["left_sources", "rows_in", "waiting_lines"]


def rows_in(
    sources: "Sequence[OldSource | OldTable]", stores: "Stores | None"
) -> "tuple[Waiting, ...]":
    """Return those of *sources* that hold rows; see `find_waiting`."""
    if not sources:
        return ()
    from eventsync_core.migration import find_waiting

    return tuple(find_waiting(sources, stores))


def left_sources(app: App, stores: "Stores") -> list[str]:
    """Return the paths of the old files that hold content of the project; see `find_left`."""
    found = app.old_sources()
    if found.is_empty:
        return []
    from eventsync_core.migration import find_left

    return find_left(stores, found.sources, found.records, app.stream)


def waiting_lines(app: App) -> list[str]:
    """Return one line for each old file that holds rows which may not be here yet."""
    sources = app.old_sources().everything
    if not sources:
        return []
    try:
        with app.reading() as stores:
            found = rows_in(sources, stores)
    except StoreError:
        # The command itself says why.
        return []
    return [
        f"eventsync: {printable(each.source.path)} holds {each.said()}; "
        f"{app.chosen.spelt(shlex.join(each.fix_argv))}"
        for each in found
    ]
