"""What every command answers is what the JSON Schema says that ships with the program."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from eventsync_adapters.server import Serving
from eventsync_core.receivers import Script
from tests.cli.conftest import Run
from tests.cli.gates import EXTERNAL
from tests.cli.schema_of import SCHEMA, check_answer, faults, name_of, schema
from tests.docs.conftest import commands

_STREAMS = {"serve", "journal_export"}
_WITHOUT_COMMAND = {"failure", "help", "version"}
_ARGUMENTS = {
    "capture": ("FILE",),
    "body add": ("FILE", "--project", "p", "--mission", "m", "--mission-type", "t"),
    "journal show": ("e1",),
    "journal backup": ("copy.db", "--force"),
    "journal restore": ("copy.db", "--replace", "--dry-run"),
    "sync support-bundle": ("bundle.json", "--force"),
    "journal import": ("FILE",),
    "journal purge": ("--project", "default"),
    "sync archive": ("archive.jsonl.gz", "--include-undelivered"),
    "journal hold": ("e1",),
    "journal release": ("e1",),
    "sync replay": ("--all", "--dry-run"),
    "target pause": ("--dry-run",),
    "target revoke": ("--dry-run",),
}


def _names() -> list[str]:
    return sorted(name.removeprefix("eventsync ") for name in commands())


def _defined() -> set[str]:
    return {each["$ref"].removeprefix("#/$defs/") for each in schema()["anyOf"]}


def test_every_command_has_an_answer_in_the_schema() -> None:
    """And nothing else has one; those that write streams only ever fail."""
    named = {name.replace(" ", "_") for name in _names()}

    assert named - _STREAMS == _defined() - _WITHOUT_COMMAND


@pytest.mark.parametrize("name", _names())
def test_what_a_command_answers_is_in_the_schema(
    run: Run,
    name: str,
    events: Path,
    receiver: Serving,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a fresh home, with a damaged one, and in one that has everything."""
    if name in ("demo", "serve"):
        pytest.skip("it has a test of its own")
    monkeypatch.chdir(tmp_path)
    words = (*name.split(), *_arguments(name, events), "--json")
    answers = [run(*words).document]
    run("capture", str(events))
    receiver.set_script(Script(events={"e1": {"status": "rejected"}, "e2": {"status": "pending"}}))
    run(*EXTERNAL, receiver.url)
    run("sync", "now")
    answers.append(run(*words).document)
    (home / "eventsync" / "eventsync.db").write_bytes(b"no database" * 1_000)
    (home / "config.toml").write_text("no toml")
    answers.append(run(*words).document)

    for document in answers:
        assert faults(document) == []


def _arguments(name: str, events: Path) -> list[str]:
    words = _ARGUMENTS.get(name, ())
    return [str(events) if word == "FILE" else word for word in words]


def test_a_usage_error_and_the_help_are_in_the_schema(run: Run) -> None:
    """As the version is, which names the file."""
    assert run("nope", "--json").code == 64
    assert "help" in run("sync", "--help", "--json").document
    assert run("--version", "--json").document["answers_schema"] == str(SCHEMA)


@pytest.mark.parametrize(
    "change",
    [
        {"extra": 1},
        {"exit_code": "0"},
        {"reasons": [{"code": "x", "message": "y", "fix": {}}]},
        {"mode": None},
        {"targets": {}},
        {"reasons_count": -1},
        {"reasons_count": True},
    ],
)
def test_what_is_not_in_the_schema_is_found(run: Run, change: dict[str, Any]) -> None:
    """The test itself is worth something."""
    words = ("sync", "status", "--json")
    document = run(*words).document

    check_answer(words, json.dumps(document))
    with pytest.raises(AssertionError):
        check_answer(words, json.dumps(document | change))
    del document["gates"]
    with pytest.raises(AssertionError):
        check_answer(words, json.dumps(document))


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("--home", "x", "sync", "--project", "p", "status"), "sync_status"),
        (("capture", "now"), "capture"),
    ],
)
def test_an_answer_is_named_by_the_words_of_its_command(words: tuple[str, ...], name: str) -> None:
    """Options and arguments are none of them."""
    assert name_of(words) == name


def _objects(rule: Any) -> Iterator[Any]:
    if isinstance(rule, dict):
        if rule.get("type") == "object" or "properties" in rule:
            yield rule
        for each in rule.values():
            yield from _objects(each)
    elif isinstance(rule, list):
        for each in rule:
            yield from _objects(each)


def _rules(found: Iterable[Any]) -> Iterator[Any]:
    for rule in found:
        if isinstance(rule, dict):
            yield rule
            yield from _rules(rule.get("properties", {}).values())
            yield from _rules(each for word in ("anyOf", "oneOf") for each in rule.get(word, ()))
            yield from _rules([rule.get("items"), rule.get("additionalProperties")])


def test_no_object_of_the_schema_lets_anything_pass() -> None:
    """Each says what it holds, and what must be there is among it."""
    # This one is a rule that all answers share, beside what each of them holds.
    assert schema()["$defs"]["told"].keys() == {"description", "oneOf"}
    for rule in _objects({**schema()["$defs"], "told": {}}):
        assert "additionalProperties" in rule
        assert set(rule.get("required", ())) <= set(rule.get("properties", ()))


@pytest.mark.parametrize("is_ok", [True, False])
def test_no_answer_may_be_bare(is_ok: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    """What went well has more than that it did, and what did not has an error."""
    bare = {"schema": 1, "ok": is_ok}
    answers = {
        name for name, rule in schema()["$defs"].items() if "schema" in rule.get("properties", {})
    }

    assert [name for name in answers if not faults(bare, name)] == []


def test_the_schema_is_one() -> None:
    """And each word of its rules is one that is looked at; a word that is none is no rule."""
    Draft202012Validator.check_schema(schema())

    known = {*Draft202012Validator.VALIDATORS, "description"}
    assert [rule for rule in _rules(schema()["$defs"].values()) if not rule.keys() <= known] == []
