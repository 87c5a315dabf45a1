"""What a server says may quote what it was sent; what is kept of it holds no secrets."""

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from html import escape
from urllib.parse import unquote, urlsplit

import attrs

from eventsync_core.ids import CUT
from eventsync_core.receivers import Detail, Verdict

_SHORTEST = 4
_HEAD = 8
_URL_SAFE = str.maketrans("+/", "-_")
_PUBLIC = frozenset({"x-team-slug", "content-type", "accept", "user-agent"})
_QUOTED = re.compile(r"=\s*[\"']([^\"']*)[\"']")
# Backslashes stand together with what follows: that may be spelt with more of them.
_PIECES = re.compile(r"(\\*)([^\\]?)", re.DOTALL)
# One character that is spelt at length, cut off in its midst.
_BROKEN = r"[%\\&][%\\&#;0-9a-z]{0,19}"
_LONG_BACKSLASH = r"%(?:25)?5C|&#0*92;|&#x0*5c;|\\{1,3}(?:u00|x)5c"
_BACKSLASH = rf"(?:{_LONG_BACKSLASH}|\\)"
# White space that someone put between two characters, where lines are wrapped, as it may be spelt.
_BLANK = (
    r"\s|\\{1,3}(?:[nrt]|u00(?:0[9ad]|20)|x(?:0[9ad]|20))|%(?:25)?(?:0[9ad]|20)"
    r"|&#0*(?:9|1[03]|32);|&#x0*(?:[9ad]|20);"
)
_WHITE = r"\s{0,40}"
_GAP = rf"(?:{_BLANK}){{1,40}}"
_BROKEN_OFF = re.compile(rf"{_BROKEN}(?={CUT})", re.IGNORECASE)
_LEFT = re.compile(rf"\*\*\*[%\\&#;0-9a-z]{{0,20}}(?={CUT})", re.IGNORECASE)


def without_secrets(verdict: Verdict, secrets: Iterable[str]) -> Verdict:
    """
    Return *verdict* with *secrets* cut out of its words, in any usual spelling.

    What the answer means is left alone: a short secret may also be part of an id or a status.
    Texts shorter than four characters are no secrets.
    """
    if not verdict.guidance and not verdict.details:
        return verdict
    found = _spelt(secrets)
    # Many events are refused with the same words.
    cut = cache(lambda text: _cut(text, found))
    return attrs.evolve(
        verdict,
        guidance=cut(verdict.guidance),
        details={
            index: Detail(cut(said.reason), said.category and cut(said.category))
            for index, said in verdict.details.items()
        },
    )


def document_without_secrets(document: object, secrets: Iterable[str]) -> object:
    """Return a parsed *document* with *secrets* cut out of all its texts."""
    return _clean(document, _spelt(secrets))


def secrets_of_headers(headers: Mapping[str, str]) -> Iterator[str]:
    """
    Yield what is secret in the values of *headers*.

    The values whole; their words but for a first one like `Bearer`; what stands after `=`,
    in quotes or not; and of a `Basic` value what it encodes, with both of its parts.
    """
    for name, value in headers.items():
        if name.lower() not in _PUBLIC:
            yield value
            yield from _QUOTED.findall(value)
            first, *others = re.split(r"[\s,;]+", value)
            for word in (first, *others) if "=" in first else others:
                yield from (word, word.strip("\"'"), word.partition("=")[2].strip("\"'"))
            if first.lower() == "basic" and others:
                yield from _decoded(others[0])


def secrets_of_url(url: str) -> Iterator[str]:
    """Yield the password in *url*, plain and as it is sent."""
    parts = urlsplit(url)
    if parts.password:
        user, password = unquote(parts.username or ""), unquote(parts.password)
        yield from (password, b64encode(f"{user}:{password}".encode()).decode())


def _decoded(credentials: str) -> Iterator[str]:
    try:
        text = b64decode(credentials + "==").decode(errors="replace")
    except binascii.Error:
        return
    user, _, password = text.partition(":")
    yield from (text, user, password)


@attrs.frozen
class _Spelt:
    """A secret, found by its first characters and followed as far as it goes on."""

    head: re.Pattern[str]
    rest: Sequence[re.Pattern[str]]
    broken_off: re.Pattern[str]


def _spelt(secrets: Iterable[str]) -> list[_Spelt]:
    texts = {secret.strip() for secret in secrets if len(secret.strip()) >= _SHORTEST}
    codes = {code for text in texts for code in _encoded(text) if len(code) >= _SHORTEST}
    return [*map(_spell, texts), *map(_spell_code, codes - texts)]


def _spell(secret: str) -> _Spelt:
    parts = _PIECES.findall(secret)[:-1]
    pieces = [_run(run) + _WHITE * bool(run) + _ways(character) for run, character in parts]
    wrapped = _wrapped(pieces, [run[:1] or character for run, character in parts])
    start = ""
    for piece, (run, _) in reversed(list(zip(wrapped[:_HEAD], parts, strict=False))):
        partly = f"|{_BACKSLASH}{{1,{4 * len(run)}}}" if run else ""
        start = f"(?:{piece}{start}{partly})?"
    return _found_by(wrapped, start)


def _encoded(text: str) -> Iterator[str]:
    """Yield *text* as hexadecimals, and what stays the same of it in base64 wherever it begins."""
    raw = text.encode(errors="surrogatepass")
    yield raw.hex()
    for before in range(3):
        whole = b64encode(b"x" * before + raw).decode()
        core = whole[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
        yield from (core, core.translate(_URL_SAFE))


def _spell_code(code: str) -> _Spelt:
    pieces = [character if character.isalnum() else _ways(character) for character in code]
    wrapped = _wrapped(pieces, code)
    start = ""
    for piece in reversed(wrapped[:_HEAD]):
        start = f"(?:{piece}{start})?"
    return _found_by(wrapped, start)


def _wrapped(pieces: Sequence[str], firsts: Sequence[str]) -> list[str]:
    """Return *pieces*, which begin as *firsts* do, each also behind white space put before it."""
    later = zip(pieces[1:], firsts[1:], strict=True)
    return [*pieces[:1], *(_behind_white(piece, first) for piece, first in later)]


def _behind_white(piece: str, first: str) -> str:
    # With two ways through the same text, a long one would take its square.
    if first == " ":
        return piece
    gap = rf"\s{_WHITE}" if first in "\\%&" else _GAP
    return f"(?:{piece}|{gap}{piece})"


def _found_by(pieces: Sequence[str], start: str) -> _Spelt:
    return _Spelt(
        _pattern("".join(pieces[:_HEAD])),
        [_pattern(piece) for piece in pieces[_HEAD:]],
        _pattern(rf"(?={pieces[0]}){start}{_WHITE}(?:{_BROKEN})?(?={CUT})"),
    )


@lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


def _run(backslashes: str) -> str:
    """Return a pattern for *backslashes*, each as it may be spelt."""
    if not backslashes:
        return ""
    count = len(backslashes)
    return rf"(?:(?:{_LONG_BACKSLASH}){{{count}}}|\\{{{count},{4 * count}}})"


@cache
def _ways(piece: str) -> str:
    """Return a pattern for a character as it may be spelt."""
    if not piece:
        return ""
    ways = [
        "".join(f"%(?:25)?{byte:02X}" for byte in piece.encode(errors="surrogatepass")),
        "".join(rf"\\{{1,3}}u{unit}" for unit in _utf_16(piece)),
        f"&#0*{ord(piece)};",
        f"&#x0*{ord(piece):x};",
    ]
    if ord(piece) < 256:
        ways.append(rf"\\{{1,3}}x{ord(piece):02x}")
    if escape(piece) != piece:
        ways.append(re.escape(escape(piece)))
    if piece == " ":
        ways += [r"\+", _BLANK]
    if not piece.isprintable():
        ways.append(" ")
    ways.append(re.escape(piece) if piece.isalnum() else rf"\\{{0,3}}{re.escape(piece)}")
    return f"(?:{'|'.join(ways)})"


def _utf_16(character: str) -> list[str]:
    raw = character.encode("utf-16-be", "surrogatepass").hex()
    return [raw[at : at + 4] for at in range(0, len(raw), 4)]


def _cut(text: str, secrets: Sequence[_Spelt]) -> str:
    """Return *text* without *secrets* in any case, nor what is left of one that was cut off."""
    text = _without(
        text,
        (
            (head.start(), _end(text, head.end(), secret.rest))
            for secret in secrets
            for head in secret.head.finditer(text)
        ),
    )
    if not secrets or CUT not in text:
        return text
    endings = [_BROKEN_OFF, *(secret.broken_off for secret in secrets)]
    spans = (end.span() for ending in endings for end in ending.finditer(text))
    return _LEFT.sub("***", _without(text, spans))


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return *text* without *spans*: secrets may begin alike, and overlapping ones are one."""
    kept, after = "", 0
    for start, end in sorted(spans):
        if start >= after:
            kept += text[after:start] + "***"
        after = max(after, end)
    return kept + text[after:]


def _end(text: str, at: int, rest: Iterable[re.Pattern[str]]) -> int:
    """Return how far *text* goes on from *at* as *rest* does."""
    for piece in rest:
        found = piece.match(text, at)
        if found is None:
            break
        at = found.end()
    return at


def _clean(value: object, secrets: Sequence[_Spelt]) -> object:
    if isinstance(value, str):
        return _cut(value, secrets)
    if isinstance(value, list):
        return [_clean(item, secrets) for item in value]
    if isinstance(value, dict):
        return {_cut(str(key), secrets): _clean(item, secrets) for key, item in value.items()}
    return value
