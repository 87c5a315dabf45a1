"""Reading files that a person names: none may keep a command waiting."""

import errno
import os
import stat
from pathlib import Path

from eventsync_core.errors import SettingsError

_LARGEST_CONFIG = 1024 * 1024


def read_file(path: Path, most: int) -> bytes:
    """
    Return what the file at *path* holds; one byte more than *most* where it holds more.

    Raises:
        OSError: It cannot be read, or is no regular file: a pipe or device may never end.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    # It may have become a pipe in between: opening that would wait for whoever writes it.
    with open(path, "rb", opener=_open) as file:
        return file.read(most + 1)


def config_bytes(path: Path) -> bytes | None:
    """
    Return what the configuration at *path* holds; None where there is none.

    Raises:
        SettingsError: It cannot be read, or is no regular file of at most 1 MiB.
    """
    try:
        raw = read_file(path, _LARGEST_CONFIG)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}", source=str(path)) from error
    if len(raw) > _LARGEST_CONFIG:
        raise SettingsError(f"{path} cannot be read: larger than 1 MiB", source=str(path))
    return raw


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
