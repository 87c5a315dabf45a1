"""Files that are made whole or not at all, and compressed; equal texts give equal bytes."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eventsync_adapters.files.whole import WholeFile, whole_file

__all__ = ["ZippedFile", "zipped_file"]

_GZIP = 31


class ZippedFile:
    """A compressed file that has no name yet; `zipped_file` makes it."""

    def __init__(self, file: WholeFile) -> None:
        self._file = file
        # Its header has neither name nor time.
        self._packer = zlib.compressobj(wbits=_GZIP)

    def write(self, text: str) -> None:
        """
        Add *text* in UTF-8.

        Raises:
            OutputLostError: It cannot be written.
        """
        self._file.write_bytes(self._packer.compress(text.encode()))

    def end(self) -> None:
        """Write what is left."""
        self._file.write_bytes(self._packer.flush())


@contextmanager
def zipped_file(path: Path) -> Iterator[ZippedFile]:
    """
    Write *path* as `whole_file` does, compressed as gzip does; what is there stays.

    Raises:
        OutputUnusableError: It cannot be made there; nothing was written.
        OutputLostError: It could not be written to its end.
    """
    with whole_file(path) as file:
        zipped = ZippedFile(file)
        yield zipped
        zipped.end()
