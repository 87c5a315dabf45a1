"""What a room offers stands in its `__all__`."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

_ROOMS = ("eventsync_core", "eventsync_adapters")


def _public_modules(trees: dict[Path, ast.Module]) -> Iterator[str]:
    """Yield the dotted name of every module without an underscore in its path."""
    for path in trees:
        parts = path.with_suffix("").parts
        name = parts[:-1] if parts[-1] == "__init__" else parts
        if not any(part.startswith("_") for part in name):
            yield ".".join(name)


def _offered(trees: dict[Path, ast.Module]) -> Iterator[tuple[str, list[str]]]:
    """Yield each public module that has an `__all__`, with it."""
    for name in _public_modules(trees):
        module = importlib.import_module(name)
        if hasattr(module, "__all__"):
            yield name, list(module.__all__)


def _in_order(name: str) -> tuple[int, str]:
    """Sort constants first, then classes, then the rest, as ruff's RUF022 does."""
    if len(name) > 1 and name.isupper():
        return 0, name
    return (1 if name[:1].isupper() else 2), name


def test_public_names_are_sorted_and_unique(trees: dict[Path, ast.Module]) -> None:
    """Every `__all__` is in order and names nothing twice."""
    untidy = [name for name, names in _offered(trees) if names != sorted(set(names), key=_in_order)]

    assert untidy == []


def test_public_names_exist(trees: dict[Path, ast.Module]) -> None:
    """Every name in an `__all__` can be had from its module."""
    missing = [
        f"{name}.{offered}"
        for name, names in _offered(trees)
        for offered in names
        if not hasattr(importlib.import_module(name), offered)
    ]

    assert missing == []


def test_every_room_says_what_it_offers(trees: dict[Path, ast.Module]) -> None:
    """The `__init__` of every room that is a folder has an `__all__`."""
    offering = {name for name, _ in _offered(trees)}
    rooms = {
        ".".join(path.parts[:2])
        for path in trees
        if len(path.parts) == 3 and path.parts[0] in _ROOMS and path.name == "__init__.py"
    }

    assert {room for room in rooms if not room.rpartition(".")[2].startswith("_")} <= offering
