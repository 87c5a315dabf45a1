"""What is said where nothing is stored of what was asked for."""

from eventsync_cli.compose import App
from eventsync_core.journal import heads_of
from eventsync_core.stores import Stores

__all__ = ["absent_lines", "nothing_stored"]

_NAMED = 3


def absent_lines(app: App, stores: Stores | None) -> list[str]:
    """Say that nothing is stored of the project that was named, where that is so."""
    is_there = app.chosen.project is None or (stores and heads_of(stores.journal, app.stream))
    return [] if is_there else [nothing_stored(app, stores)]


def nothing_stored(app: App, stores: Stores | None) -> str:
    """Say that nothing is stored; of --project, which is named, and of which others there is."""
    if app.chosen.project is None:
        return "nothing is stored"
    others = [] if stores is None else [head.stream for head in heads_of(stores.journal, None)]
    known = f", but of {', '.join(others[:_NAMED])}" if others else ""
    return f"nothing is stored of project {app.stream}{known}"
