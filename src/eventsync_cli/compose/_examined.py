import os
from pathlib import Path

import attrs

from eventsync_cli.compose._stored import Stored
from eventsync_core.errors import StoreError


@attrs.frozen(kw_only=True)
class Surroundings:
    """What can be told of a database without reading it; `loose` are files others may read."""

    disk_kind: str
    is_local: bool
    free_bytes: int | None
    wal_bytes: int
    is_writable: bool
    loose: tuple[Path, ...]
    pending: tuple[str, ...]


def examine(app: Stored) -> Surroundings:
    """Look at what lies around the database of *app*; nothing is made."""
    from eventsync_adapters import machine

    database = app.database
    there = next(
        (each for each in (database, *database.parents) if _size(each) is not None), database
    )
    wal = database.with_name(f"{database.name}-wal")
    return Surroundings(
        disk_kind=machine.disk_kind(there),
        is_local=machine.is_local_disk(there),
        free_bytes=machine.free_bytes(there),
        wal_bytes=_size(wal) or 0,
        is_writable=_is_writable(app),
        loose=tuple(path for path in _own(app) if not machine.is_private(path)),
        pending=_pending(app),
    )


def make_private(app: Stored) -> int:
    """Let nobody else read what is the home's own; return how many files and folders that were."""
    from eventsync_adapters import machine

    loose = [path for path in _own(app) if not machine.is_private(path)]
    for path in loose:
        machine.make_private(path)
    return len(loose)


def _is_writable(app: Stored) -> bool:
    """Say whether a database that is there, and what a commit needs beside it, may be written."""
    from eventsync_adapters import machine

    if not app.has_store:
        return True
    is_wal = app.storage is not None and app.storage.journal_mode == "wal"
    place, ends = os.path.realpath(app.database), ("-wal", "-shm") if is_wal else ("-journal",)
    return all(machine.may_write(Path(place + end)) for end in ("", *ends))


def _own(app: Stored) -> list[Path]:
    """Return the files and folders that are the home's own, as far as they are there."""
    from eventsync_adapters.lost import verified_file

    database = app.database
    files = [app.config.path, database, verified_file(database)]
    files += [app.home / "eventsync" / name for name in ("acts.log", "migrated.log")]
    files += [database.with_name(f"{database.name}{end}") for end in ("-journal", "-wal", "-shm")]
    if not app.environment.persist_db_path:
        files.append(database.parent)
    return [path for path in files if _size(path) is not None]


def _pending(app: Stored) -> tuple[str, ...]:
    from eventsync_adapters.sqlite import pending_versions

    if not app.has_store:
        return ()
    try:
        return pending_versions(app.database)
    except StoreError:
        # Whoever opens the store tells why.
        return ()


def _size(path: Path) -> int | None:
    """Return how large *path* is, or None where it is not there or cannot be looked at."""
    try:
        return path.stat().st_size
    except OSError:
        return None
