"""Rows of old tables, and values of their columns, read alike from every table."""

from collections.abc import Iterable, Sequence
from string import ascii_lowercase, ascii_uppercase

import attrs

from eventsync_core.codec import write_document
from eventsync_core.legacy import RowKey, row_digest

Value = str | bytes | int | float | None

_SECOND = 1_000_000
_MOST_WHOLE = 1 << 40
# 0001-01-01 and 10000-01-01, beyond which no time can be shown.
_FIRST_SECOND, _END_SECOND = -62_135_596_800, 253_402_300_800
_FOLD = str.maketrans(ascii_uppercase, ascii_lowercase)


@attrs.frozen
class TableRow:
    """A row of an old table with all its columns, as they stand there."""

    part: str
    row: int
    columns: Sequence[tuple[str, Value]]

    @property
    def raw(self) -> bytes:
        """All that it holds, as one JSON object; a text that is not UTF-8 stands as hex."""
        return columns_text(self.columns).encode()

    @property
    def key(self) -> RowKey:
        """Which row it is, and with which content."""
        return RowKey(self.part, self.row, row_digest(self.raw))

    @property
    def size(self) -> int:
        """How much room its texts take, about."""
        return sum(len(value) for _, value in self.columns if isinstance(value, str | bytes))


def folded(name: str) -> str:
    """Return the name of a table or column as SQLite compares it: ASCII letters without case."""
    return name.translate(_FOLD)


def micros_of(value: object) -> int | None:
    """Return a time in seconds since 1970 as microseconds; None where it is none."""
    if not isinstance(value, int | float) or not _FIRST_SECOND <= value < _END_SECOND:
        return None
    return int(value * _SECOND)


def whole_of(value: object) -> int | None:
    """Return a number that counts something; None where it is none."""
    return value if isinstance(value, int) and 0 <= value < _MOST_WHOLE else None


def columns_text(columns: Iterable[tuple[str, Value]]) -> str:
    """Return columns as one JSON object; bytes that are not UTF-8 stand as hex."""
    return write_document({name: _plain(value) for name, value in columns})


def _plain(value: Value) -> object:
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return {"hex": value.hex()}
    if isinstance(value, float) and (value != value or value in (float("inf"), -float("inf"))):
        # JSON has no number for it.
        return repr(value)
    return value
