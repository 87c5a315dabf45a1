"""What a server says may quote what it was sent; what is kept of it holds no secrets."""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import quote, unquote, urlsplit

import attrs

from eventsync_core.codec import write_document
from eventsync_core.receivers import Detail, Verdict

_SHORTEST = 4
_HEAD = 8
_PUBLIC = frozenset({"x-team-slug", "content-type", "accept", "user-agent"})


def without_secrets(verdict: Verdict, secrets: Iterable[str]) -> Verdict:
    """
    Return *verdict* with *secrets* cut out of its words, in any usual spelling.

    What the answer means is left alone: a short secret may also be part of an id or a status.
    Texts shorter than four characters are no secrets.
    """
    found = _spellings(secrets)
    return attrs.evolve(
        verdict,
        guidance=_cut(verdict.guidance, found),
        details={
            index: Detail(_cut(said.reason, found), said.category and _cut(said.category, found))
            for index, said in verdict.details.items()
        },
    )


def document_without_secrets(document: object, secrets: Iterable[str]) -> object:
    """Return a parsed *document* with *secrets* cut out of all its texts."""
    return _clean(document, _spellings(secrets))


def secrets_of_headers(headers: Mapping[str, str]) -> Iterator[str]:
    """Yield the values of *headers*, whole and without a word like `Bearer` before them."""
    for name, value in headers.items():
        if name.lower() not in _PUBLIC:
            yield from (value, value.rpartition(" ")[2])


def secrets_of_url(url: str) -> Iterator[str]:
    """Yield the password in *url*, as it stands there and as it is sent."""
    parts = urlsplit(url)
    if parts.password:
        user, password = unquote(parts.username or ""), unquote(parts.password)
        yield from (parts.password, password, b64encode(f"{user}:{password}".encode()).decode())


def _spellings(secrets: Iterable[str]) -> list[str]:
    found: set[str] = set()
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            found.update((secret, write_document(secret)[1:-1], quote(secret, safe="")))
    return sorted(found, key=len, reverse=True)


def _cut(text: str, secrets: Sequence[str]) -> str:
    """Return *text* without *secrets* in any case, nor what is left of one that was cut off."""
    if not secrets:
        return text
    text = re.sub("|".join(map(re.escape, secrets)), "***", text, flags=re.IGNORECASE)
    for secret in secrets:
        kept, after = "", 0
        for found in re.finditer(re.escape(secret[:_HEAD]), text, re.IGNORECASE):
            if found.start() >= after:
                kept += text[after : found.start()] + "***"
                after = _end(text, found.start(), secret)
        text = kept + text[after:]
    return text


def _end(text: str, start: int, secret: str) -> int:
    """Return how far *text* goes on as *secret* does."""
    for index, (here, there) in enumerate(zip(text[start:], secret, strict=False)):
        if here.lower() != there.lower():
            return start + index
    return start + min(len(secret), len(text) - start)


def _clean(value: object, secrets: list[str]) -> object:
    if isinstance(value, str):
        return _cut(value, secrets)
    if isinstance(value, list):
        return [_clean(item, secrets) for item in value]
    if isinstance(value, dict):
        return {_cut(str(key), secrets): _clean(item, secrets) for key, item in value.items()}
    return value
