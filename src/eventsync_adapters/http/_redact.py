"""What a server says may quote what it was sent; secrets are cut out before anyone reads it."""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, unquote, urlsplit

import attrs

from eventsync_core.codec import write_document
from eventsync_core.receivers import Answer

_SHORTEST = 4
_PUBLIC = frozenset({"x-team-slug", "content-type", "accept", "user-agent"})


def without_secrets(answer: Answer, secrets: Iterable[str]) -> Answer:
    """
    Return *answer* without *secrets*, in any usual spelling.

    Texts shorter than four characters are no secrets and stay.
    """
    found = sorted(set(_spellings(secrets)), key=len, reverse=True)
    if not found:
        return answer
    body = answer.body
    for secret in found:
        body = body.replace(secret.encode(), b"***")
    return attrs.evolve(
        answer,
        body=body,
        fault=_cut(answer.fault, found),
        headers={name: _cut(value, found) for name, value in answer.headers.items()},
    )


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


def _spellings(secrets: Iterable[str]) -> Iterator[str]:
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            yield from (secret, write_document(secret)[1:-1], quote(secret, safe=""))


def _cut(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return text
