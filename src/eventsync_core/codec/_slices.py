"""The events of a request body, each with the very text it came in."""

import json
import re
from typing import Any, NamedTuple, NoReturn

from eventsync_core.codec._exact import read_exactly, token_pattern
from eventsync_core.codec._project import member_text
from eventsync_core.errors import NotJsonError

_SPACE = re.compile(r"[ \t\n\r]*")
_NO_KEYS: frozenset[str] = frozenset()


class Sliced(NamedTuple):
    """
    One object of a body: its text, cut out of the body unchanged, and its top-level keys.

    `top` is reliable for strings only. `flaw` says why it is not what it should be, if so.
    """

    text: str
    top: dict[str, Any]
    flaw: str = ""


def slice_events(body_text: str) -> list[Sliced]:
    """
    Return the objects in `{"events": [...]}`, each with its text as it stands there.

    Nesting and numbers of any size are read.

    Raises:
        ValueError: *body_text* is anything else.
    """
    at = _skip(body_text, 0, "{")
    at = _key(body_text, at)
    events, at = _array(body_text, _skip(body_text, at, ":"))
    at = _space(body_text, _skip(body_text, at, "}"))
    if at != len(body_text):
        raise _fail(at)
    return events


def slice_cloudevents(body_text: str) -> list[Sliced]:
    """
    Return the `data` of each object in an array of CloudEvents, its text as it stands there.

    `top` holds the `id` of the CloudEvent as `event_id`. An object that is no CloudEvent 1.0,
    or whose `data` is no event with that id, has a `flaw`.

    Raises:
        ValueError: *body_text* is no array of objects.
    """
    found, at = _array(body_text, 0)
    if _space(body_text, at) != len(body_text):
        raise _fail(at)
    return [_unwrapped(event) for event in found]


def _unwrapped(event: Sliced) -> Sliced:
    top, named = event.top, {"event_id": event.top.get("id")}
    if top.get("specversion") != "1.0":
        return Sliced("", named, "specversion is not 1.0")
    for key in ("id", "source", "type"):
        if not isinstance(top.get(key), str) or not top[key]:
            return Sliced("", named, f"{key} is no text")
    try:
        text = member_text(event.text, "data")
        data, _ = _object(text, 0)
    except ValueError:
        return Sliced("", named, "data is no JSON object")
    is_its_own = data.top.get("event_id") == top["id"]
    return Sliced(text, named, "" if is_its_own else "id is not the event_id of data")


def _array(text: str, at: int) -> tuple[list[Sliced], int]:
    """Return the objects of the array that begins at *at*, and where it ends."""
    events: list[Sliced] = []
    at = _space(text, _skip(text, at, "["))
    if text.startswith("]", at):
        return events, at + 1
    return events, _elements(text, at, events)


def _elements(text: str, at: int, events: list[Sliced]) -> int:
    """Read objects up to the end of their array into *events*; return where it ends."""
    while True:
        event, at = _object(text, at)
        events.append(event)
        at = _space(text, at)
        if text.startswith("]", at):
            return at + 1
        at = _space(text, _skip(text, at, ","))


def _object(text: str, at: int) -> tuple[Sliced, int]:
    if not text.startswith("{", at):
        raise ValueError(f"not a JSON object at character {at + 1}")
    try:
        top, end = _DECODE(text, at)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at character {error.pos + 1}") from None
    except (RecursionError, ValueError):
        # Python refuses integers above 4,300 digits with a plain ValueError.
        return _exact_object(text, at)
    return Sliced(text[at:end], top), end


def _exact_object(text: str, at: int) -> tuple[Sliced, int]:
    end = _closing(text, at)
    try:
        exact = read_exactly(text[at:end], _NO_KEYS)
    except NotJsonError as error:
        raise ValueError(f"{error}, in the event at character {at + 1}") from None
    return Sliced(text[at:end], exact.top), end


def _closing(text: str, at: int) -> int:
    """Return the end of the object that begins at *at*, found without recursion."""
    depth = 0
    while True:
        found = token_pattern().match(text, at)
        if found is None:
            raise _fail(at)
        at = found.end()
        if found["mark"] in ("{", "["):
            depth += 1
        elif found["mark"] in ("}", "]"):
            depth -= 1
        if depth == 0:
            return at


def _key(text: str, at: int) -> int:
    """Read the key `events`, in any spelling, and return where it ends."""
    found = token_pattern().match(text, at)
    if found is None or found["string"] is None:
        raise _fail(at)
    if json.loads(found["string"]) != "events":
        raise ValueError('the body has a key other than "events"')
    return found.end()


def _skip(text: str, at: int, mark: str) -> int:
    at = _space(text, at)
    if not text.startswith(mark, at):
        raise _fail(at)
    return at + len(mark)


def _space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _fail(at: int) -> ValueError:
    return ValueError(f"not a batch of JSON objects at character {at + 1}")


def _constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


_DECODE = json.JSONDecoder(parse_constant=_constant).raw_decode
