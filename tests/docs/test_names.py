"""What the documents list is what the program has."""

import re
from pathlib import Path

import click
import pytest

from eventsync_adapters.files import read_environment
from eventsync_cli.exits import ExitCode
from eventsync_core.census import Class
from eventsync_core.dispatch import Stop
from tests.docs.conftest import commands, table

_GLOBAL = {"--home", "--project", "--json", "--no-color"}


def _sections(root: Path) -> dict[str, str]:
    """Return what docs/commands.md says of each command."""
    text = (root / "docs/commands.md").read_text(encoding="utf-8")
    parts = re.split(r"^## `(.+)`$", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_command_is_described_and_no_other(root: Path) -> None:
    """A section for each command of the click tree."""
    assert set(_sections(root)) == set(commands())


@pytest.mark.parametrize("name", sorted(commands()))
def test_the_options_of_a_command_are_described(root: Path, name: str) -> None:
    """Its own options stand in its section, and its section names no others."""
    options = {
        option
        for parameter in commands()[name].params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
    }
    rows = re.findall(r"^\| `(--[\w-]+)", _sections(root)[name], flags=re.M)

    assert set(rows) == options - _GLOBAL


def test_the_states_are_the_classes(root: Path) -> None:
    """In the order in which the first that applies is taken."""
    assert [row[0] for row in table(root / "README.md", "states")] == [name.value for name in Class]


def test_the_exit_codes_are_those_of_the_program(root: Path) -> None:
    """Number and name of each."""
    rows = [(int(row[0]), row[1]) for row in table(root / "README.md", "exits")]

    assert rows == [(code.value, code.name) for code in ExitCode]


def test_every_reason_to_stop_is_described(root: Path) -> None:
    """Each word of `stopped_because` stands in the section of `sync now`."""
    text = _sections(root)["eventsync sync now"]

    assert {stop.value for stop in Stop if f"`{stop.value}`" not in text} == set()


def test_every_variable_that_is_read_is_named(root: Path) -> None:
    """What `read_environment` asks for stands in the README."""
    text = (root / "README.md").read_text(encoding="utf-8")
    asked = _Asked()
    read_environment(asked)

    assert {name for name in asked.names if f"`{name.upper()}`" not in text} == set()


class _Asked(dict[str, str]):
    """An environment that notes what it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, key: str, default: str = "") -> str:  # type: ignore[override]
        self.names.add(key)
        return default
