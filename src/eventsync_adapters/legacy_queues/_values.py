"""What stands in columns of old tables, where texts are read as bytes."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from eventsync_core.legacy import read_time
from eventsync_core.migration import TableRow, columns_text


class Row(NamedTuple):
    """A row: its number, what stands in it by folded names of columns, and how these are spelt."""

    number: int
    values: Mapping[str, Any]
    spelt: Mapping[str, str]

    def beside(self, said: Collection[str]) -> str:
        """Return the columns that are not *said* elsewhere, as JSON; empty where none are left."""
        left = [
            (self.spelt[name], value)
            for name, value in self.values.items()
            if value is not None and name not in said
        ]
        return columns_text(left) if left else ""


def bytes_of(value: Any) -> bytes:
    """Return what a column holds as bytes: text and blobs as they are, nothing as none."""
    if isinstance(value, bytes):
        return value
    return b"" if value is None else str(value).encode()


def text_of(value: Any) -> str:
    """Return what a column holds as text that can be stored."""
    return bytes_of(value).decode("utf-8", "backslashreplace")


def time_of(value: Any) -> int | None:
    """Return the time that a column holds, as `read_time` does."""
    return read_time(text_of(value) if isinstance(value, bytes) else value)


def project_of(row: Row) -> str | None:
    """Return the project that *row* says its event is of; None where it says none."""
    named = text_of(row.values.get("project_uuid")).strip()
    return named if named and named.isprintable() else None


def whole_row(part: str, row: Row) -> TableRow:
    """Return all columns of *row*, as a row of *part*."""
    columns = [(row.spelt[name], _plain(value)) for name, value in row.values.items()]
    return TableRow(part, row.number, columns)


def _plain(value: Any) -> Any:
    """Return a value of a column; text and blobs as text, unless they are not UTF-8."""
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value
