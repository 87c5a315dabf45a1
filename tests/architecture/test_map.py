"""The first page of the core is a map of its rooms."""

import ast
import re
from pathlib import Path


def test_the_map_names_every_room(trees: dict[Path, ast.Module]) -> None:
    """The docstring of `eventsync_core` names every public module and folder in it."""
    page = ast.get_docstring(trees[Path("eventsync_core", "__init__.py")]) or ""
    rooms = {
        path.parts[1].removesuffix(".py") for path in trees if path.parts[0] == "eventsync_core"
    }
    public = {room for room in rooms if not room.startswith("_")}

    assert public - set(re.findall(r"\w+", page)) == set()
