"""Files that something else writes, and that are made whole or not at all."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from eventsync_adapters import machine
from eventsync_adapters.files.whole import UNFINISHED, name_it, place_of, refused
from eventsync_core.errors import EventSyncError

__all__ = ["placed_file", "scratch_file"]

_SIDE_FILES = ("", "-journal", "-wal", "-shm")


@contextmanager
def placed_file(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """
    Make *path* of the file that is yielded: empty, beside it, for its owner only.

    It gets that name at the end of the block, durably, if it was brought to the disk in there. A
    block that fails leaves nothing, and what stood at *path* stays; so it does without *replace*.

    Raises:
        OutputUnusableError: It cannot be made there; nothing was written.
        OutputLostError: It could not be given its name.
    """
    place = place_of(path, replace=replace)
    with scratch_file(place, partial(refused, path)) as unfinished:
        yield unfinished
        name_it(path, unfinished, place, replace=replace)


@contextmanager
def scratch_file(
    beside: Path, refusal: Callable[[OSError | ValueError], EventSyncError]
) -> Iterator[Path]:
    """
    Make an empty file *beside* another one, for its owner only, that is gone after the block.

    Raises:
        EventSyncError: It cannot be made there; it is what *refusal* makes of the reason.
    """
    place = beside.resolve()
    unfinished = place.with_name(f"{UNFINISHED}{secrets.token_hex(8)}")
    try:
        try:
            os.close(machine.open_new_file(unfinished))
        except (OSError, ValueError) as error:
            raise refusal(error) from error
        yield unfinished
    finally:
        for end in _SIDE_FILES:
            with suppress(OSError):
                unfinished.with_name(unfinished.name + end).unlink()
