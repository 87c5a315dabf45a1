"""A signal at any moment of a command's start."""

import sys
from types import ModuleType

import pytest

from eventsync_cli.compose import App, is_in_unit
from tests.cli.conftest import Run


def test_a_store_that_is_being_imported_has_no_unit_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its module is known then, but holds nothing yet."""
    name = "eventsync_adapters.sqlite"
    monkeypatch.setitem(sys.modules, name, ModuleType(name))

    assert not is_in_unit()


def test_a_signal_after_the_data_adds_no_second_object(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one object stands; only the exit code tells of the interrupt."""

    def interrupted(_: App) -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr(App, "closing_lines", interrupted)

    ran = run("sync", "mode", "--json")

    assert (ran.code, ran.document["ok"]) == (3, True)
