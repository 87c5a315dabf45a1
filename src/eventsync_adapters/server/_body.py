"""Reading the body of a request without trusting its size."""

import zlib
from typing import BinaryIO

_GZIP = 31
_CHUNK = 65_536
_LARGEST_SKIPPED = 67_108_864


class BodyError(Exception):
    """
    A body that cannot be read; `status` and the text are the answer.

    `is_drained` says whether the connection can serve another request.
    """

    def __init__(self, status: int, message: str, *, is_drained: bool) -> None:
        super().__init__(message)
        self.status = status
        self.is_drained = is_drained


def read_body(stream: BinaryIO, length: str | None, encoding: str, *, most: int) -> bytes:
    """
    Return the decompressed body from *stream*, cut off right above *most* bytes.

    Raises:
        BodyError: It has no length, is not gzip though it says so, or breaks off.
    """
    if length is None or not (length.isascii() and length.isdigit()):
        raise BodyError(411, "a Content-Length is needed", is_drained=False)
    size = int(length[:18])
    if size > _LARGEST_SKIPPED:
        raise BodyError(413, "the body is too large", is_drained=False)
    coding = encoding.strip().lower()
    kept = stream.read(min(size, most + 1))
    left = size - len(kept)
    while left > 0 and (chunk := stream.read(min(left, _CHUNK))):
        left -= len(chunk)
    if left > 0:
        raise BodyError(400, "the body broke off", is_drained=False)
    if coding in ("", "identity"):
        return kept
    if coding not in ("gzip", "x-gzip"):
        raise BodyError(415, "Content-Encoding is gzip or absent", is_drained=True)
    if size > most:
        # Only data that gzip makes longer would fit; it is as much too large as the others.
        return kept
    return _inflate(kept, most)


def _inflate(packed: bytes, most: int) -> bytes:
    found = bytearray()
    while packed and len(found) <= most:
        inflater = zlib.decompressobj(_GZIP)
        try:
            found += inflater.decompress(packed, most + 1 - len(found))
        except zlib.error as error:
            raise BodyError(400, f"not gzip: {error}", is_drained=True) from None
        if len(found) <= most and not inflater.eof:
            raise BodyError(400, "the gzip data breaks off", is_drained=True)
        packed = inflater.unused_data
    return bytes(found)
