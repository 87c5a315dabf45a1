"""Files of events, one a line: overflow of old programs, and logs under version control."""

import gzip
import json
import os
import shutil
from pathlib import Path

import pytest

from eventsync_adapters.legacy_queues._lines import LinesEmptying
from eventsync_core.legacy import RowKey
from eventsync_core.migration import _cleaning, _migrate
from tests.legacy.conftest import Scene
from tests.legacy.old import envelope

_POSIX = pytest.mark.skipif(os.name != "posix", reason="it is about POSIX modes and links")
LINES = Path(__file__).parents[3] / "shared" / "real-events" / "mission-events.jsonl.gz"


@pytest.fixture
def overflow(scene: Scene) -> Path:
    """Three lines, the second with a Windows end."""
    path = scene.place / "overflow-2026-02-02T02.jsonl"
    lines = [envelope("e1"), envelope("e2") + "\r", envelope("e3", fill="\u00e4" * 9)]
    path.write_bytes(("\n".join(lines) + "\n").encode())
    return path


def _meanwhile(monkeypatch: pytest.MonkeyPatch, module: object, name: str, act: object) -> None:
    """Let *act* happen just before the function *name* of *module* is called."""
    called = vars(module)[name]

    def after(*arguments: object, **more: object) -> object:
        assert callable(act)
        act()
        return called(*arguments, **more)

    monkeypatch.setattr(module, name, after)


@_POSIX
def test_it_is_emptied_in_place(scene: Scene, overflow: Path) -> None:
    """Inode, mode, size and line ends stay; blank lines are no rows."""
    overflow.chmod(0o640)
    before, size = overflow.stat(), overflow.stat().st_size

    ran = scene.migrate()

    after = overflow.stat()
    assert (ran.code, ran.document["removed"]) == (0, 3)
    assert (after.st_ino, after.st_mode, after.st_size) == (before.st_ino, before.st_mode, size)
    assert overflow.read_bytes().strip(b" ").split() == []
    assert overflow.read_bytes().count(b"\n") == 3
    assert overflow.read_bytes().count(b"\r\n") == 1
    assert [path.name for path in scene.place.glob("*overflow*")] == [overflow.name]
    again = scene.migrate().document["sources"][0]
    assert (again["unchanged"], again["rows"]) == (True, 0)
    assert scene.run("sync", "status").document["waiting_sources"] == []


@_POSIX
def test_a_link_stays_a_link(scene: Scene, overflow: Path, tmp_path: Path) -> None:
    """What it leads to is emptied."""
    real = tmp_path / "elsewhere.jsonl"
    overflow.rename(real)
    overflow.symlink_to(real)

    assert scene.migrate().document["removed"] == 3
    assert overflow.is_symlink()
    assert real.read_text().split() == []


@pytest.mark.parametrize("moment", ["resolve", "clean_up"])
def test_what_a_writer_appends_meanwhile_survives(
    scene: Scene, overflow: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """It holds the file open all the time, and its line is imported next."""
    with overflow.open("a") as writer:

        def append() -> None:
            writer.write(envelope("e4") + "\n")
            writer.flush()

        _meanwhile(monkeypatch, _migrate, moment, append)
        ran = scene.run("sync", "migrate")
        monkeypatch.undo()
        assert (ran.document["imported"], ran.document["removed"]) == (3, 3)
        assert overflow.read_text().split() == envelope("e4").split()
        assert scene.run("sync", "status").document["waiting_sources"][0]["rows"] == {"lines": 1}
        append()

    again = scene.migrate()
    assert (again.code, again.document["imported"], again.document["removed"]) == (0, 1, 2)


def test_a_line_that_comes_as_the_clean_up_ends(
    scene: Scene, overflow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is not hidden by what is noted then, not even with --keep-sources."""
    remove = _cleaning._remove

    def append(*arguments: object) -> None:
        remove(*arguments)  # type: ignore[arg-type]
        with overflow.open("a") as file:
            file.write(envelope("e4"))

    monkeypatch.setattr(_cleaning, "_remove", append)
    assert scene.run("sync", "migrate").document["imported"] == 3
    monkeypatch.undo()

    assert scene.run("sync", "migrate", "--keep-sources").document["imported"] == 1


def test_a_line_that_was_rewritten_meanwhile_stays(
    scene: Scene, overflow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only bytes that were imported are overwritten."""
    other = envelope("e9")
    assert len(other) == len(envelope("e1"))

    def rewrite() -> None:
        with overflow.open("r+") as file:
            file.write(other)

    _meanwhile(monkeypatch, _migrate, "resolve", rewrite)
    ran = scene.run("sync", "migrate")
    monkeypatch.undo()

    assert ran.document["removed"] == 2
    assert overflow.read_text().strip() == other
    assert scene.migrate().document["imported"] == 1


def test_a_last_line_without_an_end(scene: Scene, overflow: Path) -> None:
    """A whole event leaves, and what follows on the same line is a row of its own."""
    overflow.write_text(envelope("e1") + "\n" + envelope("e2"))

    assert scene.migrate().document["removed"] == 2
    with overflow.open("a") as file:
        file.write("\n" + envelope("e3") + envelope("e4"))
    with overflow.open("r+b") as raw:
        raw.seek(overflow.read_bytes().index(envelope("e3").encode()))
        raw.write(b" " * len(envelope("e3")))
    assert scene.migrate().document["imported"] == 1


def test_a_last_line_that_still_grows(scene: Scene, overflow: Path) -> None:
    """It is quarantined as it stands, stays, and is imported once it is whole."""
    half, rest = envelope("e2")[:20], envelope("e2")[20:]
    overflow.write_text(envelope("e1") + "\n" + half)

    ran = scene.migrate()
    assert (ran.code, ran.document["imported"], ran.document["removed"]) == (3, 1, 1)
    assert overflow.read_text().strip() == half.strip()

    with overflow.open("a") as file:
        file.write(rest + "\n")
    again = scene.migrate()
    assert (again.code, again.document["imported"], again.document["removed"]) == (0, 1, 1)


def test_a_clean_up_that_ends_half_way(
    scene: Scene, overflow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lines that are left are known, and leave with the next run."""
    blank = LinesEmptying._blank

    def fail(self: LinesEmptying, key: RowKey) -> bool:
        if key.row == 2:
            raise OSError(28, "No space left on device")
        return blank(self, key)

    monkeypatch.setattr(LinesEmptying, "_blank", fail)
    ran = scene.run("sync", "migrate")
    monkeypatch.undo()

    assert (ran.code, ran.document["error"]["code"]) == (3, "source_not_emptied")
    again = scene.migrate()
    assert (again.code, again.document["imported"], again.document["removed"]) == (0, 0, 2)


def test_a_line_that_was_overwritten_half(scene: Scene, overflow: Path) -> None:
    """As power that fails can leave it: it holds no event, and the store has all of it."""
    scene.migrate("--keep-sources")
    with overflow.open("r+b") as file:
        file.write(b" " * 30)

    assert scene.migrate().document["quarantined_count"] == 1
    assert scene.migrate("--take-quarantined").code == 0
    assert scene.entries()["e1"].event.text == envelope("e1")


@_POSIX
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may write all")
def test_a_file_that_may_not_be_written(scene: Scene, overflow: Path) -> None:
    """All is imported, and it is named."""
    overflow.chmod(0o400)

    ran = scene.run("sync", "migrate")

    assert (ran.document["imported"], ran.document["error"]["code"]) == (3, "source_not_emptied")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of a mission, as it lies in a repository."""
    path = tmp_path / "status.events.jsonl"
    record = {"at": "2026-04-28T08:43:33+00:00", "wp_id": "WP01", "to_lane": "done"}
    lines = [json.dumps({**record, "event_id": name}) for name in ("m1", "m2", "m1")]
    path.write_bytes(b"\xef\xbb\xbf" + ("\n".join(lines) + "\n").encode())
    return path


def test_a_log_under_version_control_is_never_changed(scene: Scene, log: Path) -> None:
    """It is read where it is named, and settled once all of it is accounted for."""
    before = log.read_bytes(), log.stat().st_mtime_ns

    assert scene.migrate("--from", str(log.parent)).document["imported"] == 0
    ran = scene.migrate("--from", str(log), "--project", "P1")
    again = scene.migrate("--from", str(log))

    assert (ran.code, ran.document["imported"], ran.document["deduplicated"]) == (0, 2, 1)
    assert (ran.document["removed"], ran.document["sources"][0]["kind"]) == (0, "event_log")
    assert (again.code, again.document["sources"][0]["unchanged"]) == (0, True)
    assert (log.read_bytes(), log.stat().st_mtime_ns) == before
    assert {entry.stream for entry in scene.entries().values()} == {"p1"}


def test_a_log_that_is_captured_too(scene: Scene, log: Path) -> None:
    """Comes out the same either way, so that each finds what the other stored."""
    assert scene.migrate("--from", str(log)).document["imported"] == 2

    captured = scene.run("capture", str(log)).document

    assert (captured["stored"], captured["duplicates"]) == (0, 3)


def test_a_log_with_lines_that_are_no_events(scene: Scene, log: Path) -> None:
    """They are kept; once they were taken, the log is settled, until it grows."""
    with log.open("a") as file:
        file.write("nonsense\n")

    assert scene.migrate("--from", str(log)).code == 3
    taken = scene.migrate("--from", str(log), "--take-quarantined")
    assert (taken.code, taken.document["removed"]) == (0, 0)
    assert scene.migrate("--from", str(log)).code == 0
    with log.open("a") as file:
        file.write('{"event_id": "m3"}\n')
    again = scene.migrate("--from", str(log))
    assert (again.code, again.document["imported"]) == (3, 1)


def test_any_other_file_of_lines_is_only_read(scene: Scene, overflow: Path) -> None:
    """Nobody knows what else it is for."""
    other = overflow.rename(overflow.with_name("saved.jsonl"))

    ran = scene.migrate("--from", str(other))

    assert (ran.document["imported"], ran.document["removed"]) == (3, 0)
    assert other.read_bytes().startswith(b"{")


@pytest.mark.long
@pytest.mark.skipif(not LINES.exists(), reason="../shared with real events is absent")
def test_a_real_log(scene: Scene, tmp_path: Path) -> None:
    """The same ids as a capture finds, and the same lines that are no events."""
    path = tmp_path / "status.events.jsonl"
    with gzip.open(LINES) as packed, path.open("wb") as file:
        shutil.copyfileobj(packed, file)

    ran = scene.run("sync", "migrate", "--from", str(path), "--resolve", "keep-journal")

    assert ran.document["imported"] == 14_115
    assert [row["row"] for row in ran.document["quarantined"]] == [14117, 14118, 14121]
    assert (ran.document["deduplicated"], ran.document["resolved"]) == (4, 1)
    assert scene.run("capture", str(path)).document["duplicates"] == 14_119
