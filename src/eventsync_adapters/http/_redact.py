"""What a server says may quote what it was sent; secrets are cut out before anyone reads it."""

from collections.abc import Iterator, Mapping
from urllib.parse import quote

import attrs

from eventsync_core.codec import write_document
from eventsync_core.receivers import Answer

_SHORTEST = 4
_PUBLIC = frozenset({"x-team-slug", "content-type", "accept", "user-agent"})


def without_secrets(answer: Answer, sent: Mapping[str, str]) -> Answer:
    """
    Return *answer* without the values of the headers that were *sent*, in any usual spelling.

    Values shorter than four characters are no secrets and stay.
    """
    found = sorted(set(_spellings(sent)), key=len, reverse=True)
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


def _spellings(sent: Mapping[str, str]) -> Iterator[str]:
    for name, value in sent.items():
        if name.lower() in _PUBLIC:
            continue
        for secret in (value, value.rpartition(" ")[2]):
            if len(secret) >= _SHORTEST:
                yield from (secret, write_document(secret)[1:-1], quote(secret, safe=""))


def _cut(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return text
