"""A module whose name begins with an underscore belongs to its folder."""

import ast
from collections.abc import Iterator
from pathlib import Path


def _package(path: Path) -> tuple[str, ...]:
    """Return the package that the file at *path* belongs to."""
    return path.parent.parts


def _imported(path: Path, tree: ast.Module) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the line and the absolute name of everything *path* imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, tuple(alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            package = _package(path)
            start = package[: len(package) - node.level + 1] if node.level else ()
            module = tuple(node.module.split(".")) if node.module else ()
            for alias in node.names:
                yield node.lineno, (*start, *module, alias.name)


def _owner(name: tuple[str, ...], modules: set[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the innermost folder *name* is private to, or nothing if it is public."""
    for index in range(len(name) - 1, 0, -1):
        private = name[index].startswith("_") and not name[index].startswith("__")
        if private:
            owner = name[:index]
            return owner[:-1] if owner in modules else owner
    return ()


def _intrusions(trees: dict[Path, ast.Module]) -> list[str]:
    ours = {path.parts[0] for path in trees}
    modules = {path.with_suffix("").parts for path in trees}
    return [
        f"{path}:{line} imports {'.'.join(name)}"
        for path, tree in trees.items()
        for line, name in _imported(path, tree)
        if name[0] in ours
        and (owner := _owner(name, modules))
        and _package(path)[: len(owner)] != owner
    ]


def test_no_module_imports_what_is_private_to_another_folder(
    trees: dict[Path, ast.Module],
) -> None:
    """Only files in the same folder, or below it, import a private module or name."""
    assert _intrusions(trees) == []


def test_an_intrusion_is_seen_in_every_spelling() -> None:
    """Absolute, relative and nested imports are reported; those of the folder itself are not."""
    spellings = {
        "room/inside.py": "from . import _model\nfrom app.room._model import Thing, _rule",
        "room/_model.py": "class Thing: ...",
        "other/a.py": "from app.room._model import Thing",
        "other/b.py": "from app.room import _model",
        "other/c.py": "import app.room._model",
        "other/d.py": "def late():\n    from ..room import _model",
        "other/e.py": "from app.room.inside import _hidden",
        "other/f.py": "from app.room import __version__",
    }
    trees = {Path("app", name): ast.parse(text) for name, text in spellings.items()}

    assert [line.split(":")[0] for line in _intrusions(trees)] == [
        str(Path("app", "other", f"{letter}.py")) for letter in "abcde"
    ]
