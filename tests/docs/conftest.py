"""What the documents hold, as the tests of this folder see it."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import attrs
import click
import pytest

from eventsync_cli.main import program

_ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]+?) -->\n)?^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.M | re.S
)


@attrs.frozen
class Block:
    """A fenced block: its language, its text, and the comment directly above it."""

    mark: str
    kind: str
    text: str


def blocks(path: Path) -> list[Block]:
    """Return the fenced blocks of a Markdown file, in order."""
    found = _BLOCK.finditer(path.read_text(encoding="utf-8"))
    return [Block(block["mark"] or "", block["kind"], block["text"]) for block in found]


def table(path: Path, name: str) -> list[list[str]]:
    """Return the cells of the table below the comment `table: NAME`, without its head."""
    _, mark, rest = path.read_text(encoding="utf-8").partition(f"<!-- table: {name} -->\n")
    assert mark, f"{path.name} has no table {name}"
    rows = rest.partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in rows]


def commands() -> dict[str, click.Command]:
    """Return every command that does something, by the words that call it."""
    return dict(_below(program(), "eventsync"))


def _below(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            if isinstance(command, click.Group):
                yield from _below(command, f"{path} {name}")
            else:
                yield f"{path} {name}", command


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the folder that holds README.md."""
    return _ROOT


@pytest.fixture
def plain_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, with nothing of eventsync in the environment; return it."""
    ours = ("SPEC_KITTY_", "PERSIST", "NO_COLOR", "SSL_CERT_")
    for name in list(os.environ):
        if name.startswith(ours) or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path
