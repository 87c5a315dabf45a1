from contextlib import suppress
from os import SEEK_END
from pathlib import Path
from typing import TextIO


def open_log(path: Path) -> TextIO:
    """
    Open *path*, which is there, to add lines; a last one that was cut short is ended first.

    One that may be written, but not read, is taken for whole.

    Raises:
        OSError: It cannot be opened or written.
    """
    last = b"\n"
    with suppress(OSError), path.open("rb") as written:
        written.seek(-1, SEEK_END)
        last = written.read(1)
    file = path.open("a", encoding="utf-8", errors="backslashreplace")
    if last != b"\n":
        file.write("\n")
    return file
