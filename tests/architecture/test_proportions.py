"""Files and functions stay small enough to be read."""

import ast
from pathlib import Path

_LINES_OF_A_FILE = 400
_LINES_OF_A_FUNCTION = 60


def test_files_stay_short(source: Path, trees: dict[Path, ast.Module]) -> None:
    """No file in src reaches 400 lines."""
    lines = {str(path): len((source / path).read_text("utf-8").splitlines()) for path in trees}

    assert {path: count for path, count in lines.items() if count >= _LINES_OF_A_FILE} == {}


def test_functions_stay_short(trees: dict[Path, ast.Module]) -> None:
    """No function in src reaches 60 lines, from its `def` to its end."""
    lines = {
        f"{path}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert {name: count for name, count in lines.items() if count >= _LINES_OF_A_FUNCTION} == {}
