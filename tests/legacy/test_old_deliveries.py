"""What old ledgers say of deliveries becomes history of the targets that they name."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.listeners import accept, listening
from tests.legacy.conftest import Scene
from tests.legacy.journal_era import (
    TIME,
    delivery,
    journal,
    ledger,
    target,
    targets,
)


def _said(document: Any, key: str = "deliveries") -> dict[str, int]:
    return {word: count for word, count in document[key].items() if count}


def _parts(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in sorted(folder.iterdir())}


def test_old_deliveries_are_history_of_the_recomputed_target(scene: Scene) -> None:
    """Its old id is an alias; nothing is granted, and it is not the current one."""
    journal(scene.place, ["e1", "e2", "e3", "e4"])
    old = target(user="Ann@X.org", server_instance_id="one")
    targets(scene.place, [old])
    secret = "HTTP 413 Authorization: Bearer abcdef123456 " + "x" * 900
    ledger(
        scene.place,
        [
            delivery("e1", old["target_id"]),
            delivery("e2", old["target_id"], "duplicate"),
            delivery("e3", old["target_id"], "terminal_failed", last_error=secret),
            delivery("e4", old["target_id"], "pending", accepted_at=TIME.format(4)),
        ],
    )
    before = _parts(scene.place / "delivery")

    ran = scene.migrate()

    assert ran.code == 0
    assert _said(ran.document) == {"imported": 4}
    assert _said(ran.document, "targets") == {"imported": 1}
    assert _parts(scene.place / "delivery") == before
    (listed,) = scene.run("target", "list").document["targets"]
    assert listed["aliases"] == [old["target_id"]]
    assert (listed["url"], listed["user"]) == ("https://sync.example", "ann@x.org")
    assert (listed["grants"], listed["is_current"]) == ([], False)
    shown = scene.run("target", "show", old["target_id"]).document
    assert (shown["target_id"], shown["aliases"]) == (listed["target_id"], listed["aliases"])
    assert shown["deployment"]["server_instance_id"] == "one"
    first = scene.run("journal", "show", "e1").document
    assert (first["targets"][0]["outcome"], first["targets"][0]["attempts"]) == ("success", 2)
    (noted,) = first["noted_before"]
    assert (noted["alias"], noted["status"], noted["attempts"], noted["http_status"]) == (
        old["target_id"],
        "success",
        2,
        200,
    )
    assert noted["first_attempted_at"] == "2026-03-02T10:00:00.250000+00:00"
    assert noted["completed_at"] == "2026-03-03T10:00:00.250000+00:00"
    third = scene.run("journal", "show", "e3").document
    (item,) = third["targets"][0]["history"]
    assert item["outcome"] == "terminal_failed"
    assert "abcdef" not in json.dumps(third)
    assert item["reason"] == "HTTP 413"
    fourth = scene.run("journal", "show", "e4").document
    assert fourth["targets"][0]["outcome"] is None
    assert [each["outcome"] for each in fourth["targets"][0]["history"]] == ["pending"]


def test_any_number_of_runs_adds_nothing(scene: Scene) -> None:
    """Unless a row changed; what the file says then is brought."""
    journal(scene.place, ["e1", "e2"])
    old = target()
    targets(scene.place, [old])
    path = ledger(scene.place, [delivery("e1", old["target_id"], "failed_transient")])
    scene.migrate()
    again = scene.migrate().document
    assert (_said(again), _said(again, "targets")) == ({}, {})
    assert len(scene.run("target", "list").document["targets"]) == 1

    ledger(scene.place, [delivery("e2", old["target_id"])])
    third = scene.migrate().document
    assert (_said(third), _said(third, "targets")) == (
        {"imported": 1, "known": 1},
        {"known": 1},
    )
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE delivery_ledger SET status = 'success' WHERE event_id = 'e1'")
    assert _said(scene.migrate().document) == {"imported": 1, "known": 1}
    shown = scene.run("journal", "show", "e1").document
    assert shown["targets"][0]["outcome"] == "success"
    assert [each["status"] for each in shown["noted_before"]] == ["failed_transient", "success"]


def test_what_cannot_be_brought_is_counted(scene: Scene) -> None:
    """Events and targets that nobody knows, words, and URLs that can be no target."""
    journal(scene.place, ["e1", "e2"])
    old, odd = target(), target("https://::1:8443/x", team="odd")
    targets(scene.place, [old, odd, {**target("https://b.example"), "canonical_url": ""}])
    ledger(
        scene.place,
        [
            delivery("gone", old["target_id"]),
            delivery("e1", "tgt_nobody"),
            delivery("e1", odd["target_id"]),
            delivery("e1", old["target_id"], "Very Odd"),
            delivery("e2", old["target_id"], "Failed-Permanent"),
        ],
    )

    ran = scene.migrate()

    assert (ran.code, _said(ran.document)) == (
        0,
        {
            "imported": 1,
            "unknown_event": 1,
            "unknown_target": 1,
            "unknown_status": 1,
            "refused": 1,
        },
    )
    assert _said(ran.document, "targets") == {"imported": 1, "refused": 2}
    assert [each["target_id"] for each in ran.document["refused_targets"]] == [
        odd["target_id"],
        None,
    ]
    assert ran.document["unknown_statuses"] == ["very odd"]
    e2 = scene.run("journal", "show", "e2").document
    assert e2["targets"][0]["outcome"] == "terminal_failed"


def test_deliveries_of_events_that_come_later(scene: Scene, tmp_path: Path) -> None:
    """They are looked at again when events are imported."""
    old = target()
    targets(scene.place, [old])
    ledger(scene.place, [delivery("e1", old["target_id"])])
    assert _said(scene.migrate().document) == {"unknown_event": 1}
    assert scene.migrate().document["sources"][1]["unchanged"]

    journal(tmp_path / "elsewhere", ["e1"])

    ran = scene.migrate("--from", str(tmp_path / "elsewhere"))
    assert _said(ran.document) == {"imported": 1}


def test_a_ledger_that_is_named(scene: Scene, tmp_path: Path) -> None:
    """It is read with the targets beside it."""
    old = target()
    journal(scene.place, ["e1"])
    targets(tmp_path / "x", [old])
    path = ledger(tmp_path / "x", [delivery("e1", old["target_id"])])

    assert _said(scene.migrate("--from", str(path)).document) == {"imported": 1}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ledger.db", b"nonsense"),
        ("ledger.db", b"SQLite format 3\0" + b"\xff" * 4096),
        ("targets.db", b"nonsense"),
        pytest.param("ledger.db", b"", marks=pytest.mark.long),
        pytest.param("targets.db", b"", marks=pytest.mark.long),
        pytest.param("targets.db", b"SQLite format 3\0" + b"\xff" * 4096, marks=pytest.mark.long),
    ],
)
def test_damaged_records_stop_no_event(scene: Scene, name: str, content: bytes) -> None:
    """They are an error of their own; once they are whole they are read."""
    journal(scene.place, ["e1"])
    old = target()
    targets(scene.place, [old])
    ledger(scene.place, [delivery("e1", old["target_id"])])
    path = scene.place / "delivery" / name
    whole = path.read_bytes()
    path.write_bytes(content)

    ran = scene.migrate()

    assert (ran.code, ran.document["imported"], ran.document["removed"]) == (3, 1, 1)
    errors = {Path(s["path"]).name: s["error"] for s in ran.document["sources"] if s["error"]}
    assert list(errors) == [name]
    path.write_bytes(whole)
    again = scene.migrate()
    assert (again.code, _said(again.document)) == (0, {"imported": 1})
    assert scene.migrate().code == 0


def test_granting_an_old_target_sends_what_it_never_got(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what the old ledger did not say was delivered; failures wait to be retried."""
    monkeypatch.setenv("SPEC_KITTY_ENABLE_SAAS_SYNC", "1")
    monkeypatch.setenv("TOKEN", "whsec-1234567890")
    names = ("success", "duplicate", "terminal_failed", "pending", "rejected", "failed_transient")
    with listening(lambda heard: accept(heard) if heard.body else (200, {}, b"{}")) as listener:
        old = target(listener.url, user="")
        journal(scene.place, [*names, "never"])
        targets(scene.place, [old])
        ledger(scene.place, [delivery(name, old["target_id"], name) for name in names])
        scene.migrate()
        chosen = scene.run(
            *("sync", "server", listener.url, "--team", "acme", "--token", "env:TOKEN"),
            *("--project", "unassigned"),
        )
        assert (chosen.code, chosen.document["will_send"]) == (0, 4)
        shown = scene.run("target", "show", old["target_id"]).document
        classes = {k: n for k, n in shown["grants"][0]["classes"].items() if n}
        assert classes == {"delivered": 2, "terminal_failed": 1, "owed": 4}
        assert shown["is_current"]

        scene.run("sync", "now")
        sent = _sent(listener)
        assert sent == ["pending", "rejected", "failed_transient", "never"]
        retried = scene.run("sync", "retry", "--target", old["target_id"])
        assert retried.code == 0
        scene.run("sync", "now")
        scene.run("sync", "now")

    assert _sent(listener) == [*sent, "terminal_failed"]
    final = scene.run("target", "show").document["grants"][0]
    assert (final["classes"]["delivered"], final["coherent"]) == (7, True)
    assert scene.migrate().code == 0


def _sent(listener: Any) -> list[str]:
    return [
        event["event_id"]
        for heard in listener.heard
        if heard.body and "/batch" in heard.path
        for event in json.loads(heard.body)["events"]
    ]
