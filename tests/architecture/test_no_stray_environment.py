"""The environment is read in one file, and no text is ever run as code."""

import ast
from collections.abc import Iterator
from pathlib import Path

_READER = Path("eventsync_adapters", "files", "_environment.py")
_ENVIRONMENT = {f"os.{name}" for name in ("environ", "environb", "getenv", "getenvb", "putenv")}
_CODE_FROM_TEXT = {"eval", "exec", "builtins.eval", "builtins.exec"}


def _aliases(tree: ast.Module) -> dict[str, str]:
    """Return what each imported name stands for."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update({alias.asname or alias.name: alias.name for alias in node.names})
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update(
                {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            )
    return names


def _used(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line and the full name of everything imported, named or reached by attribute."""
    aliases = _aliases(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.lineno, aliases.get(node.id, node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node.lineno, f"{aliases.get(node.value.id, node.value.id)}.{node.attr}"
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _uses(trees: dict[Path, ast.Module], names: set[str]) -> list[str]:
    found = {
        f"{path}:{line} {name}"
        for path, tree in trees.items()
        for line, name in _used(tree)
        if name in names
    }
    return sorted(found)


def test_only_one_file_reads_the_environment(trees: dict[Path, ast.Module]) -> None:
    """Nothing but `files/_environment.py` touches the environment of the process."""
    others = {path: tree for path, tree in trees.items() if path != _READER}

    assert _uses(others, _ENVIRONMENT) == []


def test_no_text_is_run_as_code(trees: dict[Path, ast.Module]) -> None:
    """There is no `eval`, no `exec` and no `pickle` in src."""
    assert _uses(trees, _CODE_FROM_TEXT | {"pickle"}) == []


def test_a_stray_use_is_seen_in_every_spelling() -> None:
    """Attributes, imported names and aliases are all reported."""
    text = """
import os
import os as system
from os import getenv as look
import pickle
os.environ["A"]
system.getenv("A")
look("A")
eval("1")
"""
    trees = {Path("a.py"): ast.parse(text)}

    assert _uses(trees, _ENVIRONMENT) == [
        "a.py:4 os.getenv",
        "a.py:6 os.environ",
        "a.py:7 os.getenv",
        "a.py:8 os.getenv",
    ]
    assert _uses(trees, _CODE_FROM_TEXT | {"pickle"}) == ["a.py:5 pickle", "a.py:9 eval"]
