"""Data on stdout that is a stream of lines, not an answer."""

import errno
import os
import sys
from typing import BinaryIO, TextIO

from eventsync_cli.render import forget
from eventsync_core.errors import OutputLostError

__all__ = ["write_stream"]


def write_stream(text: str) -> None:
    """
    Write *text* to stdout in UTF-8, line breaks as they are, at once.

    Raises:
        OutputLostError: It cannot be written, or its reader went away: it lacks the rest.
    """
    stream: TextIO | None = sys.stdout
    if stream is None:
        raise OutputLostError("there is no standard output")
    binary = getattr(stream, "buffer", None)
    try:
        stream.flush()
        if binary is None:
            stream.write(text)
            stream.flush()
        else:
            # Past its buffer: whoever is interrupted here must not wait for a reader at the end.
            _write_all(getattr(binary, "raw", binary), text.encode())
    except OSError as error:
        forget(stream)
        raise OutputLostError(f"the output cannot be written: {_words(error)}") from error


def _write_all(binary: BinaryIO, data: bytes) -> None:
    # It takes what it likes, on a disk that fills up say, and tells how much.
    rest = memoryview(data)
    while rest:
        taken: int | None = binary.write(rest)
        if taken is None:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        rest = rest[taken:]


def _words(error: OSError) -> str:
    # Windows says EINVAL of a pipe that nobody reads.
    if isinstance(error, ConnectionError) or error.errno == errno.EINVAL:
        return "its reader went away before the end"
    return error.strerror or type(error).__name__
