import contextlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from eventsync_adapters import machine
from eventsync_adapters.legacy_queues import _child
from eventsync_adapters.legacy_queues._folders import private_folder
from eventsync_core.errors import SourceError

if TYPE_CHECKING:
    from subprocess import Popen

_CODES = {"locked": "source_locked", "changing": "source_locked", "gone": "source_gone"}
_FIXES = {
    "locked": "end what uses it, and run the command again",
    "changing": "end what uses it, and run the command again",
    "odd": "look at what stands there: beside a database only its own journals may",
    "still": "see whether its disk answers, and run the command again",
}
_NO_ROOM = "free space there, or let TMPDIR name another folder; then run the command again"
_STILL_SECONDS = 60.0


@contextmanager
def private_copy(path: Path) -> Iterator[tuple[Path, str]]:
    """
    Return a copy of the database at *path* with its journals, and the fingerprint of all parts.

    It was made by another process and nothing changed meanwhile. It goes at the end of the block.

    Raises:
        SourceError: No whole copy can be made.
    """
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(private_folder())
        except OSError as error:
            raise _no_room(path, error.strerror or str(error)) from error
        word, _, rest = _ask(path, folder).partition(" ")
        if word == "room":
            raise _no_room(path, rest)
        if word != "ok":
            code = _CODES.get(word, "source_unreadable")
            fix = _FIXES.get(word, "")
            raise SourceError(f"{path} cannot be read: {rest}", code=code, fix=fix)
        yield folder / "copy.db", rest


def _no_room(path: Path, why: str) -> SourceError:
    from tempfile import gettempdir

    try:
        place = f" in {gettempdir()}"
    except OSError:
        # It names all folders that were tried.
        place = ""
    return SourceError(
        f"{path} cannot be read: no room for a private copy{place}: {why}",
        code="no_room_for_copy",
        fix=_NO_ROOM,
    )


def _ask(path: Path, folder: Path) -> str:
    """Let a child make the copy and return what it says."""
    if not sys.executable:
        return "failed there is no Python to copy it with"
    words = (sys.executable, "-I", "-S", str(Path(_child.__file__)), str(path), str(folder))
    try:
        child = machine.start_alone(words)
    except OSError as error:
        return f"failed no process can be started: {error.strerror}"
    try:
        said = _said(child, folder)
    finally:
        machine.end_alone(child)
        if child.stdout is not None:
            child.stdout.close()
    return said or f"failed the copying process ended with {child.returncode}"


def _said(child: "Popen[bytes]", folder: Path) -> str:
    """Return what *child* says, as long as it goes on with what it writes into *folder*."""
    from subprocess import TimeoutExpired

    before = None
    while True:
        try:
            return child.communicate(timeout=_STILL_SECONDS)[0].decode("utf-8", "replace")
        except TimeoutExpired:
            written = _written(folder)
            if written == before:
                return "still copying it stands still"
            before = written


def _written(folder: Path) -> list[tuple[str, int]]:
    found = []
    for each in folder.iterdir():
        # The child begins anew when the source changes.
        with contextlib.suppress(FileNotFoundError):
            found.append((each.name, each.stat().st_size))
    return sorted(found)


def fingerprint_of(path: Path) -> str:
    """Return what the parts of the database look like now; empty where that cannot be told."""
    with contextlib.suppress(OSError):
        return _child.fingerprint(str(path))
    return ""


def is_fresh(path: Path) -> bool:
    """Say whether a further change of the database might not be seen in its fingerprint."""
    try:
        return _child.is_fresh(str(path))
    except OSError:
        return True


def when_settled(path: Path) -> None:
    """Wait until a further change of the database will be seen in its fingerprint."""
    if is_fresh(path):
        machine.sleep(_child.TICK_NANOS / 1e9)
