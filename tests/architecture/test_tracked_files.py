"""What is committed holds on every machine."""

import re
import subprocess
from pathlib import Path

import pytest

# Each pattern is spelled so that it does not match itself.
_MACHINE = re.compile(r"(?<![\w.])/(?:work|root|farm)/")
_REGISTRY = re.compile(r"pypi\.org|pythonhosted\.org|registry\.npmjs\.org|index-ur[l]\b")
_LOCKS = re.compile(r".*\.lock|pylock(\..*)?\.toml|package-lock\.json|pnpm-lock\.yaml")


@pytest.fixture(scope="module")
def tracked(root: Path) -> list[Path]:
    """Return the files that git knows or would add."""
    if not (root / ".git").exists():
        pytest.skip("not a git checkout")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, check=True)
    paths = [root / name.decode() for name in listed.stdout.split(b"\0") if name]
    return [path for path in paths if path.is_file()]


def _naming(pattern: re.Pattern[str], tracked: list[Path]) -> list[str]:
    return [
        f"{path.name}:{number} {found.group()}"
        for path in tracked
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1)
        if (found := pattern.search(line))
    ]


def test_no_file_names_a_path_of_one_machine(tracked: list[Path]) -> None:
    """No committed file holds an absolute path of the machine it was written on."""
    assert _naming(_MACHINE, tracked) == []


def test_no_file_names_a_package_registry(tracked: list[Path]) -> None:
    """Where packages come from is the business of whoever installs."""
    assert _naming(_REGISTRY, tracked) == []


def test_no_lock_file_is_committed(tracked: list[Path]) -> None:
    """A library is tested against what its bounds allow."""
    assert [path.name for path in tracked if _LOCKS.fullmatch(path.name)] == []
