"""Envelopes that a project store keeps inside a document of its own."""

import binascii
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from eventsync_core.codec import read_unambiguous
from eventsync_core.errors import NotJsonError
from eventsync_core.events import Event, decode_text, read_event

_NAMES = ("base64", "b64")
_WORDS = (*_NAMES, "base64url")
# Base64 of an opening brace, or of white space before one.
_FIRST = ("e", "I", "C", "D")
_PLAIN = str.maketrans("-_", "+/")
# An object that is no more than a text and how it is written.
_MOST_MEMBERS = 3


@attrs.frozen
class Unwrapped:
    """
    The bytes of an envelope, and the id that the document around it gives.

    With `damage` nobody can tell where in the document the envelope is, and `raw` is all of it.
    """

    raw: bytes
    event_id: str | None = None
    damage: str = ""


def unwrap(raw: bytes) -> Unwrapped:
    """
    Return the envelope in *raw*: the document itself, or the one that it holds in base64.

    A document that is an event, with a type or with an object as its payload, is the envelope,
    whatever that payload holds. Else a text in base64 counts where it stands in the document, or
    in an object in it that says so, and only if it is an event. Several that differ, or none where
    there should be one, are damage. What is no document is returned as it is.
    """
    try:
        document = read_unambiguous(raw)
    except ValueError:
        document = raw.decode("ascii", "replace")
    if isinstance(document, str):
        found = _decoded(document)
        return Unwrapped(raw if found is None else found)
    if not isinstance(document, Mapping) or _is_envelope(document, raw):
        return Unwrapped(raw)
    events = {found for text in _texts(document) if (found := _decoded(text)) is not None}
    beside = document.get("event_id")
    if len(events) == 1:
        return Unwrapped(events.pop(), beside if isinstance(beside, str) else None)
    if events:
        return Unwrapped(raw, damage="the document holds several events in base64")
    if _is_wrapper(document):
        return Unwrapped(raw, damage="what the document holds in base64 is no event")
    return Unwrapped(raw)


def _is_envelope(document: Mapping[str, Any], raw: bytes) -> bool:
    is_typed = isinstance(document.get("event_type"), str)
    if not is_typed and not isinstance(document.get("payload"), Mapping):
        return False
    return _read(raw) is not None


def _is_wrapper(document: Mapping[str, Any]) -> bool:
    payload = document.get("payload")
    if isinstance(payload, Mapping):
        return len(payload) <= _MOST_MEMBERS and _says_base64(payload)
    return isinstance(payload, str) or _says_base64(document)


def _says_base64(document: Mapping[str, Any]) -> bool:
    if any(name in key.lower() for key in document for name in _NAMES):
        return True
    return any(isinstance(value, str) and value.lower() in _WORDS for value in document.values())


def _texts(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts that may be base64."""
    for value in document.values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping) and _says_base64(value):
            yield from (text for text in value.values() if isinstance(text, str))


def _decoded(text: str) -> bytes | None:
    """Return the event that *text* is in base64, in any of its alphabets; else None."""
    if not text.lstrip().startswith(_FIRST):
        return None
    plain = "".join(text.split()).rstrip("=").translate(_PLAIN)
    try:
        found = b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return found if _read(found) is not None else None


def _read(raw: bytes) -> Event | None:
    try:
        return read_event(decode_text(raw))
    except NotJsonError:
        return None
