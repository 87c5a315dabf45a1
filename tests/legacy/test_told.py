"""What is said of a migration, and of what is left after it."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from eventsync_cli.__main__ import main
from tests.legacy.conftest import Scene
from tests.legacy.old import bodies, body, envelope, queue

A = "aaaaaaaaaaaaaaaa"
_OTHER = envelope("e1", payload={"n": 2})
Say = Callable[..., tuple[int, str]]


@pytest.fixture
def say(scene: Scene, capfd: pytest.CaptureFixture[str]) -> Say:
    """Return a function that runs a command and returns its code and all that it says."""

    def run(*words: str) -> tuple[int, str]:
        capfd.readouterr()
        code = main(["--home", str(scene.place), *words])
        out, err = capfd.readouterr()
        return code, out + err

    return run


def _shown(scene: Scene, words: str) -> str:
    return shlex.join(["eventsync", "--home", str(scene.place), *words.split()])


def _fix(scene: Scene, ran_error: dict[str, dict[str, list[str]]]) -> list[str]:
    """Return the words of a fix, without those that name the home."""
    assert ran_error["fix"]["argv"][:3] == ["eventsync", "--home", str(scene.place)]
    return ran_error["fix"]["argv"][3:]


def test_the_headline_has_all_kinds(scene: Scene, say: Say) -> None:
    """Events, what was resolved, and bodies."""
    queue(scene.queue, ["e1"])
    queue(scene.scoped(A), [("e1", _OTHER)])
    bodies(scene.scoped(A), [body()])

    _, said = say("sync", "migrate", "--resolve", "keep-journal")

    head = "events: imported 1  deduplicated 0  resolved 1; bodies: imported 1; "
    assert said.startswith(head + "conflicts 0  quarantined 0  source errors 0\n")


def test_rows_of_bodies_are_no_events(scene: Scene, say: Say) -> None:
    """A conflict is over rows, of whatever kind."""
    bodies(scene.queue, [body()])
    bodies(scene.scoped(A), [body("other", content_hash=body()["content_hash"])])

    code, said = say("sync", "migrate")

    assert (code, "rows that differ from what is stored: 1" in said) == (3, True)
    assert f"differs from what is stored; {_shown(scene, 'journal quarantine 1')}\n" in said


def test_long_lists_say_what_is_left_out(scene: Scene, say: Say) -> None:
    """And how to see it; each row has its number."""
    queue(scene.queue, [(f"e{number}", "NaN") for number in range(23)])

    _, said = say("sync", "migrate")

    show = _shown(scene, "journal quarantine")
    assert said.count("\nquarantined: ") == 21
    assert f"[not_json]; {show} 1\n" in said
    assert f"[not_json]; {show} 20\n" in said
    assert f"\nquarantined: and 3 more; {show}\n" in said
    listed = scene.run("sync", "migrate").document["quarantined"]
    assert [row["number"] for row in listed] == list(range(1, 24))


def test_a_decision_over_what_is_in_no_conflict(scene: Scene, say: Say) -> None:
    """Is said; with a preview, with a store, and without one."""
    words = ("sync", "migrate", "--resolve", "e7=keep-journal", "--resolve", "e1=keep-both")
    for more in (["--dry-run"], []):
        assert scene.run(*words, *more).document["not_in_conflict"] == ["e1", "e7"]
    queue(scene.queue, ["e1"])
    queue(scene.scoped(A), [("e1", _OTHER)])

    assert scene.migrate(*words[2:]).document["not_in_conflict"] == ["e7"]

    code, said = say(*words)
    assert (code, "eventsync: no conflict over e7 is open\n" in said) == (0, True)
    assert scene.run(*words).document["not_in_conflict_count"] == 2


@pytest.mark.parametrize("words", [["sync", "migrate", "--dry-run"], ["sync", "migrate"]])
def test_nothing_unprintable_is_said(scene: Scene, say: Say, words: list[str]) -> None:
    """Neither of a path, nor of a name or a detail; what is stored is as it was."""
    place = scene.place.parent / "odd\n\x1b[31m"
    queue(place / "queue.db", ["e1", ("\x1b[31me2", "NaN")])
    bad = place / "queues" / f"queue-{A}.db"
    queue(bad, [("e1", _OTHER)])

    for each in (words, ["journal", "quarantine"], ["sync", "status"], ["sync", "now"]):
        said = _plain(each, scene, say)
        assert "\x1b" not in said
        assert all(line.isprintable() for line in said.split("\n"))
    check = _plain(["sync", "status", "--check"], scene, say)
    assert "\x1b" not in check


def _plain(words: list[str], scene: Scene, say: Say) -> str:
    """Run for a home that an environment names, so that no fix has to name it."""
    link = scene.place.parent / "plain"
    if not link.exists():
        link.symlink_to(scene.place.parent / "odd\n\x1b[31m")
    return say("--home", str(link), *words)[1]


def test_kept_files_that_are_accounted_for_do_not_wait(scene: Scene) -> None:
    """Status is coherent, also where conflicts were resolved and quarantined rows taken."""
    queue(scene.queue, ["e1", ("e2", "NaN")])
    queue(scene.scoped(A), [("e1", _OTHER), "e3"])

    first = scene.migrate("--keep-sources", "--take-quarantined", "--resolve", "keep-journal")

    assert (first.code, first.document["removed"]) == (0, 0)
    assert scene.run("sync", "status").document["waiting_sources"] == []
    assert scene.run("sync", "status", "--check").code == 0
    again = scene.migrate("--keep-sources")
    assert again.code == 0
    assert [each["unchanged"] for each in again.document["sources"]] == [True, True]
    counts = [
        {word: each[word] for word in ("deduplicated", "resolved", "quarantined")}
        for each in again.document["sources"]
    ]
    assert counts == [
        {"deduplicated": 1, "resolved": 0, "quarantined": 1},
        {"deduplicated": 1, "resolved": 1, "quarantined": 0},
    ]
    queue(scene.queue, ["e4"])
    assert scene.run("sync", "status", "--check").code == 2
    assert scene.migrate("--take-quarantined").document["removed"] == 5


def test_an_unchanged_log_tells_what_was_in_it(scene: Scene, tmp_path: Path) -> None:
    """A line that holds no event is none that was known."""
    log = tmp_path / "status.events.jsonl"
    log.write_text(envelope("e1") + "\nNaN\n")
    words = ("--from", str(log), "--take-quarantined")
    assert scene.migrate(*words).code == 0

    again = scene.migrate(*words[:2])

    (source,) = again.document["sources"]
    assert (again.code, source["unchanged"]) == (0, True)
    assert (source["deduplicated"], source["quarantined"], source["rows"]) == (1, 1, 2)


def test_status_names_what_helps(scene: Scene, say: Say) -> None:
    """Rows that nobody has decided about are not imported by another migration."""
    queue(scene.queue, ["e1", ("e2", "NaN")])
    queue(scene.scoped(A), [("e1", _OTHER), "e3"])
    assert "They are imported by" in say("sync", "status")[1]
    scene.migrate()

    _, status = say("sync", "status")
    now = scene.run("sync", "now").err
    found = scene.run("sync", "status").document["waiting_sources"]

    assert "They are imported by" not in status
    assert f"decide: {_shown(scene, 'sync migrate --resolve keep-journal')}\n" in status
    assert _shown(scene, "sync migrate --take-quarantined") + "\n" in status
    assert f"queue 1, quarantined 1; {_shown(scene, 'sync migrate --take-quarantined')}" in now
    assert f"conflicts 1; {_shown(scene, 'sync migrate --resolve keep-journal')}" in now
    assert [(each["conflicts"], each["quarantined"]) for each in found] == [(0, 1), (1, 0)]
    for code in ("conflict", "quarantined"):
        check = scene.run("sync", "status", "--check").document["error"]
        assert check["code"] == code
        scene.run(*_fix(scene, check))
    assert scene.run("sync", "status", "--check").code == 0


def test_a_fix_repeats_what_was_asked(scene: Scene, tmp_path: Path) -> None:
    """Else it would empty files that were to be kept, or look elsewhere."""
    other = queue(tmp_path / "queue-other.db", [("e1", _OTHER), ("e2", "NaN")])
    queue(scene.queue, ["e1"])
    before = other.read_bytes()
    words = ("--from", str(other), "--project", "P9", "--keep-sources")

    first = scene.migrate(*words).document["error"]
    second = scene.run(*_fix(scene, first))

    assert (first["code"], second.document["error"]["code"]) == ("conflict", "quarantined")
    fix = _fix(scene, second.document["error"])
    assert fix == ["sync", "migrate", *words, "--take-quarantined"]
    assert scene.run(*fix).code == 0
    assert other.read_bytes() == before
    assert json.dumps(scene.run("sync", "status").document["waiting_sources"]) == "[]"


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "source_empty_file"), (b"no database at all", "source_not_a_database")],
)
def test_the_fix_of_a_file_fits_its_error(scene: Scene, content: bytes, code: str) -> None:
    """Of what was not imported it does not say that it was."""
    scene.queue.write_bytes(content)

    (error,) = [each["error"] for each in scene.migrate().document["sources"]]

    assert (error["code"], "imported" in error["fix"]["text"]) == (code, False)
    assert "copy" in error["fix"]["text"]
