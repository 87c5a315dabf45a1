"""An answer's body as it arrives: decompressed, within the bound."""

import zlib

LARGEST_ANSWER = 1_048_576

_GZIP_OR_ZLIB = 47
_DECODABLE = frozenset({"gzip", "x-gzip", "deflate"})


class AnswerBody:
    """What was read of a body, and whether that is all of it."""

    def __init__(self, encoding: str) -> None:
        self.read = bytearray()
        self.is_whole = False
        coded = encoding.strip().lower() not in ("", "identity")
        self._is_readable = not coded or encoding.strip().lower() in _DECODABLE
        self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB) if coded else None

    def take(self, chunk: bytes) -> bool:
        """Add *chunk*; return False where nothing more can be read."""
        room = LARGEST_ANSWER + 1 - len(self.read)
        try:
            self.read += chunk[:room] if self._inflate is None else self._unpacked(chunk, room)
        except zlib.error:
            self._is_readable = False
        return self._is_readable and len(self.read) <= LARGEST_ANSWER

    def _unpacked(self, chunk: bytes, room: int) -> bytes:
        """Return what *chunk* unpacks to, also where several streams follow one another in it."""
        made = b""
        while chunk and self._inflate is not None and len(made) < room:
            if self._inflate.eof:
                self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB)
            made += self._inflate.decompress(chunk, room - len(made))
            chunk = self._inflate.unused_data
        return made

    def end(self) -> None:
        """Note that the server said the body ends here."""
        self.is_whole = self._is_readable and (self._inflate is None or self._inflate.eof)
