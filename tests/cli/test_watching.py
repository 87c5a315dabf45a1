"""`sync status` draws a bar for each target, and with --watch looks again and again."""

import errno
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsync_adapters.server import Serving
from eventsync_cli.bars import bar, shares
from eventsync_cli.watching import watch
from eventsync_core.census import Class
from eventsync_core.errors import OutputLostError
from eventsync_core.receivers import Script
from eventsync_core.status import TargetStatus, collect
from tests.cli.conftest import Run
from tests.cli.gates import EXTERNAL
from tests.core.status.test_status import AT, FIRST, SETTING, _stores

PROGRAM = (sys.executable, "-m", "eventsync_cli")


@given(st.lists(st.integers(0, 10**7), min_size=3, max_size=3), st.integers(10, 200))
def test_every_part_that_is_there_is_seen(counts: list[int], cells: int) -> None:
    """All cells are used, nothing that is not there gets one, more never gets less."""
    found = shares(counts, cells)

    assert sum(found) == (cells if any(counts) else 0)
    for count, share in zip(counts, found, strict=True):
        assert (share > 0) is (count > 0)
    pairs = sorted(zip(counts, found, strict=True))
    assert [share for _, share in pairs] == sorted(share for _, share in pairs)


def _status(delivered: int, owed: int, rejected: int) -> TargetStatus:
    (target,) = collect(_stores(1, FIRST), SETTING, at=AT).targets
    (stream,) = target.streams
    classes = dict.fromkeys(Class, 0) | {
        Class.DELIVERED: delivered,
        Class.OWED: owed,
        Class.REJECTED: rejected,
    }
    changed = attrs.evolve(stream, classes=classes, remaining_owed=owed + rejected)
    return attrs.evolve(target, streams=(changed,))


@pytest.mark.parametrize("width", [20, 21, 40, 79, 80, 200])
def test_a_bar_fits(width: int) -> None:
    """It is never wider than the terminal, nor than forty cells."""
    drawn = bar(_status(70, 20, 10), width)

    assert len(drawn) == min(width, 46)
    assert re.fullmatch(r"    \[#+-+!+\]", drawn)


def test_one_stuck_event_of_a_million_is_seen() -> None:
    """And where there is nothing there is no bar."""
    assert bar(_status(999_999, 0, 1), 80).endswith("#!]")
    assert bar(_status(0, 0, 0), 80) == ""
    assert bar(_status(5, 0, 0), 30) == f"    [{'#' * 24}]"


def test_a_bar_stands_below_its_target(run: Run, events: Path, receiver: Serving) -> None:
    """In plain signs where no terminal is."""
    run("capture", str(events))
    receiver.set_script(Script(events={"e1": {"status": "rejected"}}))
    run(*EXTERNAL, receiver.url)
    run("sync", "now")

    lines = run("sync", "status").out.splitlines()

    (place,) = [number for number, line in enumerate(lines) if line.startswith("* ")]
    assert lines[place].endswith("delivered 19  owed 1 (1 stuck)  failed 0")
    assert lines[place + 1] == f"    [{'#' * 38}!!]"
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize(
    "words",
    [("--watch", "--json"), ("--watch", "--check"), ("--interval", "2"), ("--interval", "0")],
)
def test_what_makes_no_sense_is_refused(run: Run, words: tuple[str, ...]) -> None:
    """A stream has no JSON, and an interval needs one."""
    assert run("sync", "status", *words).code == 64


class _Seen(list[Sequence[str]]):
    """What was painted, and for how long somebody slept; wakes up to an end."""

    def __init__(self, error: BaseException, after: int) -> None:
        super().__init__()
        self.error, self.left = error, after
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.left -= 1
        if not self.left:
            raise self.error


def test_it_looks_again_until_it_is_interrupted() -> None:
    """What was seen last is returned."""
    seen, looks = _Seen(KeyboardInterrupt(), 3), iter(range(9))

    last = watch(lambda: [str(next(looks))], seen.append, seconds=5, sleep=seen.sleep)

    assert (list(seen), list(last), seen.slept) == ([["0"], ["1"], ["2"]], ["2"], [5, 5, 5])


def _lost(cause: Exception) -> Callable[[Sequence[str]], None]:
    def paint(_: Sequence[str]) -> None:
        raise OutputLostError("lost") from cause

    return paint


def test_a_reader_that_went_away_ends_it() -> None:
    """A disk that is full is an error."""
    watch(lambda: ["x"], _lost(BrokenPipeError()), seconds=1, sleep=time.sleep)
    with pytest.raises(OutputLostError):
        watch(lambda: ["x"], _lost(OSError(errno.ENOSPC, "full")), seconds=1, sleep=time.sleep)


@pytest.mark.usefixtures("home")
def test_a_pipe_gets_one_picture_after_another(run: Run, events: Path) -> None:
    """With the time of each; closing it ends the command well."""
    run("capture", str(events))
    words = (*PROGRAM, "sync", "status", "--watch", "--interval", "1")
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as watching:
        assert watching.stdout is not None
        lines: list[bytes] = []
        while sum(b"Event Sync:" in line for line in lines) < 2:
            lines.append(watching.stdout.readline())
        watching.stdout.close()
        assert watching.stderr is not None
        assert watching.stderr.read() == b""
        assert watching.wait(20) == 0

    assert re.match(rb"20\d\d-\d\d-\d\dT", lines[0])
    assert any(re.match(rb"  Retained events +20$", line) for line in lines)


@contextmanager
def _terminal(*words: str) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """Run a command in a terminal of 100 columns and yield it with the terminal's other end."""
    pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (30, 100))
    environment = {**os.environ, "TERM": "xterm-256color"}
    process = subprocess.Popen(
        (*PROGRAM, *words), stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _read(terminal: int, until: bytes) -> bytes:
    """Return what a terminal shows, up to those bytes or its end."""
    found = b""
    # Its end is an error on Linux.
    with suppress(OSError):
        while until not in found and select.select([terminal], [], [], 20)[0]:
            piece = os.read(terminal, 65_536)
            if not piece:
                break
            found += piece
    return found


@pytest.mark.parametrize("is_colored", [True, False])
def test_colours_are_for_terminals_that_want_them(
    run: Run,
    events: Path,
    receiver: Serving,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_colored: bool,
) -> None:
    """NO_COLOR is heard."""
    run("capture", str(events))
    run(*EXTERNAL, receiver.url)
    if not is_colored:
        monkeypatch.setenv("NO_COLOR", "1")

    with _terminal("sync", "status") as (_, terminal):
        shown = _read(terminal, b"\x00")

    assert b"-" * 40 in shown
    assert (b"\x1b[33m" in shown) is is_colored
    assert (b"\x1b" in shown) is is_colored


def test_a_terminal_is_as_it_was_after_an_interrupt(run: Run, events: Path) -> None:
    """What was seen last stands there, and the exit code is that of a good end."""
    run("capture", str(events))
    with _terminal("sync", "status", "--watch", "--interval", "1") as (process, terminal):
        shown = _read(terminal, b"Terminal failures")
        assert b"\x1b[?1049h" in shown
        process.send_signal(signal.SIGINT)
        after = _read(terminal, b"\x00")
        assert process.wait(20) == 0

    _, left, below = after.partition(b"\x1b[?1049l")
    assert left
    assert b"Retained events           20" in below
    assert b"Traceback" not in after
