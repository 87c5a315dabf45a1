"""Rows of old tables, and values of their columns, read alike from every table."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from string import ascii_lowercase, ascii_uppercase

import attrs

from eventsync_core.codec import write_document
from eventsync_core.legacy import RowKey

Value = str | bytes | int | float | None

_PIECE = 1 << 20
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
        return RowKey(self.part, self.row, digest_of(columns_pieces(self.columns)))

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
    return "".join(columns_pieces(columns))


def columns_pieces(columns: Iterable[tuple[str, Value]]) -> Iterator[str]:
    """Yield that text in pieces, so that a large value does not stand there again whole."""
    before = "{"
    for name, value in dict(columns).items():
        yield f"{before}{write_document(name)}:"
        if isinstance(value, str) and len(value) > _PIECE:
            yield '"'
            yield from (write_document(piece)[1:-1] for piece in pieces_of(value))
            yield '"'
        else:
            yield write_document(_plain(value))
        before = ","
    yield "{}" if before == "{" else "}"


def digest_of(pieces: Iterable[str]) -> bytes:
    """Return the SHA-256 of a text that comes in pieces."""
    digest = sha256()
    for piece in pieces:
        digest.update(piece.encode("utf-8", "surrogatepass"))
    return digest.digest()


def pieces_of(text: str) -> Iterator[str]:
    """Yield *text* in pieces."""
    return (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))


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
