from pathlib import Path
from typing import TextIO


def open_log(path: Path) -> TextIO:
    """
    Open *path*, which is there, to add lines; a last one that was cut short is ended first.

    Raises:
        OSError: It cannot be opened, read or written.
    """
    size = path.stat().st_size
    with path.open("rb") as written:
        written.seek(max(size - 1, 0))
        is_cut = size > 0 and written.read(1) != b"\n"
    file = path.open("a", encoding="utf-8", errors="backslashreplace")
    if is_cut:
        file.write("\n")
    return file
