"""What the architecture tests look at."""

import ast
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the folder that holds `pyproject.toml`."""
    return _ROOT


@pytest.fixture(scope="session")
def source() -> Path:
    """Return the folder that holds our packages."""
    return _ROOT / "src"


@pytest.fixture(scope="session")
def trees(source: Path) -> dict[Path, ast.Module]:
    """Return every parsed file of our packages by its path below `src`."""
    found = {
        path.relative_to(source): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(source.rglob("*.py"))
    }
    assert found, "there is no source to look at"
    return found
