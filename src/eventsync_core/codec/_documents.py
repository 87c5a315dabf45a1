"""Small JSON documents: answers, settings, reports. Not for events."""

import json
from typing import Any

MOST_ITEMS = 1_000
"""Lists in a document carry at most this many items, beside their exact count."""


def read_document(text: str | bytes) -> Any:
    """
    Return the JSON value in *text*.

    Raises:
        ValueError: It is not JSON, or nested too deeply to be an answer.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def read_unambiguous(text: str | bytes) -> Any:
    """
    Return the JSON value in *text*, without the keys that stand twice in one object.

    Readers disagree about which of the two counts, so neither is believed.

    Raises:
        ValueError: It is not JSON, or nested too deeply to be an answer.
    """
    try:
        return json.loads(text, object_pairs_hook=_without_repeated)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _without_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            found.pop(key, None)
        seen.add(key)
    return found


def read_words(text: str) -> dict[str, Any]:
    """
    Return the object of an event's *text* with every number as None.

    Numbers of any size do no harm. Where nesting is too deep for the stack at hand, nothing
    is found.
    """
    try:
        found = _WORDS.decode(text)
    except RecursionError:
        return {}
    return found if isinstance(found, dict) else {}


def _no_number(_: str) -> None:
    """Leave out what the caller does not look at."""


_WORDS = json.JSONDecoder(parse_int=_no_number, parse_float=_no_number)


def write_document(value: object) -> str:
    """Return *value* as compact ASCII JSON with keys in their given order."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def write_unchecked(value: object) -> str:
    """Return the same, but for numbers beyond a float: they are words that are not JSON."""
    return json.dumps(value, separators=(",", ":"))
