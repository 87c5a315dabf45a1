"""Every test of this folder that takes a `world` runs against each other end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.answers.ends import ENDS, World, open_end


@pytest.fixture(params=ENDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Return a granted target with that other end, and an empty journal."""
    with open_end(request.param, tmp_path) as opened:
        yield opened
