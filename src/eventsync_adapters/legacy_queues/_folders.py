"""Folders for private copies, of which none outlives its process for long."""

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eventsync_adapters import machine

_PREFIX = "eventsync-legacy-"
_HELD = "held"
_DAY_SECONDS = 24 * 3600.0
_TRIES = 10


@contextmanager
def private_folder() -> Iterator[Path]:
    """
    Make a folder for this user only, and remove it at the end of the block.

    Those of processes that were killed are removed first: nobody holds the file in them.

    Raises:
        OSError: There is no room for it.
    """
    import shutil
    from tempfile import gettempdir

    _remove_abandoned(Path(gettempdir()))
    folder, descriptor = _made()
    try:
        yield folder
    finally:
        os.close(descriptor)
        shutil.rmtree(folder, ignore_errors=True)


def _made() -> tuple[Path, int]:
    """Make a folder with a file that this process holds; return both."""
    from tempfile import mkdtemp

    for _ in range(_TRIES):
        folder = Path(mkdtemp(prefix=_PREFIX))
        descriptor = machine.open_new_file(folder / _HELD)
        if machine.try_to_hold(descriptor) is not False:
            return folder, descriptor
        # Somebody who removes what is abandoned came in between, and removes it.
        os.close(descriptor)
    raise OSError(None, "other processes take it away")


def _remove_abandoned(place: Path) -> None:
    import shutil

    with contextlib.suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            if entry.name.startswith(_PREFIX) and _is_abandoned(entry):
                shutil.rmtree(entry.path, ignore_errors=True)


def _is_abandoned(entry: "os.DirEntry[str]") -> bool:
    try:
        info = entry.stat(follow_symlinks=False)
        if not entry.is_dir(follow_symlinks=False) or not _is_ours(info):
            return False
        is_old = machine.now() / 1e6 - info.st_mtime > _DAY_SECONDS
        try:
            descriptor = os.open(Path(entry.path) / _HELD, os.O_RDWR)
        except FileNotFoundError:
            return is_old
        try:
            is_free = machine.try_to_hold(descriptor)
        finally:
            os.close(descriptor)
    except OSError:
        return False
    return is_old if is_free is None else is_free


def _is_ours(info: os.stat_result) -> bool:
    return not hasattr(os, "getuid") or info.st_uid == os.getuid()
