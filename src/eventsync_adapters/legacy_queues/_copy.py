import contextlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eventsync_adapters import machine
from eventsync_adapters.legacy_queues import _child
from eventsync_adapters.legacy_queues._folders import private_folder
from eventsync_core.errors import SourceError

_CODES = {"locked": "source_locked", "changing": "source_locked", "gone": "source_gone"}
_LATER = "end what uses it, and run the command again"


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
            raise SourceError(f"{path}: no room for a private copy: {error.strerror}") from error
        word, _, rest = _ask(path, str(folder)).partition(" ")
        if word != "ok":
            code = _CODES.get(word, "source_unreadable")
            fix = _LATER if code == "source_locked" else ""
            raise SourceError(f"{path} cannot be read: {rest}", code=code, fix=fix)
        yield folder / "copy.db", rest


def _ask(path: Path, folder: str) -> str:
    """Let a child make the copy and return what it says."""
    if not sys.executable:
        return "failed there is no Python to copy it with"
    words = (sys.executable, "-I", "-S", str(Path(_child.__file__)), str(path), folder)
    try:
        child = machine.start_alone(words)
    except OSError as error:
        return f"failed no process can be started: {error.strerror}"
    try:
        out, _ = child.communicate()
    finally:
        machine.end_alone(child)
    said = out.decode("utf-8", "replace")
    return said or f"failed the copying process ended with {child.returncode}"


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
