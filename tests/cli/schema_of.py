"""Holds what commands answer against the JSON Schema that ships with them."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

import eventsync_cli
from eventsync_cli.main import program

SCHEMA = Path(eventsync_cli.__file__).with_name("schema") / "answers.json"


@cache
def schema() -> Any:
    """Return the schema as it ships."""
    return json.loads(SCHEMA.read_text(encoding="utf-8"))


@cache
def _validator(name: str) -> Draft202012Validator:
    """Return what holds an answer against *name* of the schema; the empty name is all of it."""
    if not name:
        return Draft202012Validator(schema())
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": schema()["$defs"]})


def faults(document: Any, name: str = "") -> list[str]:
    """Return where *document* is not as *name* of the schema says, or as any answer in it."""
    return [
        f"{each.json_path}: {each.message:.200}" for each in _validator(name).iter_errors(document)
    ]


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
    name = name_of(arguments)
    if document.keys() == {"schema", "ok", "error"}:
        name = "failure"
    elif "--version" in arguments or "help" in document:
        name = "help" if "help" in document else "version"
    assert name in schema()["$defs"], f"{SCHEMA} does not say what {arguments} answers"
    wrong = faults(document, name)[:5]
    assert wrong == [], f"{SCHEMA.name} and {' '.join(arguments)} differ"
