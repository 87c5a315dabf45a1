"""What the page "What leaves the machine" lists is what is stored and sent."""

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from eventsync_adapters.files import check_reference
from eventsync_adapters.sqlite import open_stores
from eventsync_cli.__main__ import main
from eventsync_core.receivers import Gate
from tests.cli.listeners import Heard, accept, listening
from tests.docs.conftest import blocks, table
from tests.docs.test_readme_shell import _MARK, _receiver, _same, _steps, _with_urls

_WORD = re.compile(r"`([^`]+)`")
_TARGET = re.compile(r"tgt_[0-9a-f]+")
_NO_TABLES = {"revoked/", "config.toml"}


@pytest.fixture
def page(root: Path) -> Path:
    return root / "docs/what-leaves-the-machine.md"


def test_every_gate_is_listed(page: Path) -> None:
    """And nothing else as one."""
    assert {row[0] for row in table(page, "gates")} == {gate.value for gate in Gate}


def test_everything_that_is_stored_is_listed(page: Path, tmp_path: Path) -> None:
    """Each table of the database stands there, and no other."""
    with open_stores(tmp_path / "x.db"):
        pass
    with closing(sqlite3.connect(tmp_path / "x.db")) as database:
        rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()

    _, _, text = page.read_text(encoding="utf-8").partition("<!-- table: stored -->\n")
    places = [line.split("|")[2] for line in text.partition("\n\n")[0].splitlines()[2:]]
    listed = {word for place in places for word in _WORD.findall(place)}

    assert listed - _NO_TABLES == {name for (name,) in rows if not name.startswith("sqlite_")}


def test_the_references_are_those_that_are_understood(page: Path) -> None:
    """One row for each kind, spelt as it may be written."""
    rows = [row[0] for row in table(page, "references")]

    assert [check_reference(row, source="page") for row in rows] == rows
    assert [row.partition(":")[0] for row in rows] == ["env", "file", "cmd", "keyring"]


def _reply(heard: Heard) -> tuple[int, Mapping[str, str], bytes]:
    is_batch = not heard.path.endswith(("/health/", "/push-content/"))
    return accept(heard) if is_batch else (200, {}, b"{}")


@pytest.mark.usefixtures("plain_environment")
def test_a_request_carries_the_headers_that_are_listed(
    page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the five, and no other header."""
    _, _, text = page.read_text(encoding="utf-8").partition("<!-- table: requests -->\n")
    cells = [line.split("|")[4] for line in text.partition("\n\n")[0].splitlines()[2:]]
    named = [{word.lower() for word in _WORD.findall(cell)} for cell in cells]
    monkeypatch.setenv("SPEC_KITTY_HOME", "home")
    monkeypatch.setenv("SPEC_KITTY_ENABLE_SAAS_SYNC", "1")
    monkeypatch.setenv("TOKEN", "whsec_dG9rZW4tdG9rZW4=")
    Path("e.jsonl").write_text('{"event_id": "e1"}\n')
    Path("spec.md").write_text("# spec")
    body = ("--project", "default", "--mission", "m", "--mission-type", "t")
    external = ("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint")
    with listening(_reply) as listener:
        for words in (
            ("capture", "e.jsonl"),
            ("sync", "server", listener.url, "--team", "t", "--token", "env:TOKEN"),
            ("body", "add", "spec.md", "--manifest-version", "1", *body),
            ("sync", "now"),
            (*external, f"{listener.url}/a", "--header", "X-Key=env:TOKEN"),
            ("sync", "now"),
            (*external, f"{listener.url}/b", "--sign", "env:TOKEN"),
            ("sync", "now"),
        ):
            assert main(list(words)) == 0
    health, teamspace, pushed, plain, signed = (set(heard.headers) for heard in listener.heard)

    assert (teamspace, health, pushed) == (named[0], named[1], named[2])
    assert plain == (named[3] - {"--header"}) | {"x-key"}
    assert signed == (named[3] | named[4]) - {"--header", "content-encoding"}


@pytest.mark.skipif(sys.platform == "win32", reason="the session is written for a POSIX shell")
@pytest.mark.usefixtures("plain_environment")
def test_the_session_does_what_it_shows(page: Path) -> None:
    """Each step prints what stands below it, but for ports, and targets that are named by them."""
    found = blocks(page)
    steps = list(_steps(found))
    (line,) = (block.text for block in found if block.mark == "shell: receivers")
    script = "".join(f"{step}\necho '{_MARK}'\n" for step, _ in steps)
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))

    with _receiver(line.strip()) as (shown, real):
        urls = {shown: real}
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
    assert [_plain(text) for text in printed] == [
        _plain(_with_urls(text, urls)) for _, text in steps
    ]


def _plain(text: str) -> str:
    return _TARGET.sub("TARGET", _same(text))
