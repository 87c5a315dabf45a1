"""Choosing a target while config.toml has a problem: nothing that it holds goes elsewhere."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from eventsync_adapters.server import Serving
from tests.cli.bad_input import fails
from tests.cli.conftest import Run
from tests.cli.listeners import listening

CHOOSE = ("sync", "mode", "EXTERNAL_RECEIVER")
TEAM = ("--team", "t", "--user", "u@x.example", "--token", "env:CANARY")


def written(home: Path) -> dict[str, Any]:
    """Return what stands in the file."""
    return tomllib.loads((home / "config.toml").read_text())


def damage(home: Path, old: str, new: str) -> None:
    """Replace one text in the file, as a hand would."""
    path = home / "config.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


DAMAGES = [
    ("external_receiver", "external_reciever"),
    ("external_signing = [", "external_signing = [1, "),
    ("external_endpoint = ", "external_endpoint = 'https://u:p@h/' # "),
    ("[event_sync]", "sync = 3\n[event_sync]"),
]


@pytest.mark.parametrize(("old", "new"), DAMAGES)
def test_another_endpoint_gets_nothing_from_a_damaged_file(
    run: Run, home: Path, events: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str
) -> None:
    """Headers and keys are removed, a line says so, and they are not sent."""
    monkeypatch.setenv("CANARY", "hunter22")
    run("capture", str(events))
    named = ("--header", "Authorization=env:CANARY", "--sign", "env:CANARY", "--proxy", "p:1")
    run(*CHOOSE, "--endpoint", "https://a.example/x", *named)
    damage(home, old, new)

    with listening() as listener:
        ran = run(*CHOOSE, "--endpoint", listener.url)
        run("sync", "now")

    assert ran.code == 0
    assert "removed, if it was there: headers, signing keys, " in ran.err
    assert set(written(home)["event_sync"]) == {"mode", "external_endpoint"}
    assert [heard for heard in listener.heard if "hunter22" in str(heard.headers)] == []


def test_what_is_named_again_stays(run: Run, home: Path) -> None:
    """Also while the file is damaged."""
    run(*CHOOSE, "--endpoint", "https://a.example/x", "--header", "A=env:A", "--ca", "/a")
    damage(home, "external_receiver", "bogus")

    run(*CHOOSE, "--endpoint", "https://b.example/x", "--header", "B=env:B")

    assert run("sync", "mode", "--json").document["external"] == {"headers": {"B": "env:B"}}


def test_the_endpoint_of_the_file_can_be_chosen_under_a_problem(run: Run, home: Path) -> None:
    """It is known; what is sent to it is not, and has to be named again."""
    run(*CHOOSE, "--endpoint", "https://a.example/x", "--header", "A=env:A")
    damage(home, "external_receiver", "bogus")

    ran = run(*CHOOSE, "--json")
    shown = run("sync", "mode", "--json").document

    assert (ran.code, ran.document["target"]["url"]) == (0, "https://a.example/x")
    assert (shown["endpoint"], shown["external"]) == ("https://a.example/x", {})


def test_an_endpoint_of_the_file_that_is_none_gives_way(run: Run, home: Path) -> None:
    """The good one is chosen, without what was meant for the other."""
    run(*CHOOSE, "--endpoint", "https://a.example/x", "--header", "A=env:A")
    damage(home, "https://a.example/x", "ftp://a.example")

    ran = run(*CHOOSE, "--endpoint", "https://b.example")

    assert ran.code == 0
    assert set(written(home)["event_sync"]) == {"mode", "external_endpoint"}
    damage(home, "https://b.example", "ftp://b.example")
    fails(run, *CHOOSE, code=64, error="target_url_invalid")


def test_another_server_gets_no_token_from_a_damaged_file(
    run: Run, home: Path, receiver: Serving
) -> None:
    """It is removed, and a line says so."""
    run("sync", "server", "https://a.example", *TEAM)
    damage(home, 'mode = "teamspace"', 'mode = "teamspce"')

    ran = run("sync", "server", receiver.url)

    assert ran.code == 0
    assert "the token of the previous server is not used" in ran.err
    assert "token" not in written(home)["sync"]
    assert run("sync", "server", receiver.url, "--token", "env:OTHER").code == 0
    assert written(home)["sync"]["token"] == "env:OTHER"
