"""docs/embedding.md calls each function with what it needs, and nothing that it does not take."""

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

_PAGE = Path(__file__).parents[2] / "docs" / "embedding.md"
_CALL = re.compile(r"^\| `(eventsync[\w.]*)\.(\w+)\((.*?)\)(?:\.\w+\(.*\))?`", re.MULTILINE)
_INNER = re.compile(r"\([^()]*\)")
_CALLS = _CALL.findall(_PAGE.read_text(encoding="utf-8"))


def test_there_are_calls() -> None:
    """The page did not change its form."""
    assert len(_CALLS) > 15


@pytest.mark.parametrize(("room", "name", "given"), _CALLS)
def test_each_can_be_made(room: str, name: str, given: str) -> None:
    """As it stands there."""
    words = [word.strip() for word in _INNER.sub("", given).split(",") if word.strip()]
    named = {key: value for key, mark, value in (word.partition("=") for word in words) if mark}
    plain = [word for word in words if "=" not in word]

    inspect.signature(getattr(import_module(room), name)).bind(*plain, **named)
