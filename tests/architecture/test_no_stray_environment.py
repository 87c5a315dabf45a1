"""Environment and configuration are read in one place, and no text is ever run as code."""

import ast
from collections.abc import Iterator
from pathlib import Path

_FILES = Path("eventsync_adapters", "files")
_READER = _FILES / "_environment.py"
_ENVIRONMENT = {f"os.{name}" for name in ("environ", "environb", "getenv", "getenvb", "putenv")}
_CODE_FROM_TEXT = {"eval", "exec", "builtins.eval", "builtins.exec"}
# What else tells where or how a process runs, and who may ask it.
_ALLOWED: dict[str, set[Path]] = {
    # The default home.
    "pathlib.Path.home": {_READER},
    "platformdirs": {_READER},
    # A file: reference when it is resolved, and a file named on the command line.
    ".expanduser": {_FILES / "_secrets.py", Path("eventsync_cli", "choosing.py")},
    "os.path.expanduser": set(),
    ".expandvars": set(),
    "os.path.expandvars": set(),
    # The working directory decides nothing but where a file is that was named below it.
    ".absolute": {
        Path("eventsync_cli", "choosing.py"),
        Path("eventsync_cli", "commands", "sync_archive.py"),
        Path("eventsync_adapters", "sqlite", "_connection.py"),
    },
    "os.path.abspath": set(),
    "os.getcwd": set(),
    "os.getcwdb": set(),
    "pathlib.Path.cwd": set(),
    # The configuration, and the credentials of old programs.
    "tomllib": {_FILES / name for name in ("_config.py", "_change.py", "claims.py")},
    "tomlkit": {_FILES / "_change.py"},
    "configparser": set(),
}
_NAMES = ("config.toml", "credentials", "active_queue_scope")


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
            yield node.lineno, f".{node.attr}"
        elif isinstance(node, ast.Attribute):
            yield node.lineno, f".{node.attr}"
            if isinstance(node.value, ast.Attribute) and isinstance(node.value.value, ast.Name):
                base = aliases.get(node.value.value.id, node.value.value.id)
                yield node.lineno, f"{base}.{node.value.attr}.{node.attr}"
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


def _strays(trees: dict[Path, ast.Module]) -> list[str]:
    """Return every use of what `_ALLOWED` names, but for those it allows."""
    return sorted(
        {
            f"{path}:{line} {name}"
            for path, tree in trees.items()
            for line, name in _used(tree)
            if path not in _ALLOWED.get(name, {path})
        }
    )


def _named(trees: dict[Path, ast.Module]) -> list[str]:
    """Return where a text is the name of a file of the home, or a path to one."""
    return [
        f"{path}:{node.lineno} {node.value}"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.replace("\\", "/").rpartition("/")[2] in _NAMES
    ]


def test_only_these_files_ask_where_they_run(trees: dict[Path, ast.Module]) -> None:
    """User folders, working directory and TOML are asked for where `_ALLOWED` says."""
    assert _strays(trees) == []


def test_what_is_allowed_is_used(trees: dict[Path, ast.Module]) -> None:
    """A file that asks no longer may no longer ask."""
    unused = [
        f"{path} {name}"
        for name, allowed in _ALLOWED.items()
        for path in sorted(allowed)
        if not _uses({path: trees[path]}, {name})
    ]

    assert unused == []


def test_the_files_of_the_home_are_named_in_one_place(trees: dict[Path, ast.Module]) -> None:
    """Configuration, credentials and marker by `adapters/files` only, once each."""
    found = _named(trees)

    assert sorted(line.split(" ")[1] for line in found) == sorted(_NAMES)
    assert all(line.startswith(str(_FILES)) for line in found)


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


def test_a_stray_question_is_seen_in_every_spelling() -> None:
    """Of classes and modules, through aliases and on any expression."""
    text = """
import pathlib
from pathlib import Path
from os import getcwd as here
import tomllib
from tomlkit import parse
Path.home()
pathlib.Path.cwd()
(a / b).expanduser()
here()
place / "config.toml"
"x/credentials"
"names config.toml and credentials"
"""
    trees = {Path("a.py"): ast.parse(text)}

    assert sorted(_strays(trees)) == [
        "a.py:10 os.getcwd",
        "a.py:4 os.getcwd",
        "a.py:5 tomllib",
        "a.py:6 tomlkit",
        "a.py:7 pathlib.Path.home",
        "a.py:8 pathlib.Path.cwd",
        "a.py:9 .expanduser",
    ]
    assert sorted(_named(trees)) == ["a.py:11 config.toml", "a.py:12 x/credentials"]
