"""A database that is gone, as the note beside it tells."""

import os
from contextlib import suppress
from pathlib import Path

from eventsync_core.errors import StoreUnreadableError

__all__ = ["check_not_lost", "verified_file", "was_there"]


def verified_file(database: Path) -> Path:
    """Return where it stands: `verified.json` beside an `eventsync.db`, else with its name."""
    place = Path(os.path.realpath(database))
    name = "verified.json" if place.name == "eventsync.db" else f"{place.name}.verified.json"
    return place.with_name(name)


def was_there(database: Path) -> bool:
    """Say whether a note beside *database* tells that it was there."""
    with suppress(OSError):
        return verified_file(database).exists()
    return False


def check_not_lost(database: Path) -> None:
    """
    Tell a file that is empty or gone from what a crash before the first commit leaves.

    Raises:
        StoreUnreadableError: A note beside it tells that it was there.
    """
    try:
        how = "" if database.stat().st_size else "is empty"
    except FileNotFoundError:
        how = "is gone"
    except OSError:
        return
    if how and was_there(database):
        note = verified_file(database)
        error = StoreUnreadableError(f"{database} {how}, and {note.name} beside it tells of it")
        error.fix_text = f"{error.fix_text}; to begin anew, take {note.name} away"
        raise error
