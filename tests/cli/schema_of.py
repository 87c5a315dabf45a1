"""Holds what commands answer against the JSON Schema that ships with them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import eventsync_cli
from eventsync_cli.main import program

SCHEMA = Path(eventsync_cli.__file__).with_name("schema") / "answers.json"
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "object": dict,
    "array": list,
    "null": type(None),
}
_SAY_NOTHING = {"description", "title", "$schema", "$id", "$defs"}


@cache
def schema() -> Any:
    """Return the schema as it ships."""
    return json.loads(SCHEMA.read_text(encoding="utf-8"))


def faults(value: Any, rule: Mapping[str, Any], place: str = "answer") -> Iterator[str]:
    """Yield where *value* is not as *rule* says; a word that is not known here is a fault too."""
    for word, said in rule.items():
        if word in _SAY_NOTHING:
            continue
        check = _CHECKS.get(word)
        if check is None:
            yield f"{place}: the schema says {word}, which is not looked at"
        else:
            yield from check(value, said, place, rule)


def _type(value: Any, said: Any, place: str, _: Any) -> Iterator[str]:
    names = [said] if isinstance(said, str) else said
    if isinstance(value, bool):
        fits = "boolean" in names
    else:
        fits = any(isinstance(value, _TYPES[name]) for name in names if name != "boolean")
    if not fits:
        yield f"{place}: {value!r:.60} is not {' or '.join(names)}"


def _properties(value: Any, said: Any, place: str, rule: Any) -> Iterator[str]:
    for name, each in value.items() if isinstance(value, dict) else ():
        if name in said:
            yield from faults(each, said[name], f"{place}.{name}")
        elif rule.get("additionalProperties") is False:
            yield f"{place}.{name} is not in the schema"


def _additional(value: Any, said: Any, place: str, rule: Any) -> Iterator[str]:
    if said is False or not isinstance(value, dict):
        return
    for name in value.keys() - rule.get("properties", {}).keys():
        yield from faults(value[name], said, f"{place}.{name}")


def _required(value: Any, said: Any, place: str, _: Any) -> Iterator[str]:
    missing = [name for name in said if isinstance(value, dict) and name not in value]
    yield from (f"{place}.{name} is missing" for name in missing)


def _items(value: Any, said: Any, place: str, _: Any) -> Iterator[str]:
    for number, each in enumerate(value if isinstance(value, list) else ()):
        yield from faults(each, said, f"{place}[{number}]")


def _one(value: Any, said: Any, place: str, _: Any) -> Iterator[str]:
    found = [list(faults(value, each, place)) for each in said]
    if all(found):
        yield from min(found, key=len)


def _bound(value: Any, *, is_kept: bool, place: str) -> Iterator[str]:
    if not is_kept:
        yield f"{place}: {value!r:.60} is out of bounds"


_CHECKS: Mapping[str, Any] = {
    "type": _type,
    "properties": _properties,
    "additionalProperties": _additional,
    "required": _required,
    "items": _items,
    "anyOf": _one,
    "oneOf": _one,
    "$ref": lambda value, said, place, _: faults(
        value, schema()["$defs"][said.removeprefix("#/$defs/")], place
    ),
    "const": lambda value, said, place, _: _bound(value, is_kept=value == said, place=place),
    "enum": lambda value, said, place, _: _bound(value, is_kept=value in said, place=place),
    "minimum": lambda value, said, place, _: _bound(
        value, is_kept=not isinstance(value, int) or value >= said, place=place
    ),
    "minItems": lambda value, said, place, _: _bound(
        value, is_kept=not isinstance(value, list) or len(value) >= said, place=place
    ),
    "maxItems": lambda value, said, place, _: _bound(
        value, is_kept=not isinstance(value, list) or len(value) <= said, place=place
    ),
}


def name_of(arguments: Sequence[str]) -> str:
    """Return the words of the command in *arguments*, joined as the schema names it."""
    words: list[str] = []
    given, group = iter(arguments), program()
    for argument in given:
        if argument in ("--home", "--project"):
            next(given, None)
        elif not argument.startswith("-") and len(words) < 2:
            words.append(argument)
    first = group.get_command(None, words[0]) if words else None  # type: ignore[arg-type]
    return "_".join(words if hasattr(first, "list_commands") else words[:1])


def check_answer(arguments: Sequence[str], text: str) -> None:
    """Fail unless *text* is what the schema says that the command answers."""
    document = json.loads(text)
    found = schema()["$defs"].get(name_of(arguments))
    if document.keys() == {"schema", "ok", "error"}:
        found = schema()["$defs"]["failure"]
    elif "--version" in arguments or "help" in document:
        found = schema()["$defs"]["help" if "help" in document else "version"]
    assert found is not None, f"{SCHEMA} does not say what {arguments} answers"
    wrong = list(faults(document, found))[:5]
    assert wrong == [], f"{SCHEMA.name} and {' '.join(arguments)} differ"
