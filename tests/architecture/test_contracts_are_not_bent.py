"""A binding runs the promises of a contract as they are written."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path


def _classes(trees: Iterable[ast.Module]) -> list[ast.ClassDef]:
    return [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def _bases(node: ast.ClassDef) -> Iterator[str]:
    """Yield the last part of the name of each base; `Contract[Port]` counts as `Contract`."""
    for base in node.bases:
        named = base.value if isinstance(base, ast.Subscript) else base
        if isinstance(named, ast.Name):
            yield named.id
        elif isinstance(named, ast.Attribute):
            yield named.attr


def _promises(node: ast.ClassDef) -> set[str]:
    """Return the tests *node* defines, or replaces by assignment."""
    names: set[str] = set()
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(statement.name)
        elif isinstance(statement, ast.Assign):
            names.update(target.id for target in statement.targets if isinstance(target, ast.Name))
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            names.add(statement.target.id)
    return {name for name in names if name.startswith("test_")}


def _inherited(node: ast.ClassDef, known: dict[str, ast.ClassDef]) -> set[str]:
    """Return every promise of the contracts above *node*."""
    promises: set[str] = set()
    waiting, seen = list(_bases(node)), {node.name}
    while waiting:
        name = waiting.pop()
        if name in seen or name not in known:
            continue
        seen.add(name)
        waiting.extend(_bases(known[name]))
        if name.endswith("Contract"):
            promises |= _promises(known[name])
    return promises


def _bent(classes: list[ast.ClassDef]) -> list[str]:
    known = {node.name: node for node in classes}
    return [
        f"{node.name}.{name}"
        for node in classes
        for name in sorted(_promises(node) & _inherited(node, known))
    ]


def test_no_binding_overrides_a_promise(root: Path, trees: dict[Path, ast.Module]) -> None:
    """A class in tests/contracts defines no test that a contract above it defines."""
    kit = [tree for path, tree in trees.items() if path.parts[:2] == ("eventsync_core", "testing")]
    bindings = [
        ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted((root / "tests" / "contracts").rglob("*.py"))
    ]
    classes = _classes([*kit, *bindings])

    assert any(node.name.endswith("Contract") for node in classes), "no contract was found"
    assert _bent(classes) == []


def test_a_bent_promise_is_seen() -> None:
    """Redefinition and assignment are found, also through a class in between."""
    text = """
class ThingContract:
    def test_kept(self): ...
    def test_given(self): ...
class Base(kit.ThingContract): ...
class TestA(Base):
    def test_kept(self): ...
class TestB(ThingContract[Thing]):
    test_given = None
class TestC(ThingContract):
    def test_more(self): ...
"""

    assert _bent(_classes([ast.parse(text)])) == ["TestA.test_kept", "TestB.test_given"]
