"""Who made an event: said on the command line or in the configuration, shown, and no more."""

import json
from pathlib import Path
from typing import Any

import pytest

from eventsync_adapters.server import Serving
from tests.cli.conftest import Run

NOBODY = {"user": "", "team": "", "installation": ""}


def _line(tmp_path: Path, event_id: str) -> str:
    path = tmp_path / f"{event_id}.jsonl"
    path.write_text(json.dumps({"event_id": event_id}) + "\n")
    return str(path)


def test_who_made_an_event_is_shown(run: Run, tmp_path: Path) -> None:
    """Where it was said, and what of it."""
    words = ("--producer-user", "änn", "--producer-team", "one", "--installation", "box 7")
    run("capture", _line(tmp_path, "e1"), *words)
    run("capture", _line(tmp_path, "e2"), "--producer-team", "two")
    run("capture", _line(tmp_path, "e3"))

    entries = run("journal", "list", "--json").document["entries"]
    assert [entry["producer"] for entry in entries] == [
        {"user": "änn", "team": "one", "installation": "box 7"},
        {**NOBODY, "team": "two"},
        None,
    ]
    for entry in entries:
        shown = run("journal", "show", entry["event_id"], "--json").document
        assert shown["producer"] == entry["producer"]
    text = run("journal", "show", "e1").out
    for part in ("änn", "one", "box 7"):
        assert part in text
    assert "Produced by" not in run("journal", "show", "e3").out
    assert "Produced by user" not in run("journal", "show", "e2").out


def test_the_configuration_says_who_as_a_rule(run: Run, home: Path, tmp_path: Path) -> None:
    """The command line wins, part by part."""
    home.mkdir()
    (home / "config.toml").write_text('[producer]\nuser = "ann"\nteam = "one"\n')
    run("capture", _line(tmp_path, "e1"))
    run("capture", _line(tmp_path, "e2"), "--producer-user", "bob")

    entries = run("journal", "list", "--json").document["entries"]

    assert [entry["producer"] for entry in entries] == [
        {"user": "ann", "team": "one", "installation": ""},
        {"user": "bob", "team": "one", "installation": ""},
    ]


@pytest.mark.parametrize("option", ["--producer-user", "--producer-team", "--installation"])
@pytest.mark.parametrize("value", ["x" * 201, "two\nlines", "\x1b[31m"])
def test_what_cannot_be_kept_is_usage(run: Run, tmp_path: Path, option: str, value: str) -> None:
    """It is not quoted, and nothing is stored."""
    ran = run("capture", _line(tmp_path, "e1"), option, value, "--json")

    assert (ran.code, ran.document["error"]["code"]) == (64, "usage")
    assert value not in ran.document["error"]["message"]
    assert run("journal", "list", "--json").document["entries_count"] == 0


def test_delivery_does_not_ask_who(run: Run, tmp_path: Path, receiver: Serving) -> None:
    """Events of two producers, and of none, go in their order, as they are."""
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    for number, who in enumerate(("ann", "bob", "", "ann", "bob", "")):
        run("capture", _line(tmp_path, f"e{number}"), "--producer-user", who)

    done = run("sync", "now", "--json").document

    assert (done["counts"]["delivered"], done["remaining_owed"]) == (6, 0)
    received = [(event_id, text) for _, event_id, text in receiver.inbox.received()]
    assert received == [(f"e{n}", json.dumps({"event_id": f"e{n}"})) for n in range(6)]
    assert run("journal", "verify", "--json").document["verified"] == 6


def test_config_show_says_who(run: Run, home: Path) -> None:
    """Null where nobody is named."""
    assert _setting(run, "producer") == {"name": "producer", "value": None, "source": "default"}
    home.mkdir()
    (home / "config.toml").write_text('[producer]\nuser = "ann"\n[capture]\nvalidate = "strict"\n')

    found = _setting(run, "producer")

    assert found["value"] == {"user": "ann", "team": None, "installation": None}
    assert "[producer]" in found["source"]
    assert "user=ann" in run("config", "show").out
    assert "None" not in run("config", "show").out
    assert _setting(run, "validate") == {
        "name": "validate",
        "value": "strict",
        "source": "config.toml [capture] validate",
    }


def _setting(run: Run, name: str) -> Any:
    settings = run("config", "show", "--json").document["settings"]
    (found,) = (setting for setting in settings if setting["name"] == name)
    return found
