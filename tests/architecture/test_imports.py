"""The import rules in `pyproject.toml` hold."""

from pathlib import Path

import pytest
from importlinter import cli


def test_imports_keep_every_contract(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Import-linter finds nothing; what it found is in the captured output."""
    monkeypatch.chdir(root)

    config = str(root / "pyproject.toml")

    assert cli.lint_imports(config_filename=config, no_cache=True, no_logo=True) == 0
