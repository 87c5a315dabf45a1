"""Rows that differ from what is stored."""

import json
from hashlib import sha256

import pytest

from eventsync_core.events import read_event
from tests.legacy.conftest import Scene
from tests.legacy.old import bodies, body, envelope, queue, rows

A, B = "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"
_OTHER = envelope("e1", payload={"n": 2})


@pytest.fixture
def divided(scene: Scene) -> Scene:
    """Two queues that say different things under one id, each with an event of its own."""
    queue(scene.scoped(A), ["e1", "e2"])
    queue(scene.scoped(B), [("e1", _OTHER), "e3"])
    return scene


@pytest.mark.requirement("G6")
@pytest.mark.requirement("G7")
@pytest.mark.requirement("S8")
def test_a_conflict_changes_neither_side(divided: Scene) -> None:
    """Clean rows are imported, the other source is emptied, this one stays byte for byte."""
    before = divided.scoped(B).read_bytes()

    ran = divided.migrate()

    assert (ran.code, ran.document["imported"], ran.document["conflicts_count"]) == (3, 3, 1)
    (conflict,) = ran.document["conflicts"]
    assert (conflict["event_id"], conflict["source"]) == ("e1", str(divided.scoped(B)))
    assert conflict["existing_sha"] == read_event(envelope("e1")).canonical_digest.hex()
    assert conflict["incoming_sha"] == read_event(_OTHER).canonical_digest.hex()
    assert ran.document["cleanup_blocked"]
    assert divided.scoped(B).read_bytes() == before
    assert rows(divided.scoped(A)) == []
    assert divided.entries()["e1"].event.text == envelope("e1")
    shown = divided.run("journal", "quarantine", str(conflict["number"])).document
    assert shown["text"] == _OTHER
    status = divided.run("sync", "status").document["migration_conflicts"]
    assert (status["count"], status["cleanup_blocked"]) == (1, True)
    (told,) = status["conflicts"]
    keys = ("event_id", "source_digest", "existing_sha", "incoming_sha", "detail")
    assert [told[key] for key in keys] == [conflict[key] for key in keys]
    assert told["source_digest"] == B
    assert divided.migrate().document["conflicts_count"] == 1
    assert divided.run("sync", "status", "--check").code == 2


def _settled(scene: Scene) -> None:
    """All is imported and emptied, both contents are kept, and nothing is in the way any more."""
    assert rows(scene.scoped(B)) == []
    assert scene.entries()["e1"].event.text == envelope("e1")
    (kept,) = scene.run("journal", "quarantine").document["set_aside"]
    assert scene.run("journal", "quarantine", str(kept["number"])).document["text"] == _OTHER
    again = scene.migrate()
    assert (again.code, again.document["imported"], again.document["conflicts"]) == (0, 0, [])
    assert scene.run("sync", "status", "--check").code == 0


@pytest.mark.parametrize("word", ["keep-journal", "keep-source", "keep-both"])
@pytest.mark.parametrize(
    ("chosen", "is_later"),
    [
        ("", True),
        ("e1=", False),
        pytest.param("", False, marks=pytest.mark.long),
        pytest.param("e1=", True, marks=pytest.mark.long),
    ],
)
def test_an_operator_decides(divided: Scene, word: str, chosen: str, *, is_later: bool) -> None:
    """In the same run or in a later one; of all, or of one event."""
    if is_later:
        divided.migrate()

    ran = divided.migrate("--resolve", chosen + word)

    assert (ran.code, ran.document["resolved"], ran.document["conflicts"]) == (0, 1, [])
    is_held = divided.entries()["e1"].event.hold is not None
    assert is_held == (word == "keep-source")
    (kept,) = divided.run("journal", "quarantine").document["set_aside"]
    assert kept["resolution"] == word
    _settled(divided)


def test_the_fix_that_is_named_works(divided: Scene) -> None:
    """As it stands in the JSON."""
    argv = divided.migrate().document["error"]["fix"]["argv"]

    assert divided.run(*argv[3:]).code == 0
    _settled(divided)


def test_a_decision_over_another_event_is_none(divided: Scene) -> None:
    """The conflict stays; a word that is none is refused."""
    assert divided.migrate("--resolve", "e2=keep-journal").document["conflicts_count"] == 1
    for word in ("keep-all", "=keep-both", "e1=", ""):
        assert divided.run("sync", "migrate", "--resolve", word).code == 64


def test_a_resolved_conflict_that_stays_in_its_file(divided: Scene) -> None:
    """Is no conflict again, and leaves later."""
    divided.migrate("--resolve", "keep-journal", "--keep-sources")

    again = divided.migrate("--keep-sources")
    assert (again.code, again.document["conflicts_count"], again.document["removed"]) == (0, 0, 0)
    assert divided.migrate().document["removed"] == 4
    _settled(divided)


def test_a_conflict_whose_file_is_gone_can_be_resolved(divided: Scene) -> None:
    """It is on record with its bytes."""
    divided.migrate()
    divided.scoped(B).unlink()

    assert divided.migrate().document["conflicts_count"] == 1
    assert divided.migrate("--resolve", "keep-both").code == 0


@pytest.mark.requirement("G19")
def test_the_same_id_in_the_queue_of_nobody_and_in_a_scoped_one(scene: Scene) -> None:
    """Divergent content is kept, not lost."""
    queue(scene.queue, ["e1"])
    queue(scene.scoped(A), [("e1", _OTHER)])

    ran = scene.migrate()

    assert (ran.code, ran.document["conflicts_count"]) == (3, 1)
    assert rows(scene.scoped(A), "SELECT data FROM queue") == [_OTHER]


def test_bodies_that_differ(scene: Scene) -> None:
    """Under one key, hash and all: a conflict of its own kind, which can be resolved."""
    bodies(scene.scoped(A), [body("one", content_hash="h")])
    bodies(scene.scoped(B), [body("two", content_hash="h")])

    ran = scene.migrate()

    assert (ran.code, ran.document["conflicts_count"], ran.document["imported"]) == (3, 1, 0)
    assert (ran.document["bodies"]["imported"], ran.document["bodies"]["conflict"]) == (1, 1)
    (conflict,) = ran.document["conflicts"]
    shown = scene.run("journal", "quarantine", str(conflict["number"])).document
    assert json.loads(shown["text"])["content_body"] == "two"
    assert sha256(shown["text"].encode()).hexdigest() == conflict["digest"]
    assert scene.migrate("--resolve", "keep-both").code == 0
    assert rows(scene.scoped(B), "SELECT id FROM body_upload_queue") == []


@pytest.mark.parametrize("is_later", [True, False])
@pytest.mark.parametrize("is_named", [True, False])
def test_a_body_cannot_be_kept_as_the_source_has_it(
    scene: Scene, *, is_later: bool, is_named: bool
) -> None:
    """Its key holds its hash, so one of the two is wrong; the fix that is named ends it."""
    bodies(scene.scoped(A), [body("one")])
    bodies(scene.scoped(B), [body("two", content_hash=sha256(b"one").hexdigest())])
    name = scene.run("sync", "migrate", "--dry-run").document["conflicts"][0]["event_id"]
    if is_later:
        scene.migrate()

    ran = scene.migrate("--resolve", f"{name}=keep-source" if is_named else "keep-source")

    assert (ran.code, ran.document["conflicts_count"], ran.document["resolved"]) == (3, 1, 0)
    assert "keep-source" in ran.document["error"]["message"]
    assert rows(scene.scoped(B), "SELECT id FROM body_upload_queue") == [1]
    (kept,) = scene.run("journal", "quarantine").document["set_aside"]
    assert kept["resolution"] is None
    assert scene.run(*ran.document["error"]["fix"]["argv"][3:]).code == 0
    assert rows(scene.scoped(B), "SELECT id FROM body_upload_queue") == []
