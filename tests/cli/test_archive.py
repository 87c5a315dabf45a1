"""`sync archive` and `journal import`: what went comes back, byte for byte."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from eventsync import open_store
from eventsync_adapters.server import Serving
from eventsync_cli.commands import sync_archive
from tests.cli.bad_input import check_told, launched
from tests.cli.conftest import Run
from tests.cli.test_export import ODD, digests


@pytest.fixture
def delivered(run: Run, events: Path, tmp_path: Path, receiver: Serving) -> Run:
    """Return how to run a command in a home with 20 delivered events, and odd ones."""
    odd = tmp_path / "odd.jsonl"
    odd.write_bytes(ODD.encode())
    run("capture", str(events))
    run("capture", str(odd), "--project", "odd")
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    run("target", "grant", "--project", "odd")
    run("sync", "now")
    return run


def kept(run: Run) -> str:
    return run("journal", "export", "-", "--all-projects").out


@pytest.mark.requirement("J5")
@pytest.mark.requirement("S10")
def test_it_moves_and_comes_back(delivered: Run, tmp_path: Path) -> None:
    """Retained falls, archived grows, the ledger stays; a second run does nothing."""
    out = tmp_path / "a.jsonl.gz"
    before, known = kept(delivered), digests(delivered)
    delivery = delivered("sync", "status", "--json").document["delivery_ledger"]

    preview = delivered("sync", "archive", str(out), "--project", "default", "--dry-run", "--json")
    assert not out.exists()
    done = delivered("sync", "archive", str(out), "--project", "default", "--json").document
    again = delivered("sync", "archive", str(tmp_path / "b"), "--project", "default", "--json")

    assert (done["archived"], done["undelivered"], done["dry_run"]) == (20, 0, False)
    assert done["written"] == preview.document["written"] == 20
    for name in ("archived", "archived_bytes", "undelivered", "skipped", "streams", "retained"):
        assert preview.document[name] == done[name]
    assert preview.document["file_bytes_after"] is None
    assert done["retained"] == again.document["retained"] == before.count("\n") - 20
    assert (again.document["archived"], again.document["file"]) == (0, None)
    assert not (tmp_path / "b").exists()
    assert digests(delivered) == known
    assert delivered("journal", "verify").code == 0
    shown = delivered("journal", "show", "e1", "--json").document
    assert (shown["purged"]["act"], shown["purged"]["detail"]) == ("archive", str(out))
    assert [each["outcome"] for each in shown["targets"]] == ["success"]

    gone = delivered("audit", "purges", "--json").document
    assert (gone["purged_count"], gone["archived_count"]) == (20, 20)

    status = delivered("sync", "status", "--json").document
    journal = status["event_journal"]
    assert journal["retained_event_count"] == done["retained"]
    assert journal["journal_size_bytes"] == done["journal_size_bytes_after"]
    assert journal["archived_event_count"] == 20
    assert status["delivery_ledger"] == delivery
    assert "Archived events" in delivered("sync", "status").out

    back = delivered("journal", "import", str(out), "--json")

    assert (back.code, back.document["brought_back"], back.document["stored"]) == (0, 20, 0)
    assert kept(delivered) == before
    journal = delivered("sync", "status", "--json").document["event_journal"]
    assert (journal["archived_event_count"], journal["retained_event_count"]) == (
        0,
        before.count("\n"),
    )
    assert delivered("journal", "show", "e1", "--json").document["purged"] is None
    once_more = delivered("journal", "import", str(out), "--json").document
    assert (once_more["brought_back"], once_more["duplicates"]) == (0, 20)


def test_equal_archives_are_equal_files(delivered: Run, tmp_path: Path) -> None:
    """Neither name nor time stands in them, and lines are those of an export."""
    one, two = tmp_path / "one.gz", tmp_path / "two.gz"
    exported = delivered("journal", "export", "-").out.splitlines()
    delivered("sync", "archive", str(one), "--project", "default")
    delivered("journal", "import", str(one))
    delivered("sync", "archive", str(two), "--project", "default")

    assert one.read_bytes() == two.read_bytes()
    lines = gzip.decompress(one.read_bytes()).decode().splitlines()
    assert [line for line in lines if "eventsync_manifest" not in line] == exported
    first, last = json.loads(lines[0]), json.loads(lines[-1])
    assert first["eventsync_manifest"]["positions"] == "1-20"
    assert last["eventsync_manifest"]["events"] == 20


def test_undelivered_events_are_never_hidden(run: Run, events: Path, tmp_path: Path) -> None:
    """Refused, and with the option counted for ever as what they are."""
    out = tmp_path / "a.gz"
    run("capture", str(events))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", "http://127.0.0.1:9/x")
    run("target", "grant")

    check_told(run("sync", "archive", str(out)), 4, "undelivered")
    refused = run("sync", "archive", str(out), "--json").document
    assert refused["archived"] == refused["owed_targets_count"] == refused["streams_count"] == 0
    assert (out.exists(), kept(run)) == (False, events.read_text())
    dry = run("sync", "archive", str(out), "--dry-run", "--include-undelivered", "--json")
    done = run("sync", "archive", str(out), "--include-undelivered", "--json").document

    assert dry.document["undelivered"] == done["undelivered"] == done["archived"] == 20
    (grant,) = run("target", "show", "--json").document["grants"]
    assert grant["classes"]["archived_or_purged_undelivered"] == 20
    assert run("journal", "import", str(out), "--json").document["brought_back"] == 20
    (grant,) = run("target", "show", "--json").document["grants"]
    assert (grant["classes"]["archived_or_purged_undelivered"], grant["remaining_owed"]) == (0, 20)


def test_what_another_target_is_still_owed_is_told(delivered: Run, tmp_path: Path) -> None:
    """With --target another need not have it: who is owed how many, before and after."""
    first = delivered("target", "show", "--json").document["target_id"]
    delivered("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", "http://127.0.0.1:9/x")
    second = delivered("target", "show", "--json").document["target_id"]
    words = ("sync", "archive", str(tmp_path / "a.gz"), "--project", "default", "--target", first)

    preview = delivered(*words, "--dry-run", "--json").document
    said = delivered(*words).out

    assert (preview["undelivered"], preview["owed_targets"]) == (0, {second: 20})
    assert f"target {second} was still owed 20 of them" in said
    assert delivered("target", "show", "--json").document["remaining_owed"] == 0


@pytest.mark.parametrize(
    ("step", "written", "words"), [("_opened", 0, ("--json",)), ("_lines", 20, ())]
)
def test_what_another_took_away_meanwhile(
    delivered: Run,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    written: int,
    words: tuple[str, ...],
) -> None:
    """Nothing goes by this one, but its file is made, and named with what it holds."""
    out, real = tmp_path / "a.gz", getattr(sync_archive, step)

    def late(*values: Any) -> Any:
        assert launched(home, "sync", "gc", "--apply", "--project", "default").code == 0
        return real(*values)

    monkeypatch.setattr(sync_archive, step, late)
    ran = delivered("sync", "archive", str(out), "--project", "default", *words)

    if words:
        said = [ran.document[key] for key in ("file", "archived", "written")]
        assert said == [str(out), 0, written]
    else:
        assert f"{out} holds {written} events; {written} of them stayed here or went" in ran.out
    lines = gzip.decompress(out.read_bytes()).splitlines()
    assert json.loads(lines[-1])["eventsync_manifest"]["events"] == written


def test_a_file_that_is_there_stays(delivered: Run, home: Path, tmp_path: Path) -> None:
    """Another archive, or the home's own: nothing is replaced, nothing goes."""
    out = tmp_path / "a.gz"
    out.write_text("before")
    before = kept(delivered)

    named = ("--project", "default")
    there = delivered("sync", "archive", str(out), *named)
    check_told(there, 64, "output_exists")
    assert "fix: name another file\n" in there.err
    check_told(delivered("sync", "archive", "-", *named), 64, "output_unusable")
    assert not Path("-").exists()
    own = str(home / "eventsync" / "eventsync.db")
    check_told(delivered("sync", "archive", own, *named), 64, "output_unusable")

    assert (out.read_text(), kept(delivered)) == ("before", before)


def test_what_was_not_read_back_stays(
    delivered: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that does not hold what was written lets nothing go."""
    before = kept(delivered)
    monkeypatch.setattr("eventsync_adapters.files.zipped.ZippedFile.write", lambda self, text: None)

    ran = delivered("sync", "archive", str(tmp_path / "a.gz"), "--project", "default")

    assert ran.code == 5
    assert kept(delivered) == before


def test_into_a_new_home(delivered: Run, tmp_path: Path) -> None:
    """Unknown events are captured where they stood: the same positions and digests."""
    out = tmp_path / "a.gz"
    known = digests(delivered)
    delivered("sync", "archive", str(out), "--include-undelivered")
    there = ("--home", str(tmp_path / "other"))

    preview = delivered(*there, "journal", "import", str(out), "--dry-run", "--json").document
    assert not (tmp_path / "other").exists()
    done = delivered(*there, "journal", "import", str(out), "--json").document

    assert {**preview, "dry_run": False} == done
    assert done["stored"] == len(known)
    assert digests(lambda *words: delivered(*there, *words)) == known


def test_conflicts_and_damage_are_named(delivered: Run, tmp_path: Path) -> None:
    """Line by line, and all others are taken in."""
    path = tmp_path / "bad.jsonl"
    path.write_text(
        '{"event_id":"e1","other":1}\n'
        "no json\n"
        '{"event_id":"new"}\n'
        '{"event_id":"x","eventsync_text":5}\n'
        '{"eventsync_manifest":{"version":99}}\n'
    )

    for words in (("--dry-run",), ()):
        ran = delivered("journal", "import", str(path), *words, "--json")
        assert (ran.code, ran.document["error"]["code"]) == (3, "lines_left")
        assert ran.document["stored"] == 1
        assert [each["line"] for each in ran.document["conflicts"]] == [1]
        assert [each["line"] for each in ran.document["refused"]] == [2, 4, 5]


def test_an_archive_that_was_changed(delivered: Run, tmp_path: Path) -> None:
    """An event that is not the one it names is refused; a lost end is told."""
    out, bad = tmp_path / "a.gz", tmp_path / "bad.jsonl"
    delivered("sync", "archive", str(out), "--project", "default")
    lines = gzip.decompress(out.read_bytes()).decode().splitlines(keepends=True)
    lines[3] = lines[3].replace('"n": 2', '"n": 9')
    bad.write_text("".join(lines[:-1]))

    ran = delivered("journal", "import", str(bad), "--json")

    assert (ran.code, ran.document["brought_back"]) == (3, 19)
    assert [each["code"] for each in ran.document["refused"]] == ["not_json", "archive_broke_off"]
    assert delivered("journal", "import", str(out), "--json").document["brought_back"] == 1


def test_a_purged_text_in_another_spelling(delivered: Run, tmp_path: Path) -> None:
    """It is a duplicate, and is not put back: its bytes are not those that were captured."""
    delivered("sync", "gc", "--apply", "--project", "default")
    path = tmp_path / "respelt.jsonl"
    path.write_text('{ "n": 1,  "event_id": "e1"}\n')

    done = delivered("journal", "import", str(path), "--json").document

    assert (done["brought_back"], done["duplicates"]) == (0, 1)
    assert delivered("journal", "show", "e1", "--json").document["text"] is None


def test_a_project_of_any_length_comes_back(run: Run, events: Path, tmp_path: Path) -> None:
    """Whatever name capture takes, import does too."""
    out = tmp_path / "out.gz"
    assert run("--project", "y" * 1_200, "capture", str(events)).code == 0
    assert run("sync", "archive", str(out), "--include-undelivered").code == 0

    ran = run("journal", "import", str(out), "--json")

    assert (ran.code, ran.document["brought_back"]) == (0, 20)


@pytest.mark.long
def test_an_event_that_no_line_of_capture_could_bring_comes_back(
    run: Run, home: Path, tmp_path: Path
) -> None:
    """A host captured it; what can be stored can be archived and imported."""
    out = tmp_path / "big.gz"
    with open_store(home) as store:
        store.capture({"event_id": "big", "payload": "x" * (65 * 1024 * 1024)})

    assert run("sync", "archive", str(out), "--include-undelivered").code == 0
    assert run("journal", "import", str(out), "--json").document["restored"] == 1
