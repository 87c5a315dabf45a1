"""What a server says of a body may quote it; what is kept of it does not."""

import binascii
import html
import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from itertools import pairwise
from unicodedata import normalize

_SHORTEST = 4
_RUN = 12
_CUT = "***"
_BLANKS = re.compile(r"\s+")
_UNSEEN = re.compile(r"[\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]+")
_MARKS = re.compile(r"[\W_]+")
_CODED = re.compile(
    r"(?P<html>&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|\w{1,31});(?:\w{1,31};)?)"
    r"|(?P<percent>(?:%[0-9a-fA-F]{2})+)"
    r"|(?P<bytes>(?:\\+x[0-9a-fA-F]{2})+)"
    r"|\\+u(?P<unit>[0-9a-fA-F]{4})"
    r"|(?P<escape>\\+[nrtbfv0\"'/]?)"
    r"|(?P<base64>[A-Za-z0-9+/_-]{16,}={0,2})",
)

_Piece = tuple[str, int, int]


def without_content(said: str, content: str) -> str:
    """
    Return *said* with what it quotes of *content* cut out, in one line.

    A quote is twelve letters and digits in a row, or twelve characters, or all of a shorter
    content of at least four; white space, case and accents aside, and for letters whatever
    stands between them. So are those spelt as in JSON, Python, HTML, a URL or Base64. What
    is hidden otherwise, as by encryption, is not found.
    """
    said = _BLANKS.sub(" ", said)
    cut = bytearray(len(said))
    readings = [list(_plain(said)), list(_decoded(said))]
    for bare in (_letters, _characters):
        source = bare(content)
        length = min(len(source), _RUN)
        if length < _SHORTEST:
            continue
        spelt = [_spell(reading, bare) for reading in readings]
        asked = {text[at : at + length] for text, _ in spelt for at in range(len(text))}
        quoted = _common(asked, source, length)
        for text, places in spelt:
            for at in range(len(text) - length + 1):
                if text[at : at + length] in quoted:
                    start, end = places[at][0], places[at + length - 1][1]
                    cut[start:end] = b"\1" * (end - start)
    return _kept(said, cut)


def _common(asked: set[str], source: str, length: int) -> set[str]:
    """Return which of *asked* stand in *source*, in one walk through it, however long."""
    starts = range(len(source) - length + 1)
    return {found for at in starts if (found := source[at : at + length]) in asked}


def _letters(text: str) -> str:
    return _MARKS.sub("", normalize("NFKD", text).casefold())


def _characters(text: str) -> str:
    return _UNSEEN.sub("", normalize("NFKD", text).casefold())


def _plain(said: str) -> Iterator[_Piece]:
    """Yield each character and where it stands."""
    for at, char in enumerate(said):
        yield char, at, at + 1


def _decoded(said: str) -> Iterator[_Piece]:
    """Yield what each escape stands for, else each character, and where it stands."""
    at = 0
    for found in _CODED.finditer(said):
        meant = _meant(found)
        if meant is None:
            continue
        yield from ((char, at + n, at + n + 1) for n, char in enumerate(said[at : found.start()]))
        yield meant, found.start(), found.end()
        at = found.end()
    yield from ((char, at + n, at + n + 1) for n, char in enumerate(said[at:]))


def _meant(found: re.Match[str]) -> str | None:
    """Return what an escape stands for; None where it may be none."""
    kind, text = found.lastgroup, found.group()
    if kind == "html":
        return html.unescape(html.unescape(text))
    if kind == "percent":
        return bytes.fromhex(text.replace("%", "")).decode(errors="replace")
    if kind == "bytes":
        return bytes.fromhex(re.sub(r"\\+x", "", text)).decode(errors="replace")
    if kind == "unit":
        return chr(int(found.group("unit"), 16))
    if kind == "escape":
        return text[-1] if text[-1] in "\"'/" else ""
    return _from_base64(text)


def _from_base64(text: str) -> str | None:
    whole = text.rstrip("=").translate(str.maketrans("-_", "+/"))
    whole = whole[: len(whole) // 4 * 4] if len(whole) % 4 == 1 else whole
    try:
        return b64decode(whole + "=" * (-len(whole) % 4)).decode(errors="ignore")
    except binascii.Error:
        return None


def _spell(reading: list[_Piece], bare: Callable[[str], str]) -> tuple[str, list[tuple[int, int]]]:
    """Return what counts of *reading*, and where each character of it stands."""
    text, places = [], []
    for piece, start, end in reading:
        for char in bare(piece):
            text.append(char)
            places.append((start, end))
    return "".join(text), places


def _kept(said: str, cut: bytearray) -> str:
    """Return *said* with each run of what is cut replaced."""
    edges = [at for at in range(1, len(cut)) if cut[at] != cut[at - 1]]
    runs = pairwise([0, *edges, len(said)])
    return "".join(_CUT if start < end and cut[start] else said[start:end] for start, end in runs)
