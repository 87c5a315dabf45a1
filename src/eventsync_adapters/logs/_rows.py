from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eventsync_adapters import machine
from eventsync_core.clock import SECOND, Clock, iso_time
from eventsync_core.codec import write_document
from eventsync_core.errors import StoreNotWritableError
from eventsync_core.legacy import Became, Brought, RowKey, Source
from eventsync_core.migration import OnRow


@contextmanager
def row_log(path: Path, clock: Clock) -> Iterator[OnRow]:
    """
    Return a function that adds a line to *path* for each row of an old program.

    A line is a JSON object: time, level, what happened, the table and the key of the row, and
    its source. Nothing of its content stands there.

    Raises:
        StoreNotWritableError: The file cannot be opened.
    """
    try:
        machine.make_private_folder(path.parent)
        machine.create_private_file(path)
        file = path.open("a", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise StoreNotWritableError(f"{path} cannot be written: {error.strerror}") from error
    with file:
        seconds, text = 0, ""

        def written_at() -> str:
            # To the second: writing out a time takes longer than all the rest of a line.
            nonlocal seconds, text
            now = clock() // SECOND
            if now != seconds:
                seconds, text = now, iso_time(now * SECOND)
            return text

        def write(source: Source, key: RowKey, name: str, became: Became | Brought) -> None:
            line = {
                "timestamp": written_at(),
                "level": "info",
                "event": "migrated row",
                "became": became.value,
                "table": key.part,
                "key": name,
                "row": key.row,
                "source": source.path,
            }
            file.write(write_document(line) + "\n")

        yield write
