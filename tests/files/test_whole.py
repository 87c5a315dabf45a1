"""A file is made whole or not at all."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from eventsync_adapters import machine
from eventsync_adapters.files.whole import whole_file
from eventsync_core.errors import OutputLostError, OutputUnusableError

posix = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has neither modes nor FIFOs, and links need rights"
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return where a file is to be made, in a folder of its own."""
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder / "out.jsonl"


def _stands(place: Path) -> dict[str, str]:
    return {each.name: each.read_text() for each in place.parent.iterdir()}


def test_it_is_there_at_the_end_and_not_before(place: Path) -> None:
    """Line breaks stay as they are."""
    with whole_file(place) as file:
        file.write("ü\r\n")
        file.write("b\n")
        assert not place.exists()

    assert place.read_bytes() == b"\xc3\xbc\r\nb\n"
    assert len(_stands(place)) == 1


@posix
def test_only_its_owner_reads_it(place: Path) -> None:
    """Whoever could read what it replaces."""
    place.write_text("old")
    place.chmod(0o644)
    before = os.umask(0)
    try:
        with whole_file(place, replace=True) as file:
            file.write("new")
    finally:
        os.umask(before)

    assert _stands(place) == {"out.jsonl": "new"}
    assert place.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("failure", [KeyboardInterrupt, RuntimeError, OutputLostError])
@pytest.mark.parametrize("replace", [True, False])
def test_a_block_that_fails_leaves_nothing(
    place: Path, failure: type[BaseException], *, replace: bool
) -> None:
    """What stood there stays."""
    if replace:
        place.write_text("old")

    def write_half() -> None:
        with whole_file(place, replace=replace) as file:
            file.write("half")
            raise failure

    with pytest.raises(failure):
        write_half()

    assert _stands(place) == ({"out.jsonl": "old"} if replace else {})


def test_what_is_there_is_not_replaced(place: Path) -> None:
    """Nothing is written."""
    place.write_text("old")

    with pytest.raises(OutputUnusableError) as caught, whole_file(place):
        pass

    assert caught.value.code == "output_exists"
    assert _stands(place) == {"out.jsonl": "old"}


@pytest.mark.parametrize("has_links", [True, False])
def test_nor_what_comes_there_meanwhile(
    place: Path, monkeypatch: pytest.MonkeyPatch, *, has_links: bool
) -> None:
    """Also where a file system knows no second names."""
    if not has_links:
        _forbid_links(monkeypatch)

    def be_late() -> None:
        with whole_file(place) as file:
            file.write("mine")
            place.write_text("theirs")

    with pytest.raises(OutputUnusableError) as caught:
        be_late()

    assert caught.value.code == "output_exists"
    assert _stands(place) == {"out.jsonl": "theirs"}


def _forbid_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "not here")

    monkeypatch.setattr(os, "link", refuse)


def test_a_file_system_without_links(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is made all the same."""
    _forbid_links(monkeypatch)

    with whole_file(place) as file:
        file.write("new")

    assert _stands(place) == {"out.jsonl": "new"}


@posix
def test_a_link_is_followed(place: Path, tmp_path: Path) -> None:
    """Whether it leads to a file or to nothing yet; it stays a link."""
    link = tmp_path / "link"
    link.symlink_to(place)
    for text in ("first", "second"):
        with whole_file(link, replace=True) as file:
            file.write(text)

        assert link.is_symlink()
        assert _stands(place) == {"out.jsonl": text}


@posix
def test_places_that_are_none(place: Path, tmp_path: Path) -> None:
    """A folder, below a file, a missing folder, names that no file can have."""
    (tmp_path / "file").write_text("")
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    names = (tmp_path, tmp_path / "file" / "x", tmp_path / "no" / "x", Path("x" * 300), loop)
    for name in (*names, Path("a\0b")):
        with pytest.raises(OutputUnusableError) as caught, whole_file(name, replace=True):
            pass
        assert caught.value.code == "output_unusable"

    assert _stands(place) == {}


@posix
@pytest.mark.parametrize("replace", [True, False])
def test_what_is_no_file_is_never_replaced(place: Path, *, replace: bool) -> None:
    """A rename would take a device or pipe away from everybody."""
    os.mkfifo(place)

    with pytest.raises(OutputUnusableError, match="no file"), whole_file(place, replace=replace):
        pass

    assert place.is_fifo()


def test_a_disk_that_fails(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the last moment too: the file is not made."""

    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)

    with pytest.raises(OutputLostError, match="No space left"), whole_file(place) as file:
        file.write("x")

    assert _stands(place) == {}


def test_no_room_for_a_name(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the disk's fault, not the name's."""

    def fail(_: Path) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(machine, "open_new_file", fail)

    with pytest.raises(OutputLostError, match="No space left"), whole_file(place):
        pass


def test_a_process_that_dies(place: Path) -> None:
    """The file is not there."""
    code = (
        "import os, sys; from pathlib import Path;"
        "from eventsync_adapters.files.whole import whole_file\n"
        "with whole_file(Path(sys.argv[1])) as file: file.write('half'); os._exit(9)"
    )

    done = subprocess.run([sys.executable, "-c", code, str(place)], check=False)

    assert done.returncode == 9
    assert not place.exists()
