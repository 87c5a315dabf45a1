"""A signal at any moment of a command's start."""

import sys
from types import ModuleType

import pytest

from eventsync_cli.compose import is_in_unit


def test_a_store_that_is_being_imported_has_no_unit_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its module is known then, but holds nothing yet."""
    name = "eventsync_adapters.sqlite"
    monkeypatch.setitem(sys.modules, name, ModuleType(name))

    assert not is_in_unit()
