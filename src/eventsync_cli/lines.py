"""JSON lines from a file or pipe, as they arrive, gzip or not, in bounded memory."""

import zlib
from collections.abc import Iterator
from typing import Protocol

__all__ = ["LONGEST_LINE", "LONGEST_OWN_LINE", "BrokeOffError", "Splitter", "pieces"]

LONGEST_LINE = 64 * 1024 * 1024
LONGEST_OWN_LINE = 1024 * 1024 * 1024
"""As long as a text can be in a database: what was stored can come back."""
_PIECE = 1024 * 1024
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP = 31
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class BrokeOffError(Exception):
    """The input ended before its end, or could not be read on."""


class Source(Protocol):
    """What is read from: gives what is there, waits only while there is nothing."""

    def read1(self, size: int, /) -> bytes: ...


def pieces(source: Source) -> Iterator[bytes]:
    """
    Yield what *source* holds, decompressed when it begins as gzip does.

    A piece is at most one mebibyte and comes as soon as it is there.

    Raises:
        BrokeOffError: Reading failed, or the gzip data is damaged or incomplete; what came
            before was yielded.
    """
    raw = _raw(source)
    start = b""
    for chunk in raw:
        start += chunk
        if len(start) >= len(_GZIP_MAGIC):
            break
    if start.startswith(_GZIP_MAGIC):
        yield from _inflated(start, raw)
        return
    start = start.removeprefix(_BYTE_ORDER_MARK)
    if start:
        yield start
    yield from raw


def _raw(source: Source) -> Iterator[bytes]:
    try:
        while chunk := source.read1(_PIECE):
            yield chunk
    except OSError as error:
        raise BrokeOffError(f"reading failed: {error.strerror or error}") from error


def _inflated(start: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    inflater = zlib.decompressobj(_GZIP)
    try:
        for chunk in _chain(start, rest):
            data = chunk
            while data:
                if inflater.eof:
                    # Members may follow one another, and tapes pad the last with zeros.
                    data = data.lstrip(b"\0")
                    if not data:
                        break
                    inflater = zlib.decompressobj(_GZIP)
                yield from _inflate(inflater, data)
                data = inflater.unused_data
    except zlib.error as error:
        raise BrokeOffError(f"the gzip data is damaged: {error}") from error
    if not inflater.eof:
        raise BrokeOffError("the gzip data breaks off")


def _chain(start: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield start
    yield from rest


def _inflate(inflater: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    while True:
        out = inflater.decompress(data, _PIECE)
        if out:
            yield out
        data = inflater.unconsumed_tail
        if inflater.eof or (not data and len(out) < _PIECE):
            return


class Splitter:
    """
    Cuts pieces into numbered lines; blank ones are left out.

    A line longer than *longest* comes as None and is not held in memory.
    """

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self.number = 0
        self._longest = longest
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> list[tuple[int, bytes | None]]:
        """Return the lines that *piece* completes."""
        first, _, more = piece.partition(b"\n")
        blank = more.count(b"\n") if more.isspace() else 0
        if blank:
            # A small file can unpack to very many blank lines: these are only counted.
            whole, rest = [first], more.rpartition(b"\n")[2]
        else:
            *whole, rest = piece.split(b"\n")
        found = []
        for part in whole:
            line = self._complete(part)
            if line is None or line.strip():
                found.append((self.number, line))
        self.number += blank
        self._keep(rest)
        return found

    def end(self) -> list[tuple[int, bytes | None]]:
        """Return the last line, if it had no newline."""
        return self.feed(b"\n") if self._size else []

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._longest:
            self._parts.clear()
        elif part:
            self._parts.append(part)

    def _complete(self, part: bytes) -> bytes | None:
        self.number += 1
        self._keep(part)
        line = b"".join(self._parts) if self._size <= self._longest else None
        self._parts.clear()
        self._size = 0
        return line.removesuffix(b"\r") if line is not None else None
