"""
The Recover page leads from each message to a clean state.

Each section has a `text` block, marked `recover: NAME`, with a command and lines that it prints,
and below it an `sh` block. The state of that name is made, the command is run and prints these
lines; then the commands of the second block are run, and nothing is left. In a line `…` stands
for anything. A new code needs a section in the page and a state in `recover_states.py`.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from eventsync_cli.__main__ import main
from eventsync_core.legacy import Brought, Why
from tests.docs.conftest import Block, blocks
from tests.docs.recover_states import STATES, Place

_PAGE = Path(__file__).parents[2] / "docs" / "recover.md"
_CODE = re.compile(r'"(source_[a-z_]+|no_room_for_copy)"')
_BEGINS = re.compile(r'yield \(?\s*f"([a-z ]+): ')
_RECEIVER = "http://127.0.0.1:8765"
_PLAIN = re.compile(r"eventsync [\w./~= :-]+")
_CONTINUED = re.compile(r"[|\\]$|^\s|\b(cd|export|for|while|if)\b|^\w+=\S*$", re.MULTILINE)
_PRELUDE = f'eventsync() {{ {shlex.quote(sys.executable)} -m eventsync_cli "$@"; }}\n'


def _sections() -> dict[str, tuple[str, str]]:
    """Return, by its name, what a section shows and what it has one run."""
    found: dict[str, tuple[str, str]] = {}
    waiting: Block | None = None
    for block in blocks(_PAGE):
        if block.mark.startswith("recover: "):
            assert block.kind == "text"
            assert waiting is None, f"{waiting} has no commands"
            waiting = block
        elif block.kind == "sh" and waiting is not None:
            found[waiting.mark.removeprefix("recover: ")] = waiting.text, block.text
            waiting = None
    return found


def _codes(root: Path) -> Iterator[str]:
    for path in ("eventsync_adapters/legacy_queues", "eventsync_core/errors"):
        for file in (root / "src" / path).glob("*.py"):
            yield from _CODE.findall(file.read_text(encoding="utf-8"))


def _shown(text: str, place: Place) -> str:
    text = text.replace(str(place.user), "~")
    return text.replace(place.url, _RECEIVER) if place.url else text


def _run(words: list[str], place: Place, capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    capfd.readouterr()
    code = main(words)
    out, err = capfd.readouterr()
    assert "Traceback" not in err
    return code, _shown(out + err, place)


def _follow(script: str, place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    """Run the commands of a block: in a shell, but for plain ones of ours, line by line."""
    whole = _CONTINUED.search(script)
    with pytest.MonkeyPatch.context() as user:
        user.setenv("SPEC_KITTY_ENABLE_SAAS_SYNC", "1")
        user.setenv("TOKEN", "a-token")
        for line in [script] if whole else script.strip().splitlines():
            if _PLAIN.fullmatch(line):
                words = [os.path.expanduser(word) for word in shlex.split(line)]  # noqa: PTH111
                code, said = _run(words[1:], place, capfd)
            else:
                code, said = _in_shell(line, place)
            assert code == 0, said


def _in_shell(script: str, place: Place) -> tuple[int, str]:
    ran = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", _PRELUDE + script],
        cwd=place.user,
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr


def _is_printed(line: str, printed: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in line.strip().split("…"))
    return re.search(rf"^\s*{pattern}\s*$", printed, flags=re.M) is not None


@pytest.fixture
def place(plain_environment: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Return the empty folder of a user."""
    monkeypatch.setenv("HOME", str(plain_environment))
    with ExitStack() as stack:
        yield Place(plain_environment, monkeypatch, stack)


@pytest.mark.skipif(sys.platform == "win32", reason="the page is written for a POSIX shell")
@pytest.mark.parametrize("name", list(_sections()))
def test_a_section_leads_to_a_clean_state(
    place: Place, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """The message is what the program prints, and its commands leave nothing."""
    message, script = _sections()[name]
    command, *lines = message.strip().splitlines()
    assert command.startswith("$ eventsync ")

    with STATES[name](place):
        code, printed = _run(shlex.split(command.removeprefix("$ eventsync ")), place, capfd)
    place.patch.undo()
    place.patch.setenv("HOME", str(place.user))
    place.patch.chdir(place.user)

    assert [line for line in lines if not _is_printed(line, printed)] == [], printed
    assert code in (0, 2, 3, 4)
    _follow(script, place, capfd)
    code, printed = _run(["sync", "migrate"], place, capfd)
    assert code == 0, printed
    code, printed = _run(["sync", "status"], place, capfd)
    assert (code, "Rows of old" in printed) == (0, False), printed
    assert _run(["sync", "now", "--json"], place, capfd)[1].count("sync migrate") == 0


def test_every_state_has_a_section_and_each_code_too(root: Path) -> None:
    """What a row or a file may be reported as, by its word in the code."""
    codes = {*_codes(root), *(why.value for why in Why)}

    assert set(_sections()) == set(STATES)
    assert codes <= {name.split()[0] for name in STATES}


def test_every_line_of_a_report_has_a_section(root: Path) -> None:
    """By what it begins with; so has each word for old deliveries that were not brought."""
    text = (root / "src" / "eventsync_cli" / "telling.py").read_text(encoding="utf-8")
    begins = {*_BEGINS.findall(text), "events"}
    shown = [line.strip() for message, _ in _sections().values() for line in message.splitlines()]

    assert {"no target", "no outcome", "conflict", "quarantined"} <= begins
    assert [each for each in begins if not any(x.startswith(f"{each}: ") for x in shown)] == []
    odd = set(Brought) - {Brought.IMPORTED, Brought.KNOWN}
    page = _PAGE.read_text(encoding="utf-8")
    assert [each for each in odd if f"`{each.value}`" not in page] == []


def test_every_code_is_in_the_table_that_leads_on(root: Path) -> None:
    """Each word of the table at the top is a code, and links to where it is explained."""
    text = _PAGE.read_text(encoding="utf-8")
    linked = set(re.findall(r"^\| \[`(\w+)`\]\(#[\w-]+\)", text, flags=re.M))

    assert {*_codes(root), *(why.value for why in Why)} <= linked
