"""A disk full at any page: every command keeps its promise, and works once there is room."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import home
from tests.full.limits import file_size, import_all
from tests.full.scenes import SCENES, Taker, taking
from tests.full.sweeping import PAGE, made_ready

__all__ = ["home"]

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="Windows neither forks nor limits files"),
    pytest.mark.usefixtures("home"),
]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taker]:
    """A receiver, and a home that some scenes begin with."""
    import_all()
    with taking(tmp_path_factory.mktemp("base") / "base") as taker:
        yield taker


@pytest.mark.requirement("S13")
@pytest.mark.parametrize(
    ("name", "mode"),
    [
        *((name, "truncate") for name in SCENES if name not in ("first", "many", "compact")),
        ("restore", "wal"),
    ],
)
def test_some_pages(shared: Taker, tmp_path: Path, name: str, mode: str) -> None:
    """The database may not grow; by half of what is needed; by all but a page."""
    sweep = made_ready(SCENES[name], shared, tmp_path / "at", is_wal=mode == "wal")

    sweep.try_each(sweep.some_limits())

    assert set(sweep.ended) <= {0} | SCENES[name].codes
    # One that needs no page of the database cannot fail for want of one.
    assert sweep.at_last <= 0 or set(sweep.ended) & SCENES[name].codes


@pytest.mark.requirement("S10")
@pytest.mark.parametrize(
    ("name", "mode", "pages", "code"),
    [
        ("capture", "truncate", 1, 5),
        ("now", "truncate", 1, 5),
        ("now", "wal", 4, 5),
        ("gc", "truncate", 1, 5),
        ("verify", "truncate", 0, 0),
        ("verify", "wal", 0, 5),
        ("archive", "truncate", 1, 5),
        ("archive", "truncate", 60, 5),
    ],
)
def test_some_sizes(
    shared: Taker, tmp_path: Path, name: str, mode: str, pages: int, code: int
) -> None:
    """
    No file may be larger than so many pages: what cannot be written is said.

    An archive can be made, and what it holds cannot be let go: it is whole, and said so.
    """
    sweep = made_ready(SCENES[name], shared, tmp_path / "at", is_wal=mode == "wal")

    sweep.try_each([("small files", file_size(pages * PAGE))])

    assert sweep.ended == {code: 1}


@pytest.mark.long
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("mode", ["truncate", "wal"])
@pytest.mark.parametrize("what", ["pages", "sizes"])
def test_every_page(
    shared: Taker,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    what: str,
    mode: str,
    name: str,
) -> None:
    """From not a page more, or from empty files, to the first limit that is enough."""
    sweep = made_ready(SCENES[name], shared, tmp_path / "at", is_wal=mode == "wal")

    failed = sweep.try_all(sweep.limits() if what == "pages" else sweep.sizes())

    assert sweep.ended[0]
    with capsys.disabled():
        sys.stdout.write(f"{name}, {mode}, {what}: failed at {failed} limits\n")
