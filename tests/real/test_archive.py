"""Real events leave for an archive, and come back byte for byte."""

from pathlib import Path

import pytest

from tests.real.test_export import exported, heads_of
from tests.real.test_real_events import LINES, pytestmark, run, some_lines

__all__ = ["pytestmark"]


@pytest.mark.parametrize("count", [500, pytest.param(14_115, marks=pytest.mark.long)])
def test_what_went_comes_back(tmp_path: Path, count: int) -> None:
    """Into the same home and into a new one: the same texts, positions and chain."""
    home, out = tmp_path / "one", tmp_path / "one.jsonl.gz"
    if count == 14_115:
        run(home, "capture", str(LINES), code=3)
    else:
        run(home, "capture", str(some_lines(tmp_path / "some.jsonl")))
    before, heads = exported(home, tmp_path / "before.jsonl"), heads_of(home)

    done = run(home, "sync", "archive", str(out), "--include-undelivered")
    assert (done["archived"], done["undelivered"], done["retained"]) == (count, count, 0)
    assert done["journal_size_bytes_before"] == done["archived_bytes"]
    assert done["journal_size_bytes_after"] == 0
    assert done["file_bytes_after"] < done["file_bytes_before"]
    assert exported(home, tmp_path / "none.jsonl") == b""
    assert heads_of(home) == heads
    back = run(home, "journal", "import", str(out))
    new = run(tmp_path / "two", "journal", "import", str(out))

    assert (back["brought_back"], back["stored"], new["stored"]) == (count, 0, count)
    assert exported(home, tmp_path / "after.jsonl") == before
    assert exported(tmp_path / "two", tmp_path / "two.jsonl") == before
    assert heads_of(tmp_path / "two") == heads
