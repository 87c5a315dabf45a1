"""The shell session in the README does what it shows."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from tests.docs.conftest import Block, blocks

_MARK = "-- end of step --"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00")


def _same(text: str) -> str:
    return _TIME.sub("TIME", text).strip()


def _steps(found: list[Block]) -> Iterator[tuple[str, str]]:
    """Yield the script and the output of each step."""
    for block, following in pairwise(found):
        if block.mark == "shell: session":
            assert following.kind == "text", "a step is followed by its output"
            yield block.text, following.text


@contextmanager
def _receiver(line: str) -> Iterator[tuple[str, str]]:
    """Run a `serve` of the README on a free port; yield the URL shown there and the real one."""
    words = shlex.split(line)
    assert words[:2] == ["eventsync", "serve"]
    place = words.index("--port") + 1
    shown, words[place] = f"http://127.0.0.1:{words[place]}", "0"
    with subprocess.Popen(
        [sys.executable, "-m", "eventsync_cli", *words[1:]],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            real = process.stdout.readline().strip()
            assert real, f"{line} did not start"
            yield shown, real
        finally:
            process.terminate()


def _with_urls(text: str, urls: Mapping[str, str]) -> str:
    for shown, real in urls.items():
        text = text.replace(shown, real)
    return text


@pytest.mark.skipif(sys.platform == "win32", reason="the session is written for a POSIX shell")
@pytest.mark.usefixtures("plain_environment")
def test_the_session_does_what_it_shows(root: Path) -> None:
    """Each step prints what stands below it, but for ports and times."""
    found = blocks(root / "README.md")
    steps = list(_steps(found))
    (receivers,) = (block.text for block in found if block.mark == "shell: receivers")
    script = "".join(f"{step}\necho '{_MARK}'\n" for step, _ in steps)
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))

    with ExitStack() as stack:
        serving = [stack.enter_context(_receiver(line)) for line in receivers.splitlines()]
        urls = dict(serving)
        ran = subprocess.run(
            ["bash", "-eu", "-c", _with_urls(script, urls)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            env={**os.environ, "PATH": path},
        )

    assert ran.returncode == 0, ran.stdout
    printed = ran.stdout.split(f"{_MARK}\n")[:-1]
    assert len(steps) >= 4
    assert [_same(text) for text in printed] == [_same(_with_urls(text, urls)) for _, text in steps]


def test_both_commands_stand_under_their_marks(root: Path) -> None:
    """The first runs the demonstration, the second all tests; `.ci/run` looks for the second."""
    marked = {block.mark: block.text for block in blocks(root / "README.md")}
    start = "python3 -m venv .venv && .venv/bin/python -m pip install -q"

    assert marked["command: demo"] == f"{start} . && .venv/bin/eventsync demo\n"
    assert marked["command: test"] == f"{start} -e '.[dev]' && .venv/bin/python -m pytest\n"
