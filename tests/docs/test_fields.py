"""What docs/commands.md says of JSON is what the commands answer."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eventsync_adapters import machine
from eventsync_adapters.server import serve
from eventsync_cli.__main__ import main

_ALWAYS = {"schema", "ok", "error"}
_TARGET = {"target_id", "kind", "url", "team", "user"}
_LIKE = {"journal show": "journal list", "sync replay": "sync retry"}
_COMMANDS = (
    "capture events.jsonl",
    "sync now",
    "sync status",
    "sync retry",
    "sync replay --all --dry-run",
    "target show",
    "target list",
    "target pause",
    "target resume",
    "target grant",
    "journal list",
    "journal show e1",
    "journal verify",
    "sync support-bundle b.json --force",
    "journal backup copy.db --force",
    "journal restore copy.db --replace --dry-run",
    "family list",
    "audit list",
    "audit purges",
    "sync gc",
    "sync archive archive.gz",
    "journal import archive.gz",
    "journal purge --project default --dry-run",
    "journal quarantine --damaged",
    "journal hold e1",
    "journal release e1",
    "sync doctor",
    "sync mode",
    "sync server",
    "sync migrate",
    "config show",
    "body list",
    "body push",
    "body retry",
)


@pytest.fixture
def answers(
    plain_environment: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> dict[str, Any]:
    """What each command answers in a home that delivered one event."""
    monkeypatch.setenv("SPEC_KITTY_HOME", str(plain_environment / "home"))
    (plain_environment / "events.jsonl").write_text('{"event_id": "e1"}\n')
    found = {}
    with serve(None, clock=machine.now) as receiver:
        receiver.start()
        main(["sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url])
        for line in _COMMANDS:
            capsys.readouterr()
            assert main([*line.split(), "--json"]) == 0
            words = line.split()[: 1 if line.startswith("capture") else 2]
            found[" ".join(words)] = json.loads(capsys.readouterr().out)
    return found


def _sections(root: Path) -> dict[str, str]:
    text = (root / "docs/commands.md").read_text(encoding="utf-8")
    parts = re.split(r"^## `eventsync (.+)`$", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _unnamed(document: dict[str, Any], text: str) -> Iterator[str]:
    yield from (key for key in document.keys() - _ALWAYS - _TARGET if f"`{key}`" not in text)


def test_every_field_is_named(root: Path, answers: dict[str, Any]) -> None:
    """In the section of its command, or of the one it is said to be like."""
    sections = _sections(root)

    unnamed = {
        name: set(_unnamed(document, sections[name] + sections.get(_LIKE.get(name, ""), "")))
        for name, document in answers.items()
    }

    assert {name: keys for name, keys in unnamed.items() if keys} == {}


def test_the_table_of_the_status_is_its_document(root: Path, answers: dict[str, Any]) -> None:
    """The fields, and below them those of a target and of its streams."""
    section, document = _sections(root)["sync status"], answers["sync status"]
    rows = dict(re.findall(r"^\| (`[^|]+`) \| (.+) \|$", section, flags=re.M))
    named = {word for cell in rows for word in re.findall(r"`(\w+)`", cell)}
    (target,) = document["targets"]
    (stream,) = target["streams"]

    assert document.keys() - _ALWAYS <= named
    assert named - document.keys() <= {"event_sync_status_error"}
    for found, cell in (
        (target, "`targets`, `targets_count`"),
        (stream, "`targets[].streams[]`"),
    ):
        assert [key for key in found if f"`{key}`" not in rows[cell]] == []
