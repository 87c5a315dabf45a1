"""One vocabulary of gates: `Gate` holds it, and no other word for one exists."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from eventsync_core.errors import NotGrantedError
from eventsync_core.receivers import Gate

_SOURCE = Path("eventsync_core", "receivers", "_model.py")
# It stands below the receivers; that it is the same word is tested here.
_BELOW = Path("eventsync_core", "errors", "_given.py")
_WORDS = {gate.value for gate in Gate}
_OF_OTHERS = re.compile(r"\b(sync_disabled|no_auth|no_team|daemon_lock|private_teamspace_gate)\b")


def _texts(trees: dict[Path, ast.Module]) -> Iterator[tuple[Path, str]]:
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield path, node.value


def test_only_gate_spells_the_words(trees: dict[Path, ast.Module]) -> None:
    """Everything else names its members."""
    found = {(path, text) for path, text in _texts(trees) if text in _WORDS}

    assert found == {*((_SOURCE, word) for word in _WORDS), (_BELOW, NotGrantedError.code)}
    assert NotGrantedError.code == Gate.NO_GRANT


def test_the_words_of_others_stand_nowhere(source: Path) -> None:
    """They cannot come out of a program that does not know them."""
    files = [path for path in source.rglob("*") if path.suffix in (".py", ".sql")]

    assert [path for path in files if _OF_OTHERS.search(path.read_text(encoding="utf-8"))] == []
