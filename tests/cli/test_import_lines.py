"""`journal import` of what a stranger wrote: what its lines say of themselves must agree."""

import json
import sys
from hashlib import sha256
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from tests.cli.bad_input import check_told
from tests.cli.conftest import Run

Group = tuple[str, str, list[str]]


def archive(*groups: Group) -> str:
    """Return a sealed archive of groups: stream, positions and texts."""
    lines = []
    for stream, positions, texts in groups:
        digests = [sha256(text.encode()).hexdigest() for text in texts]
        manifest = {"version": 1, "stream": stream, "positions": positions, "digests": digests}
        lines += [json.dumps({"eventsync_manifest": manifest}), *texts]
    body = "".join(line + "\n" for line in lines)
    end = {"version": 1, "end": True, "events": sum(len(texts) for *_, texts in groups)}
    seal = {"eventsync_manifest": {**end, "digest": sha256(body.encode()).hexdigest()}}
    return body + json.dumps(seal) + "\n"


def texts(*ids: str, **more: object) -> list[str]:
    return [json.dumps({"event_id": event_id, **more}) for event_id in ids]


def told(event_id: str, item: dict[str, Any] | None = None, **row: object) -> str:
    """Return an event, and its history with one target."""
    target = {"kind": "external_receiver", "url": "https://x.example/y", "team": "", "user": ""}
    stands = {"outcome": "duplicate", "attempts": 1, "rejections": 1, "round": 1, "seen": True}
    said = {"at": 1, "outcome": "rejected", "reason": "no", "category": None, "act": None}
    history = [{**said, "actor": "", **(item or {})}]
    content = {"version": 1, "event_id": event_id, "held": None}
    content |= {"targets": [{**target, **stands, **row, "history": history}]}
    return f"{texts(event_id)[0]}\n{json.dumps({'eventsync_history': content})}\n"


@pytest.fixture
def taken(run: Run, tmp_path: Path) -> Any:
    """Return what becomes of an import of a text, with --dry-run the same."""

    def take(text: str) -> dict[str, Any]:
        path = tmp_path / "taken.jsonl"
        path.write_text(text)
        preview = run("journal", "import", str(path), "--dry-run", "--json").document
        found = run("journal", "import", str(path), "--json").document
        counts = ("stored", "refused_count", "duplicates", "brought_back")
        assert [preview[name] for name in counts] == [found[name] for name in counts]
        return dict(found)

    return take


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a file of Linux")
def test_a_medium_that_cannot_be_read(run: Run) -> None:
    """It is told as input that broke off, and nothing is stored."""
    ran = run("journal", "import", "/proc/self/mem", "--json")

    assert (ran.code, ran.document["stored"]) == (3, 0)
    assert ran.document["refused"][0]["code"] == "input_broke_off"


def test_standard_input_beside_a_file_of_its_name(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`-` is never the file, though that is a database."""
    monkeypatch.chdir(tmp_path)
    Path("-").write_bytes(b"SQLite format 3\0")
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b'{"event_id": "x"}\n')))

    assert run("journal", "import", "-", "--json").document["stored"] == 1


def test_the_captured_text_comes_back_wherever_it_stands(
    run: Run, taken: Any, tmp_path: Path
) -> None:
    """Among others of the same event, as the preview says."""
    exact, respelt = '{"event_id":"x","n":1}', '{ "event_id":"x","n":1}'
    taken(f"{exact}\n")
    for number, lines in enumerate(((exact, respelt), (respelt, exact))):
        gone = str(tmp_path / f"{number}.gz")
        assert run("sync", "archive", gone, "--include-undelivered").code == 0

        found = taken("".join(f"{line}\n" for line in lines))

        assert (found["brought_back"], found["duplicates"]) == (1, 1)
        assert run("journal", "export", "-").out == f"{exact}\n"


def test_an_archive_cannot_move_an_event(run: Run, taken: Any) -> None:
    """One that names its project goes nowhere else; one that names none goes where it says."""
    text = archive(("project-b", "1", texts("a", project_uuid="Project-A")))
    found = taken(text + archive(("project-b", "1", texts("b", project_uuid="Project-B"))))
    assert (found["stored"], found["refused_count"]) == (1, 1)
    assert found["streams"] == {"project-b": 1}
    assert "another stream" in found["refused"][0]["message"]

    assert taken(archive(("project-b", "1", texts("c"))))["streams"] == {"project-b": 1}
    check_told(run("journal", "show", "a"), 64, "event_unknown")


@pytest.mark.parametrize("stream", ["", "  UPPER ", "a\u202eb", "\ud800"])
def test_names_of_streams_that_nobody_could_give(taken: Any, stream: str) -> None:
    """Its events are refused, the next archive is taken in."""
    text = archive((stream, "1", texts("a"))) + archive(("b", "1", texts("b")))

    found = taken(text)

    assert (found["stored"], found["streams"]) == (1, {"b": 1})
    assert found["refused_count"] >= 1


@pytest.mark.parametrize("positions", ["1-300000000,300000000-2", "3,1-2", "1-2,2", "0-2", "2-1"])
def test_positions_that_cannot_be(taken: Any, positions: str) -> None:
    """They are refused before anybody counts them out."""
    found = taken(archive(("a", positions, texts("a", "b", "c"))))

    assert (found["stored"], found["refused_count"]) == (0, 5)


HUGE = 10**40 - 1


@pytest.mark.parametrize(
    ("line", "is_told"),
    [
        (told("a", {"at": HUGE}), True),
        (told("a", attempts=HUGE), True),
        (told("a", {"at": 2**62}), True),
        (told("a", attempts=-5), True),
        (told("a", round=0), True),
        (told("a", attempts=1).replace('"attempts": 1', '"attempts": 1e999'), True),
        (told("a", team="\ud800"), True),
        (told("a", {"reason": "\ud800"}), False),
    ],
)
def test_one_bad_history_harms_no_other_line(taken: Any, line: str, *, is_told: bool) -> None:
    """It is named, and the events are taken in."""
    found = taken(f"{texts('x')[0]}\n{line}{texts('y')[0]}\n")

    assert (found["stored"], found["refused_count"]) == (3, int(is_told))


def test_words_of_a_history_are_plain_and_short(run: Run, taken: Any) -> None:
    """Those of targets as if they came from these, those of persons as if given here."""
    said = {"reason": "\x1b[31m" + "z" * 1_000_000, "category": "\x1bc", "actor": "me\x1b"}
    taken(told("a", said))

    shown = run("journal", "show", "a")

    assert "\x1b" not in shown.out
    (item,) = run("journal", "show", "a", "--json").document["targets"][0]["history"]
    assert (len(item["reason"]), item["category"]) == (499, "c")


def test_archives_behind_one_another(taken: Any) -> None:
    """Each has an end of its own, and what stands behind it belongs to none."""
    first = archive(("a", "1-3", texts("a", "b", "c")))
    second = archive(("a", "1-2", texts("d", "e")))
    cut = "".join(second.splitlines(keepends=True)[:-1])

    found = taken(first + cut)
    assert (found["stored"], found["refused_count"]) == (5, 1)
    assert found["refused"][0]["code"] == "archive_broke_off"
    found = taken(first + second)
    assert (found["duplicates"], found["refused_count"]) == (5, 0)
    found = taken(first + texts("f")[0])
    assert (found["stored"], found["refused_count"]) == (0, 1)
    assert "no manifest" in found["refused"][0]["message"]
    found = taken(texts("g")[0] + "\n" + first)
    assert (found["stored"], found["refused_count"]) == (1, 0)
