"""
The canonical form of an event, by the fast road where it is safe.

Canonical: object keys sorted by code point, no spaces, strings ASCII-escaped, numbers as
written, local-only top-level keys left out. Python's C decoder and encoder give that for
nearly all events; what they would change (`1.50`, `-0`, huge integers, repeated keys, deep
nesting) goes the exact road.
"""

import json
import json.encoder
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from eventsync_core.codec._exact import MAX_NESTING, read_exactly
from eventsync_core.errors import NotJsonError

LOCAL_ONLY_KEYS = frozenset({"drain_blocked_reason"})


class Parsed(NamedTuple):
    """
    One JSON object as it was read.

    `top` maps top-level keys to values, reliable for strings only; `canonical` is the
    canonical form; `damage` says in words why the object is no valid event.
    """

    top: dict[str, Any]
    canonical: str
    damage: str | None


class _InexactError(Exception):
    """The fast road would change something."""


def _float_as_written(text: str) -> float:
    value = float(text)
    if repr(value) != text:
        raise _InexactError
    return value


def _int_as_written(text: str) -> int:
    if text == "-0":
        raise _InexactError
    return int(text)


def _refuse_constant(text: str) -> NoReturn:
    raise NotJsonError(f"{text} is not JSON")


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _InexactError
    return found


_DECODER = json.JSONDecoder(
    parse_float=_float_as_written,
    parse_int=_int_as_written,
    parse_constant=_refuse_constant,
    object_pairs_hook=_no_repeats,
)
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def _make_encode() -> Callable[[Any], str]:
    # JSONEncoder.encode builds a C encoder for every call; made once it is a third faster.
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return _ENCODER.encode
    escape = json.encoder.encode_basestring_ascii
    encode = make(None, _ENCODER.default, escape, None, ":", ",", True, False, False)  # noqa: FBT003
    return lambda value: "".join(encode(value, 0))


_ENCODE = _make_encode()


def parse_event_text(text: str) -> Parsed:
    """
    Read *text* as one JSON object (RFC 8259) and return it with its canonical form.

    Raises:
        NotJsonError: It is not exactly one JSON object.
    """
    try:
        return _fast(text)
    except NotJsonError:
        raise
    except (_InexactError, RecursionError):
        pass
    except ValueError as error:
        # Python refuses integers above 4,300 digits with a plain ValueError.
        if isinstance(error, json.JSONDecodeError):
            raise NotJsonError(f"not JSON: {error.msg} at character {error.pos + 1}") from None
    exact = read_exactly(text, LOCAL_ONLY_KEYS)
    return Parsed(exact.top, exact.canonical, exact.damage)


def _fast(text: str) -> Parsed:
    if len(text) > 2 * MAX_NESTING and text.count("{") + text.count("[") > MAX_NESTING:
        raise _InexactError
    # The usual text starts with its brace and ends with its last; decode() also cuts space.
    top, end = _DECODER.raw_decode(text) if text.startswith("{") else (None, 0)
    if end != len(text):
        top = _DECODER.decode(text)
    if not isinstance(top, dict):
        raise NotJsonError("not a JSON object")
    if LOCAL_ONLY_KEYS.isdisjoint(top):
        return Parsed(top, _ENCODE(top), None)
    kept = {key: value for key, value in top.items() if key not in LOCAL_ONLY_KEYS}
    return Parsed(top, _ENCODE(kept), None)
