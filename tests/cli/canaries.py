"""Secrets that are easily recognised, in whatever spelling they are repeated."""

import json
import re
import zlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from html import escape, unescape
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote_to_bytes

import attrs

_UNIT = re.compile(rb"\\+(?:u00|x)([0-9a-f]{2})", re.IGNORECASE)
_SHORTEST = 6


@attrs.frozen
class Canary:
    """A secret of two words that are found nowhere else, with what is hard to spell between."""

    head: str
    between: str
    tail: str

    @property
    def text(self) -> str:
        """The whole secret."""
        return f"{self.head}{self.between}{self.tail}"


def spelt(text: str) -> list[str]:
    """Return *text* in every spelling that a server may choose when it repeats it."""
    raw = text.encode()
    return [
        text,
        text.upper(),
        json.dumps(text),
        json.dumps(json.dumps(text)),
        "".join(f"\\u{byte:04x}" for byte in raw),
        "".join(f"\\x{byte:02X}" for byte in raw),
        quote(text),
        quote(quote(text)),
        quote_plus(text),
        "".join(f"%{byte:02x}" for byte in raw),
        escape(text),
        "".join(f"&#{byte};" for byte in raw),
        b64encode(raw).decode(),
        urlsafe_b64encode(raw).decode().rstrip("="),
        *(b64encode(b"x" * shift + raw + b"y").decode() for shift in (1, 2, 3)),
        raw.hex(),
    ]


def leaks(blob: bytes, canaries: Iterable[Canary]) -> list[str]:
    """Return which words of *canaries* stand in *blob*, in any spelling, compressed or not."""
    words = [word for canary in canaries for word in (canary.head, canary.tail)]
    return sorted({word for view in _views(blob) for word in words if _holds(view, word.encode())})


def leaks_of_files(folder: Path, canaries: Iterable[Canary]) -> dict[str, list[str]]:
    """Return what leaks from the files below *folder*, by their names and contents."""
    known = list(canaries)
    found = {
        str(path): leaks(str(path).encode() + b"\0" + path.read_bytes(), known)
        for path in folder.rglob("*")
        if path.is_file()
    }
    return {name: words for name, words in found.items() if words}


def leaks_of_error(error: BaseException | None, canaries: Iterable[Canary]) -> list[str]:
    """Return what leaks from *error* and all that it came of, whether shown or not."""
    text = b""
    while error is not None:
        text += f"{error!s}\0{error!r}\0{error.args!r}\0{vars(error)!r}\0".encode()
        error = error.__cause__ or error.__context__
    return leaks(text, canaries)


def _views(blob: bytes, depth: int = 0) -> Iterator[bytes]:
    yield blob
    plain = blob
    for _ in range(3):
        plain = unquote_to_bytes(_UNIT.sub(lambda unit: bytes.fromhex(unit[1].decode()), plain))
    yield plain
    yield unescape(plain.decode(errors="replace")).encode()
    if depth < 3:
        for place in re.finditer(rb"\x1f\x8b\x08", blob):
            yield from _views(_inflated(blob[place.start() :]), depth + 1)


def _inflated(blob: bytes) -> bytes:
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(blob)
    except zlib.error:
        return b""


def _holds(view: bytes, word: bytes) -> bool:
    if word.lower() in view.lower() or word.hex().encode() in view.lower():
        return True
    return any(core in view for core in _cores(word))


def _cores(word: bytes) -> Iterator[bytes]:
    """Yield what of *word* is the same in base64 wherever it begins, in both alphabets."""
    for shift in range(3):
        whole = b64encode(b"\0" * shift + word)
        core = whole[-(-shift * 8 // 6) : (shift + len(word)) * 8 // 6]
        assert len(core) >= _SHORTEST
        yield from {core, core.replace(b"+", b"-").replace(b"/", b"_")}


def around(blob: bytes, canaries: Iterable[Canary]) -> list[bytes]:
    """Return where words of *canaries* stand in *blob*, with what stands around them."""
    words = [word.encode() for canary in canaries for word in (canary.head, canary.tail)]
    return [
        view[max(place.start() - 60, 0) : place.end() + 60]
        for view in _views(blob)
        for word in words
        for spelling in (word, word.hex().encode(), *_cores(word))
        for place in re.finditer(re.escape(spelling), view, re.IGNORECASE)
    ][:5]
