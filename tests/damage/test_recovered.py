"""The commands of docs/recover.md bring a damaged store back to where nothing is wrong."""

import re
import shlex
from pathlib import Path

import pytest

from eventsync_adapters.server import Serving
from tests.cli.conftest import Run
from tests.cli.gates import EXTERNAL
from tests.damage.damaging import spoil

_PAGE = Path(__file__).parents[2] / "docs" / "recover.md"
_COMMANDS = re.compile(r"## A damaged store\n.*?```sh\n(.*?)```", re.DOTALL)


def test_the_commands_of_the_page(
    run: Run,
    home: Path,
    events: Path,
    receiver: Serving,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is damaged is found, set aside, brought back, let go on and delivered."""
    monkeypatch.chdir(tmp_path)
    run("capture", str(events))
    run(*EXTERNAL, receiver.url)
    run("journal", "export", "good.jsonl")
    spoil(home / "eventsync" / "eventsync.db", ["e3"], "{}")
    assert run("sync", "now", "--json").document["counts"]["delivered"] == 19
    found = _COMMANDS.search(_PAGE.read_text(encoding="utf-8"))
    assert found is not None

    codes = [run(*shlex.split(line)[1:]).code for line in found[1].splitlines()]

    assert codes == [5, 0, 0, 0, 0, 0, 0]
    (target,) = run("sync", "status", "--json").document["targets"]
    assert target["classes"]["delivered"] == 20
    assert run("sync", "doctor").out.endswith("nothing is wrong\n")
