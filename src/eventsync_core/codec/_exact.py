"""An iterative JSON reader that keeps numbers as written and survives any nesting."""

import json
import re
from functools import cache
from typing import Any, NamedTuple

from eventsync_core.errors import NotJsonError

MAX_NESTING = 500

_WORDS = {"true": True, "false": False, "null": None}
_SPACE = " \t\n\r"


@cache
def token_pattern() -> re.Pattern[str]:
    """Return the pattern of one JSON token, compiled when it is first needed."""
    return re.compile(
        r"""[ \t\n\r]*(?:
            (?P<string>"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")
          | (?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
          | (?P<word>true|false|null)
          | (?P<mark>[{}\[\],:])
        )""",
        re.VERBOSE,
    )


class Exact(NamedTuple):
    """
    What `read_exactly` found.

    `top` keeps strings, true, false and null; numbers stand there as 0, containers as ().
    `canonical` is the text itself when the nesting is too deep.
    """

    top: dict[str, Any]
    canonical: str
    damage: str | None


class _Open:
    """A container being read: finished parts, and for objects their keys."""

    __slots__ = ("is_object", "key", "keys", "parts")

    def __init__(self, *, is_object: bool) -> None:
        self.is_object = is_object
        self.key: str | None = None
        self.keys: list[str] = []
        self.parts: list[str] = []


class _Reader:
    """Walks the tokens; `expect` names what the grammar allows next."""

    def __init__(self, text: str, left_out: frozenset[str]) -> None:
        self.text = text
        self.left_out = left_out
        self.stack: list[_Open] = []
        self.top: dict[str, Any] = {}
        self.deepest = 0
        self.repeated = False
        self.result: str | None = None

    def fail(self, at: int) -> NotJsonError:
        return NotJsonError(f"not JSON at character {at + 1}")

    def run(self) -> None:
        at, expect = 0, "value"
        while expect != "end":
            found = token_pattern().match(self.text, at)
            if found is None:
                raise self.fail(at)
            expect = self.step(found, expect)
            at = found.end()
        if self.text[at:].strip(_SPACE):
            raise self.fail(at)

    def step(self, found: re.Match[str], expect: str) -> str:
        """Take one token; return what may come next."""
        token = found[0].lstrip(_SPACE)
        if token in ("}", "]"):
            return self.close(token, expect, found.start())
        if token in (",", ":"):
            return self.punctuate(token, expect, found.start())
        if expect in ("key", "first key"):
            if found["string"] is None:
                raise self.fail(found.start())
            self.stack[-1].key = json.loads(token)
            return "colon"
        if expect not in ("value", "first value"):
            raise self.fail(found.start())
        if token in ("{", "["):
            return self.open(token)
        return self.scalar(found, token)

    def open(self, token: str) -> str:
        self.stack.append(_Open(is_object=token == "{"))
        self.deepest = max(self.deepest, len(self.stack))
        return "first key" if token == "{" else "first value"

    def punctuate(self, token: str, expect: str, at: int) -> str:
        if token == ":" and expect == "colon":
            return "value"
        if token == "," and expect == "more":
            return "key" if self.stack[-1].is_object else "value"
        raise self.fail(at)

    def close(self, token: str, expect: str, at: int) -> str:
        wanted = ("more", "first key") if token == "}" else ("more", "first value")
        if not self.stack or expect not in wanted or self.stack[-1].is_object != (token == "}"):
            raise self.fail(at)
        done = self.stack.pop()
        self.repeated = self.repeated or len(set(done.keys)) != len(done.keys)
        if self.deepest > MAX_NESTING:
            return self.finish("", ())
        if not done.is_object:
            return self.finish("[" + ",".join(done.parts) + "]", ())
        pairs = sorted(zip(done.keys, done.parts, strict=True), key=lambda pair: pair[0])
        if not self.stack:
            pairs = [pair for pair in pairs if pair[0] not in self.left_out]
        return self.finish(
            "{" + ",".join(f"{json.dumps(key)}:{part}" for key, part in pairs) + "}", ()
        )

    def scalar(self, found: re.Match[str], token: str) -> str:
        if found["string"] is not None:
            value = json.loads(token)
            return self.finish(json.dumps(value), value)
        return self.finish(token, _WORDS.get(token, 0))

    def finish(self, canonical: str, value: object) -> str:
        """File a completed value with its container."""
        if not self.stack:
            self.result = canonical
            return "end"
        holder = self.stack[-1]
        if holder.is_object and holder.key is not None:
            if len(self.stack) == 1:
                self.top[holder.key] = value
            holder.keys.append(holder.key)
        holder.parts.append(canonical)
        return "more"


def read_exactly(text: str, left_out: frozenset[str]) -> Exact:
    """
    Read one JSON object without recursion.

    Raises:
        NotJsonError: It is not exactly one JSON object.
    """
    reader = _Reader(text, left_out)
    reader.run()
    if not text.lstrip(_SPACE).startswith("{"):
        raise NotJsonError("not a JSON object")
    if reader.deepest > MAX_NESTING:
        return Exact(reader.top, text, f"nested deeper than {MAX_NESTING}")
    damage = "the same key stands twice in one object" if reader.repeated else None
    return Exact(reader.top, reader.result or "", damage)
