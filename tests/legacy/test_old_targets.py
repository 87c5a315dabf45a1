"""What old programs called targets, and what they said of them."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from eventsync_core.migration._recording import Recording
from tests.cli.listeners import accept, listening
from tests.legacy.conftest import Scene
from tests.legacy.journal_era import audit, delivery, journal, ledger, stored, target, targets


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


def test_a_name_of_several_targets(scene: Scene, tmp_path: Path) -> None:
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


def test_a_target_that_was_known_before_counts_without_its_file(scene: Scene) -> None:
    """Its alias stays."""
    old = target()
    path = targets(scene.place, [old])
    ledger(scene.place, [delivery("e1", old["target_id"])])
    assert _said(scene.migrate().document) == {"unknown_event": 1}
    path.unlink()
    journal(scene.place, ["e1"])

    assert _said(scene.migrate().document) == {"imported": 1}


def test_an_alias_of_several_targets_in_one_file(scene: Scene) -> None:
    """Nobody can tell to which of them something was delivered."""
    old = target()
    twice = {**target("https://b.example"), "target_id": old["target_id"]}
    path = targets(scene.place, [])
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE d AS SELECT * FROM delivery_targets")
        database.execute("DROP TABLE delivery_targets")
        database.execute("ALTER TABLE d RENAME TO delivery_targets")
    targets(scene.place, [old, twice, old])
    journal(scene.place, ["e1"])
    ledger(scene.place, [delivery("e1", old["target_id"])])

    ran = scene.migrate()

    assert _said(ran.document) == {"refused": 1}
    assert ran.document["refused_targets"][0]["target_id"] == old["target_id"]
    assert "target_ambiguous" in json.dumps(scene.run("target", "show", old["target_id"]).document)


def test_a_delivery_counts_once_wherever_it_stands(scene: Scene, tmp_path: Path) -> None:
    """In a home that moved, in a copy, or under another row number."""
    old, rows = (
        target(),
        [delivery("e0", target()["target_id"]), delivery("e1", target()["target_id"])],
    )
    journal(scene.place, ["e1", "e2"])
    for place in (scene.place, tmp_path / "copy"):
        targets(place, [old])
        path = ledger(place, rows)
    ran = scene.migrate("--from", str(tmp_path / "copy"))
    assert _said(ran.document) == {"imported": 1, "known": 1, "unknown_event": 2}

    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE delivery_ledger SET rowid = rowid + 7")
    (tmp_path / "copy").rename(tmp_path / "moved")
    ran = scene.migrate("--from", str(tmp_path / "moved"))

    assert _said(ran.document)["known"] == 1
    assert "imported" not in _said(ran.document)
    shown = scene.run("journal", "show", "e1").document
    assert (len(shown["noted_before"]), len(shown["targets"][0]["history"])) == (1, 1)


@pytest.mark.parametrize("is_bare", [True, False])
def test_deliveries_are_stored_with_their_event(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, *, is_bare: bool
) -> None:
    """So that nobody is offered it in between; also if the ledger has no index."""
    old = target()
    journal(scene.place, ["e1", "e2"])
    targets(scene.place, [old])
    path = ledger(scene.place, [delivery("e1", old["target_id"])])
    if is_bare:
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("CREATE TABLE d AS SELECT * FROM delivery_ledger")
            database.execute("DROP TABLE delivery_ledger")
            database.execute("ALTER TABLE d RENAME TO delivery_ledger")

    def die(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(Recording, "finish", die)
        scene.run("sync", "migrate")

    shown = scene.run("journal", "show", "e1").document
    assert shown["targets"][0]["outcome"] == "success"
    assert scene.migrate().code == 0
    assert len(scene.run("journal", "show", "e1").document["noted_before"]) == 1


def test_a_ledger_that_could_not_be_read_is_read_again(scene: Scene) -> None:
    """Also if it looks as it did when it was read before, and no event comes."""
    old = target()
    targets(scene.place, [old])
    ledger(scene.place, [delivery("e1", old["target_id"])])
    scene.migrate()
    path = scene.place / "delivery" / "ledger.db"
    journal(scene.place, ["e1"])
    with closing(sqlite3.connect(path)) as database:
        database.execute("BEGIN EXCLUSIVE")
        ran = scene.run("sync", "migrate")
        assert (ran.code, ran.document["imported"]) == (3, 1)
        assert "before you grant" in json.dumps(ran.document)

    again = scene.migrate()

    assert (again.code, _said(again.document)) == (0, {"imported": 1})


def test_an_event_that_only_an_audit_holds(scene: Scene) -> None:
    """It is imported with its deliveries; a second content of it is an open conflict."""
    old = target()
    targets(scene.place, [old])
    ledger(scene.place, [delivery("lost", old["target_id"])])
    audit(scene.place, [("lost", stored("lost"))])
    path = scene.place / "migration_audit.db"
    with closing(sqlite3.connect(path)) as database, database:
        other = ("lost", "other", stored("lost", payload={"n": 2}), "0", "1", "soon")
        database.execute("INSERT INTO quarantined_conflicts VALUES (?,?,?,?,?,?)", other)

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"], ran.document["conflicts_count"]) == (3, 1, 1)
    assert _said(ran.document) == {"imported": 1}
    again = scene.migrate()
    assert (again.code, again.document["conflicts_count"]) == (3, 1)
    assert scene.migrate("--resolve", "keep-journal").code == 0
    assert scene.migrate().code == 0
    assert scene.run("journal", "show", "lost").document["targets"][0]["outcome"] == "success"


def test_a_target_that_comes_later_settles_its_deliveries(scene: Scene, tmp_path: Path) -> None:
    """From another place too: the ledger is as it was, and tells more now."""
    old = target()
    journal(scene.place, ["e1", "e2"])
    ledger(scene.place, [delivery("e1", old["target_id"])])
    assert _said(scene.migrate().document) == {"unknown_target": 1}
    found = targets(tmp_path / "elsewhere", [old])

    assert _said(scene.migrate("--from", str(found)).document) == {"imported": 1}
