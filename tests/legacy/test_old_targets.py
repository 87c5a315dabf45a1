"""What old programs called targets, and what they said of them."""

import json
from typing import Any

import pytest

from tests.cli.listeners import accept, listening
from tests.legacy.conftest import Scene
from tests.legacy.journal_era import delivery, journal, ledger, target, targets


def _said(document: Any, key: str = "deliveries") -> dict[str, int]:
    return {word: count for word, count in document[key].items() if count}


def test_users_that_only_look_alike_are_two_targets(scene: Scene) -> None:
    """Only ASCII letters have one spelling."""
    names = ("stra\u00dfe@x.org", "strasse@x.org", "Strasse@X.org")
    targets(scene.place, [target(user=name) for name in names])

    assert _said(scene.migrate().document, "targets") == {"imported": 3}
    listed = scene.run("target", "list").document["targets"]
    assert sorted(len(each["aliases"]) for each in listed) == [1, 2]


@pytest.mark.parametrize("field", ["team_slug", "user_email"])
@pytest.mark.parametrize("word", ["ac\x1b[31mme", "a\nb", "\u202ea", "x" * 201])
def test_targets_that_cannot_be_shown_are_refused(scene: Scene, field: str, word: str) -> None:
    """And what was noted of deliveries to them with them."""
    journal(scene.place, ["e1"])
    old = {**target(), field: word}
    targets(scene.place, [old])
    ledger(scene.place, [delivery("e1", old["target_id"])])

    ran = scene.migrate()

    assert (_said(ran.document, "targets"), _said(ran.document)) == ({"refused": 1}, {"refused": 1})
    assert word not in json.dumps(ran.document, ensure_ascii=False)
    assert scene.run("target", "list").document["targets"] == []


def test_facts_of_a_server_are_short_words(scene: Scene) -> None:
    """Anything else is left out."""
    facts = {"environment_name": "\x1b[2Jprod", "git_sha": "g" * 999, "deployment_id": "Bearer abc"}
    targets(scene.place, [target(**facts, server_instance_id="one")])

    scene.migrate()

    (listed,) = scene.run("target", "list").document["targets"]
    shown = scene.run("target", "show", listed["target_id"]).document["deployment"]
    assert {key: value for key, value in shown.items() if value} == {"server_instance_id": "one"}


def test_attempts_beyond_all_counting(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Are not believed, and what failed so often can be retried."""
    monkeypatch.setenv("SPEC_KITTY_ENABLE_SAAS_SYNC", "1")
    monkeypatch.setenv("TOKEN", "whsec-1234567890")
    with listening(lambda heard: accept(heard) if heard.body else (200, {}, b"{}")) as listener:
        old = target(listener.url, user="")
        journal(scene.place, ["e1"])
        targets(scene.place, [old])
        most = {"attempt_count": (1 << 63) - 1, "last_http_status": (1 << 63) - 1}
        ledger(scene.place, [delivery("e1", old["target_id"], "terminal_failed", **most)])
        scene.migrate()
        server = ("sync", "server", listener.url, "--team", "acme", "--token", "env:TOKEN")
        scene.run(*server, "--project", "unassigned")
        assert scene.run("sync", "retry", "--target", old["target_id"]).code == 0

        assert scene.run("sync", "now").code == 0


def test_a_name_of_several_targets(scene: Scene, tmp_path: Any) -> None:
    """A command says which it may mean."""
    one, other = target(), {**target(team="other"), "target_id": target()["target_id"]}
    targets(scene.place, [one])
    targets(tmp_path / "x", [other])
    scene.migrate("--from", str(tmp_path / "x"))
    listed = scene.run("target", "list").document["targets"]

    for words in (("target", "show"), ("target", "grant"), ("target", "revoke")):
        ran = scene.run(*words, one["target_id"])
        assert ran.code == 64
        said = json.dumps(ran.document)
        assert "target_ambiguous" in said
        assert all(each["target_id"] in said for each in listed)
