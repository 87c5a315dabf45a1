"""`journal export`: what was captured goes out as it is stored, whole or not at all."""

import contextlib
import io
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from eventsync import open_store
from eventsync_cli.__main__ import main
from tests.cli.bad_input import PROGRAM, check_told, keeps, launched
from tests.cli.conftest import Ran, Run
from tests.cli.test_journal_cases import LINES
from tests.cli.test_output_lost import FULL, needs_full

ODD = "".join(f"{line}\n" for line in LINES)


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """Events whose bytes a careless program would change; the last is held."""
    path = tmp_path / "odd.jsonl"
    path.write_bytes(ODD.encode())
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Return where an export goes, in a folder that is empty."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / "export.jsonl"


def names(out: Path) -> list[str]:
    """Return what stands where the export goes."""
    return sorted(each.name for each in out.parent.iterdir())


def digests(run: Run) -> list[tuple[str, int, str, str]]:
    """Return what every event is known by."""
    entries = run("journal", "list", "--limit", "1000", "--json").document["entries"]
    found = [run("journal", "show", each["event_id"], "--json").document for each in entries]
    return [(each["stream"], each["position"], each["digest"], each["chain"]) for each in found]


@pytest.mark.parametrize("to", ["file", "stdout"])
def test_every_envelope_as_it_is_stored(run: Run, odd: Path, out: Path, to: str) -> None:
    """Held ones too; stdout has nothing but the lines, stderr says how many."""
    run("capture", str(odd))

    ran = run("journal", "export", str(out) if to == "file" else "-")

    place = f" to {out}" if to == "file" else ""
    assert (ran.code, ran.err) == (0, f"exported 6 events of 1 stream (default){place}\n")
    assert (out.read_text("utf-8") if to == "file" else ran.out) == ODD
    assert ran.out == ("" if to == "file" else ODD)
    assert names(out) == (["export.jsonl"] if to == "file" else [])


def test_it_comes_back_as_it_was(run: Run, odd: Path, out: Path, tmp_path: Path) -> None:
    """Captured into a new home: the same digests and chain, and the same export."""
    run("capture", str(odd))
    before = digests(run)
    run("journal", "export", str(out))
    there = ("--home", str(tmp_path / "other"))

    assert run(*there, "capture", str(out), "--json").document["stored"] == len(LINES)

    assert digests(lambda *words: run(*there, *words)) == before
    assert run(*there, "journal", "export", "-").out == ODD
    assert run(*there, "journal", "verify").code == 0


def _capture_three_streams(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "one.jsonl"
    for name, project in (("n1", None), ("m1", "M"), ("a1", "a")):
        path.write_text(f'{{"event_id":"{name}"}}\n')
        run("capture", str(path), *(["--project", project] if project else []))


def test_one_stream_or_all(run: Run, tmp_path: Path) -> None:
    """That of --project, else `default`; the streams that are left are counted."""
    _capture_three_streams(run, tmp_path)

    default = run("journal", "export", "-")
    named = run("journal", "export", "-", "--project", "m")
    every = run("journal", "export", "-", "--all-projects")

    assert default.out == '{"event_id":"n1"}\n'
    assert default.err.splitlines() == [
        "exported 1 event of 1 stream (default)",
        "left out: 2 other streams; --project KEY names one, --all-projects takes all",
    ]
    assert (named.out, "1 stream (m)" in named.err) == ('{"event_id":"m1"}\n', True)
    assert every.out == "".join(f'{{"event_id":"{name}"}}\n' for name in ("a1", "n1", "m1"))
    assert every.err == "exported 3 events of 3 streams\n"


def test_a_text_with_a_line_break_is_carried(run: Run, home: Path, out: Path) -> None:
    """And so is one that looks as if it carried another."""
    texts = ['{"event_id":"e1",\r\n"n":1.50}', '{"event_id":"e2","eventsync_text":"{}"}']
    with open_store(home) as store:
        store.capture_many([*texts, '{"event_id":"e3"}'])

    assert run("journal", "export", str(out)).code == 0

    first, second, third = out.read_text().splitlines()
    assert json.loads(first) == {"event_id": "e1", "eventsync_text": texts[0]}
    assert json.loads(second) == {"event_id": "e2", "eventsync_text": texts[1]}
    assert third == '{"event_id":"e3"}'


@pytest.mark.parametrize("words", [(), ("--all-projects",)])
def test_a_home_that_is_not_there(run: Run, home: Path, out: Path, words: tuple[str, ...]) -> None:
    """Nothing is exported, and nothing made; what was exported before stays."""
    out.write_text("before\n")

    to_file = run("journal", "export", str(out), *words)
    to_stdout = run("journal", "export", "-", *words)

    assert (to_file.code, to_stdout.code, to_stdout.out) == (0, 0, "")
    assert "export.jsonl is not made" in to_file.err
    assert f"nothing is stored yet: {home}" in to_file.err
    assert out.read_text() == "before\n"
    assert not home.exists()


@pytest.mark.parametrize("is_there", [True, False])
@pytest.mark.parametrize("has_home", [True, False])
def test_nothing_by_force(
    run: Run, home: Path, events: Path, out: Path, *, is_there: bool, has_home: bool
) -> None:
    """What was asked for is the export of now, which is empty; none of before is left."""
    if has_home:
        run("capture", str(events))
    if is_there:
        out.write_text("before\n")

    ran = run("journal", "export", str(out), "--project", "p", "--force")

    assert (ran.code, out.read_bytes(), names(out)) == (0, b"", ["export.jsonl"])
    assert f"exported 0 events of 0 streams (p) to {out}" in ran.err
    assert home.exists() is has_home


def test_a_stream_that_is_not_there(run: Run, events: Path, out: Path) -> None:
    """No file is made either."""
    run("capture", str(events))

    ran = run("journal", "export", str(out), "--project", "typo")

    assert (ran.code, names(out)) == (0, [])
    assert "exported 0 events of 0 streams (typo)" in ran.err
    assert "left out: 1 other stream" in ran.err


def test_a_file_that_is_there_stays(run: Run, events: Path, out: Path) -> None:
    """Without --force."""
    run("capture", str(events))
    out.write_text("before\n")

    check_told(run("journal", "export", str(out)), 64, "output_exists")

    assert (out.read_text(), names(out)) == ("before\n", ["export.jsonl"])
    assert run("journal", "export", str(out), "--force").code == 0
    assert out.read_text() == events.read_text()


@pytest.mark.parametrize("part", ["", "-journal", "-wal", "-shm"])
def test_the_database_is_never_replaced(run: Run, home: Path, events: Path, part: str) -> None:
    """Under none of its names, however it is spelt."""
    run("capture", str(events))
    place = home / "eventsync" / ".." / "eventsync" / f"eventsync.db{part}"

    check_told(run("journal", "export", str(place), "--force"), 64, "output_unusable")

    keeps(run, 20)


@pytest.mark.parametrize("part", ["config.toml", "eventsync/revoked/x", "eventsync/new.jsonl"])
def test_what_is_the_homes_own_is_never_written(
    run: Run, home: Path, events: Path, part: str
) -> None:
    """Neither replaced nor made."""
    run("capture", str(events))
    run("sync", "mode", "LOCAL_RETENTION")
    (home / "eventsync" / "revoked").mkdir(exist_ok=True)
    before = sorted(home.rglob("*"))
    config = (home / "config.toml").read_bytes()

    check_told(run("journal", "export", str(home / part), "--force"), 64, "output_unusable")

    assert (sorted(home.rglob("*")), (home / "config.toml").read_bytes()) == (before, config)


@pytest.mark.parametrize("place", ["no/such/folder", "events.jsonl/x", "."])
def test_a_place_that_is_none(
    run: Run, events: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named, with what helps."""
    run("capture", str(events))
    monkeypatch.chdir(events.parent)

    check_told(run("journal", "export", place, "--force"), 64, "output_unusable")


def test_a_host_that_takes_stdout(run: Run, events: Path) -> None:
    """It gets the lines, whether or not it takes bytes."""
    run("capture", str(events))
    text, binary = io.StringIO(), io.BytesIO()

    for taker in (text, io.TextIOWrapper(binary, "ascii")):
        with contextlib.redirect_stdout(taker):
            assert main(["journal", "export", "-"]) == 0

    assert (text.getvalue(), binary.getvalue()) == (events.read_text(), events.read_bytes())


def test_it_is_a_stream(run: Run, events: Path, out: Path) -> None:
    """And refuses --json, in one object."""
    run("capture", str(events))

    ran = run("journal", "export", str(out), "--json")

    assert (ran.code, ran.document["error"]["code"], names(out)) == (64, "usage", [])


def test_two_ways_to_choose(run: Run, out: Path) -> None:
    """One stream and all of them cannot both be meant."""
    check_told(run("journal", "export", "-", "--project", "p", "--all-projects"), 64, "usage")


def _export(home: Path, stdout: int, **environment: str) -> Ran:
    done = subprocess.run(
        [*PROGRAM, "--home", str(home), "journal", "export", "-"],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    return Ran(done.returncode, "", done.stderr)


@needs_full
@pytest.mark.parametrize("environment", [{}, {"PYTHONUNBUFFERED": "1"}])
def test_a_full_disk_behind_stdout(
    run: Run, home: Path, events: Path, environment: dict[str, str]
) -> None:
    """It is exit 5, and told once."""
    run("capture", str(events))

    with FULL.open("wb") as full:
        ran = _export(home, full.fileno(), **environment)

    check_told(ran, 5, "output_lost")
    assert ran.err.count("No space left on device") == 1


def test_a_reader_that_left(run: Run, home: Path, events: Path) -> None:
    """It lacks the rest, so the export failed."""
    run("capture", str(events))
    reading, writing = os.pipe()
    os.close(reading)

    ran = _export(home, writing)
    os.close(writing)

    check_told(ran, 5, "output_lost")
    assert len(ran.err.splitlines()) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
def test_a_reader_that_does_not_read_on(run: Run, home: Path) -> None:
    """Whoever waits for it can be told to end, and does not wait for it then."""
    with open_store(home) as store:
        store.capture_many([{"event_id": f"e{n}", "x": "." * 1_000} for n in range(3_000)])
    words = [*PROGRAM, "journal", "export", "-"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as exporting:
        assert exporting.stdout is not None
        assert exporting.stderr is not None
        exporting.stdout.read(1)

        exporting.terminate()

        assert exporting.wait(30) == 3
        assert exporting.stderr.read().splitlines()[0].endswith(b"[interrupted]")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
@pytest.mark.parametrize(
    ("to", "unbuffered"),
    [
        ("file", ""),
        ("stdout", "1"),
        pytest.param("file", "1", marks=pytest.mark.long),
        pytest.param("stdout", "", marks=pytest.mark.long),
    ],
)
def test_a_disk_that_fills_up(
    run: Run, home: Path, out: Path, to: str, unbuffered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the midst of it: the file is not made, and the one before it stays."""
    out.write_text("before\n")
    with open_store(home) as store:
        store.capture_many([{"event_id": f"e{n}", "x": "." * 1_000} for n in range(500)])
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    program = 'ulimit -f 300; exec "$@"' + (f' > "{out}.2"' if to == "stdout" else "")
    words = ["-"] if to == "stdout" else [str(out), "--force"]

    ran = launched(home, "journal", "export", *words, through=("sh", "-c", program, "sh"))

    check_told(ran, 5, "output_lost")
    assert out.read_text() == "before\n"
    assert names(out) == ["export.jsonl", *(["export.jsonl.2"] if to == "stdout" else [])]
    keeps(run, 500)


def test_events_that_are_captured_meanwhile(run: Run, home: Path, tmp_path: Path) -> None:
    """They are in it or not, but what is in it is whole and in order."""
    many = tmp_path / "many.jsonl"
    lines = [f'{{"event_id":"{n}","x":"{"." * 500}"}}\n' for n in range(6_000)]
    many.write_text("".join(lines[:100]))
    run("capture", str(many))
    many.write_text("".join(lines[100:]))
    counts: list[int] = []
    with subprocess.Popen(
        [*PROGRAM, "capture", str(many)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as capturing:
        while not counts or capturing.poll() is None:
            found = run("journal", "export", "-").out.splitlines(keepends=True)
            assert found == lines[: len(found)]
            counts.append(len(found))

    assert counts == sorted(counts)
    assert run("journal", "export", "-").out == "".join(lines)


def test_a_text_that_was_changed(run: Run, home: Path, events: Path, out: Path) -> None:
    """It is named and left out; all others go out."""
    run("capture", str(events))
    with closing(sqlite3.connect(home / "eventsync" / "eventsync.db")) as database, database:
        database.execute("DROP TRIGGER payloads_never_change")
        database.execute("UPDATE payloads SET text = text || ' ' WHERE entry_id = 7")

    ran = check_told(run("journal", "export", str(out)), 3, "damaged_left_out")

    assert "default:7  e6  the stored text is not the one that was captured" in ran.err
    assert len(out.read_text().splitlines()) == 19


def test_a_text_that_is_gone(run: Run, home: Path, events: Path, out: Path) -> None:
    """It is counted and exits 3; the command that is named tells where."""
    run("capture", str(events))
    with closing(sqlite3.connect(home / "eventsync" / "eventsync.db")) as database, database:
        database.execute("DROP TRIGGER payloads_go_on_record")
        database.execute("DELETE FROM payloads WHERE entry_id = 7")

    ran = check_told(run("journal", "export", str(out)), 3, "damaged_left_out")

    assert "1 event" in ran.err
    assert len(out.read_text().splitlines()) == 19
    assert "fix: eventsync journal verify" in ran.err
    assert "position 7: the payload is missing" in run("journal", "verify").out
