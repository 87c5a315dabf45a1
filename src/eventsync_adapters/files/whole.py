"""Files that are made whole or not at all."""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import attrs

from eventsync_adapters import machine
from eventsync_core.errors import OutputLostError, OutputUnusableError

__all__ = ["UNFINISHED", "WholeFile", "name_it", "place_of", "refused", "whole_file"]

UNFINISHED = ".eventsync-unfinished-"
_MISNAMED = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL}
)


@attrs.frozen
class WholeFile:
    """A file that has no name yet; `whole_file` makes it."""

    path: Path
    _file: BinaryIO

    def write(self, text: str) -> None:
        """
        Add *text* in UTF-8, line breaks as they are.

        Raises:
            OutputLostError: It cannot be written.
        """
        self.write_bytes(text.encode())

    def write_bytes(self, data: bytes) -> None:
        """
        Add *data*.

        Raises:
            OutputLostError: It cannot be written.
        """
        try:
            self._file.write(data)
        except OSError as error:
            raise _lost(self.path, error) from error


@contextmanager
def whole_file(path: Path, *, replace: bool = False) -> Iterator[WholeFile]:
    """
    Write *path*: what is written in the block gets that name at its end, durably.

    Only its owner may read it. A block that fails leaves nothing, and what stood at *path* stays;
    so it does without *replace*, also where it came there during the block. A link is followed.

    Raises:
        OutputUnusableError: It cannot be made there; nothing was written.
        OutputLostError: It could not be written to its end.
    """
    place = place_of(path, replace=replace)
    unfinished = place.with_name(f"{UNFINISHED}{secrets.token_hex(8)}")
    try:
        with _opened(path, unfinished) as file:
            yield WholeFile(path, file)
            _finish(path, file)
        name_it(path, unfinished, place, replace=replace)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise


def place_of(path: Path, *, replace: bool) -> Path:
    """Return where a file called *path* is made, links followed; or refuse to make it there."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return path.resolve()
    except (OSError, ValueError) as error:
        raise refused(path, error) from error
    if not stat.S_ISREG(mode):
        raise OutputUnusableError(f"{path} is there and is no file that could be replaced")
    if not replace:
        raise _exists(path)
    return path.resolve()


@contextmanager
def _opened(path: Path, unfinished: Path) -> Iterator[BinaryIO]:
    try:
        file = os.fdopen(machine.open_new_file(unfinished), "wb")
    except (OSError, ValueError) as error:
        raise refused(path, error) from error
    try:
        yield file
    finally:
        # Closing writes what is left: nothing after `_finish`, else once more what failed before.
        with suppress(OSError):
            file.close()


def _finish(path: Path, file: BinaryIO) -> None:
    try:
        file.flush()
        os.fsync(file.fileno())
    except OSError as error:
        raise _lost(path, error) from error


def name_it(path: Path, unfinished: Path, place: Path, *, replace: bool) -> None:
    """Give what is *unfinished* its name, durably."""
    try:
        machine.give_name(unfinished, place, replace=replace)
        machine.sync_folder(place.parent)
    except FileExistsError as error:
        raise _exists(path) from error
    except OSError as error:
        raise _lost(path, error) from error


def _exists(path: Path) -> OutputUnusableError:
    return OutputUnusableError(f"{path} is there already", exists=True)


def refused(path: Path, error: OSError | ValueError) -> OutputUnusableError | OutputLostError:
    """Return the error for a file that cannot be made at *path*."""
    if isinstance(error, OSError) and error.errno not in _MISNAMED:
        return _lost(path, error)
    return OutputUnusableError(f"{path} cannot be made: {_words(error)}")


def _lost(path: Path, error: OSError) -> OutputLostError:
    return OutputLostError(f"{path} cannot be written: {_words(error)}")


def _words(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
