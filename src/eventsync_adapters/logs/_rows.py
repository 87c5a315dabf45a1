from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from eventsync_adapters import machine
from eventsync_adapters.logs._files import open_log
from eventsync_adapters.logs._structlog import json_log
from eventsync_core.clock import SECOND, Clock, iso_time
from eventsync_core.legacy import Became, Brought, RowKey, Source
from eventsync_core.telemetry import ROW_MIGRATED


class RowLog:
    """
    Adds a line to a file for each row that it is told of, for as long as that can be written.

    `error` says why lines are missing; empty while none are.
    """

    error: str = ""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._file: TextIO | None = None
        self._write: Callable[[str, Mapping[str, object]], None] | None = None
        self._second, self._time = 0, ""

    def open(self) -> None:
        """Open the file, which is made for this user only where it is missing."""
        try:
            machine.make_private_folder(self._path.parent)
            machine.create_private_file(self._path)
            self._file = open_log(self._path)
            self._write = json_log(self._file, ROW_MIGRATED)
        except OSError as error:
            self._give_up(error)

    def __call__(self, source: Source, key: RowKey, name: str, became: Became | Brought) -> None:
        """Add the line of one row."""
        if self._write is None:
            return
        said = {
            "became": became.value,
            "table": key.part,
            "key": name,
            "row": key.row,
            "source": source.path,
        }
        try:
            self._write(self._written_at(), said)
        except OSError as error:
            self._give_up(error)

    def close(self) -> None:
        """Write what is not written yet, and close the file."""
        file, self._file, self._write = self._file, None, None
        try:
            if file is not None:
                file.close()
        except OSError as error:
            self._give_up(error)

    def _written_at(self) -> str:
        # To the second: writing out a time takes longer than all the rest of a line.
        now = self._clock() // SECOND
        if now != self._second:
            self._second, self._time = now, iso_time(now * SECOND)
        return self._time

    def _give_up(self, error: OSError) -> None:
        self.error = f"{self._path} cannot be written: {error.strerror or 'unwritable'}"
        # Closing it tries to write the same once more.
        self.close()


@contextmanager
def row_log(path: Path, clock: Clock) -> Iterator[RowLog]:
    """
    Return what adds a line to *path* for each row of an old program.

    A line is a JSON object: time, level, what happened, the table and the key of the row, and
    its source. Nothing of its content stands there. Where it cannot be written it says so at
    the end of the block, and raises nothing.
    """
    log = RowLog(path, clock)
    log.open()
    try:
        yield log
    finally:
        log.close()
