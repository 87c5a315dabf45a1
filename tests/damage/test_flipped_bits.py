"""A flipped bit in any file is detected or harmless, and never sent."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from eventsync_adapters.files.revoked import Revocations
from tests.cli.listeners import Listener, listening
from tests.damage.flipping import Home, answer, make_home, not_captured, ran, strange

_PAGE = 8_192
_FEW, _MANY = 5, 100
_NOT_OURS = ("-shm",)  # it is made anew when a file is opened


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with listening(answer) as listener:
        yield listener


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.startswith(("SPEC_KITTY", "PERSIST")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SPEC_KITTY_HOME", "")


def spots(home: Home, chance: random.Random, count: int) -> Iterator[tuple[str, int, int]]:
    """Yield file, byte and bit: of any page as likely as of any other, near what is not zero."""
    pages: dict[tuple[str, int], list[int]] = {}
    for name, content in home.files().items():
        for byte, value in enumerate(content):
            if not name.endswith(_NOT_OURS) and (value or content[byte - 1]):
                pages.setdefault((name, byte // _PAGE), []).append(byte)
    places = sorted(pages)
    for _ in range(count):
        place = chance.choice(places)
        yield place[0], chance.choice(pages[place]), chance.randrange(8)


def check(home: Home, listener: Listener, count: int, seed: int) -> None:
    for name, byte, bit in spots(home, random.Random(seed), count):
        home.fresh()
        listener.heard.clear()
        home.flip(name, byte, bit)

        found = strange(home)

        assert not_captured(listener.heard) == [], (name, byte, bit)
        assert found == [], (name, byte, bit)


@pytest.mark.parametrize("wal", [False, True])
@pytest.mark.parametrize(
    ("seed", "count"),
    [(1, _FEW), *(pytest.param(seed, _MANY, marks=pytest.mark.long) for seed in range(2, 6))],
)
@pytest.mark.timeout(1200)
def test_a_flipped_bit_is_never_sent(
    plain: None, tmp_path: Path, listener: Listener, seed: int, count: int, *, wal: bool
) -> None:
    """
    Whatever leaves is what was captured, byte for byte; else there is an error with a code.

    So it is in the database, in what stands beside it, in the configuration and in notes.
    """
    home = make_home(tmp_path, listener.url, wal=wal)
    home.fresh()
    listener.heard.clear()
    assert strange(home) == []
    assert not_captured(listener.heard) == []
    assert listener.heard

    check(home, listener, count, seed)


def test_every_byte_of_the_configuration(plain: None, tmp_path: Path, listener: Listener) -> None:
    """Another endpoint was never granted anything; what cannot be read is refused."""
    home = make_home(tmp_path, listener.url)
    size = len(home.files()["config.toml"])
    for byte in range(0, size, 3):
        home.fresh()
        listener.heard.clear()
        home.flip("config.toml", byte, byte % 7)

        code, out, err = ran("sync", "now", "--json")

        assert code in (0, 3, 4, 64), (byte, out)
        assert "Traceback" not in err
        assert not_captured(listener.heard) == []
        assert {each.path for each in listener.heard if each.body} <= {"/events"}


def test_a_damaged_revocation_still_holds(plain: None, tmp_path: Path, listener: Listener) -> None:
    """Its name alone ends the grant; it is not taken for the end of another one."""
    home = make_home(tmp_path, listener.url)
    home.fresh()
    _, out, _ = ran("target", "list", "--json")
    target_id = out.partition('"target_id":"')[2].partition('"')[0]
    folder = home.whole / "eventsync" / "revoked"
    for project in ("project-0", "project-1"):
        Revocations(folder).add(target_id, project, actor="me", reason="", at=1)
    names = [name for name in home.files() if "revoked" in name]
    size = len(home.files()[names[0]])
    for byte in range(0, size, 4):
        home.fresh()
        listener.heard.clear()
        for name in names:
            home.flip(name, byte, byte % 5)

        ran("sync", "now")

        assert [each for each in listener.heard if each.body] == [], byte
