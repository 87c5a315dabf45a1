"""Reading files that become bodies: ordinary ones in the folder of their mission, and no others."""

import os
import stat
from pathlib import Path, PurePosixPath

import attrs

from eventsync_core.bodies import MOST_BYTES, skip_reason

__all__ = ["Artifact", "read_artifact"]

_LEADS_OUT = "leads_out: a link to what is not in the folder; name that folder with --root"
# Opening a pipe must not wait for its writer, nor a link that was put there meanwhile be followed.
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
)


@attrs.frozen
class Artifact:
    """One file: its path in the mission, and its text or why it is skipped."""

    file: str
    path: str
    text: str = attrs.field(default="", repr=False)
    skipped: str = ""


def read_artifact(file: str, root: str | None) -> Artifact:
    """
    Return *file* as it is now, or why it is skipped; it never waits.

    Its path is relative to *root*, else as given. A link is read where it leads to a file in
    *root*, else in the folder that the command runs in, and keeps its own name.
    """
    path = ""
    try:
        place = Path(file)
        path = _path_in(place, root)
        reason = skip_reason(path) if path else "unsupported_surface"
        if not place.exists():
            return Artifact(file, path, skipped=f"not_present: {path or file}")
        if reason:
            return Artifact(file, path, skipped=reason)
        found, folder = place.resolve(), Path(root or ".").resolve()
        if not found.is_relative_to(folder):
            return Artifact(file, path, skipped=_LEADS_OUT)
        return _read(file, path, found)
    except UnicodeDecodeError:
        return Artifact(file, path, skipped="not_valid_utf8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        return Artifact(file, path, skipped=f"read_error: {reason}")


def _path_in(place: Path, root: str | None) -> str:
    """Return the path of the file in the folder of its mission; empty where it is outside."""
    if root is None:
        return PurePosixPath(*place.parts).as_posix()
    folder, found = Path(root).resolve(), place.parent.resolve() / place.name
    return found.relative_to(folder).as_posix() if found.is_relative_to(folder) else ""


def _read(file: str, path: str, found: Path) -> Artifact:
    with os.fdopen(os.open(found, _FLAGS), "rb") as opened:
        facts = os.fstat(opened.fileno())
        if not stat.S_ISREG(facts.st_mode):
            return Artifact(file, path, skipped="read_error: not a regular file")
        raw = opened.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        size = max(facts.st_size, len(raw))
        return Artifact(file, path, skipped=f"oversized: {size} bytes > {MOST_BYTES} limit")
    return Artifact(file, path, raw.decode())
