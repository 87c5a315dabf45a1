"""Where nothing is stored of what was asked for, the command says of what."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run

_NOTHING = "nothing is stored of project typo, but of default"


@pytest.mark.parametrize(
    "line",
    [
        "journal verify",
        "journal list",
        "journal list --hold operator",
        "journal quarantine",
        "journal quarantine --damaged --dry-run",
        "sync gc",
        "sync archive archive.gz --dry-run",
    ],
)
def test_a_project_that_nothing_is_known_of(run: Run, events: Path, line: str) -> None:
    """A name that was mistyped is seen, and beside it what there is."""
    assert run(*line.split(), "--project", "typo").code == 0
    run("capture", str(events))

    ran = run(*line.split(), "--project", "typo")

    assert ran.code == 0
    assert _NOTHING in ran.out + ran.err
    assert _NOTHING not in run(*line.split(), "--project", "default").err


def test_nothing_at_all(run: Run) -> None:
    """No project is named, and none is said to be missing."""
    assert run("journal", "verify").out == "nothing is stored\n"
    assert run("journal", "list").out == "nothing is stored\n"
    assert run("journal", "quarantine", "--damaged").err == ""


def test_a_page_behind_the_last(run: Run, events: Path) -> None:
    """What is stored stands before it."""
    run("capture", str(events))

    assert run("journal", "list", "--after", "20").out == "nothing comes after 20\n"
    assert run("journal", "list", "--hold", "operator").out == "nothing is held for that\n"
