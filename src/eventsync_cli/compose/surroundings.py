"""What lies around a program: versions, and the files of a home by their names and sizes."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from eventsync_cli.compose._settings import Settings

__all__ = ["file_listing", "one_way", "versions"]

_LIBRARIES = (
    "attrs",
    "cattrs",
    "click",
    "httpcore",
    "httpx",
    "platformdirs",
    "psutil",
    "rich",
    "sqlite-utils",
    "structlog",
    "tomlkit",
)
_OURS = frozenset(
    {"acts.log", "eventsync", "eventsync.db", "migrated.log", "revoked", "verified.json"}
)
# What follows is a time, or drawn by lot.
_OURS_BEGIN = (".eventsync-unfinished-", "eventsync.db.before-restore-")
_ENDS = ("", "-journal", "-wal", "-shm")
_SUFFIXES = frozenset({".db", ".gz", ".json", ".jsonl", ".lock", ".log", ".toml"})
_DEPTH = 3


def one_way() -> Callable[[str], str]:
    """Return what turns equal texts into equal marks that nobody can turn back or guess."""
    import hmac
    import secrets

    # It is forgotten with the program: without it a name cannot even be tried.
    salt = secrets.token_bytes(32)

    def mark(text: str) -> str:
        raw = text.encode("utf-8", "surrogatepass")
        return "#" + hmac.digest(salt, raw, "sha256").hex()[:12]

    return mark


def versions() -> dict[str, Any]:
    """Return which versions of what are at work."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    found: dict[str, str | None] = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": sys.platform,
        "release": platform.release(),
        "machine": platform.machine(),
        "libraries": found,
    }


def file_listing(app: Settings, mark: Callable[[str], str]) -> Iterator[dict[str, Any]]:
    """Yield size and mode of what is in the home, three folders deep; names of others as marks."""
    own = _OURS | {app.config.path.name}

    def shown(name: str) -> str:
        is_own = any(name.removesuffix(end) in own for end in _ENDS)
        return name if is_own or name.startswith(_OURS_BEGIN) else _marked(name, mark)

    yield from _listed(app.home, shown, "", 1)


def _listed(
    folder: Path, shown: Callable[[str], str], before: str, depth: int
) -> Iterator[dict[str, Any]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        name = f"{before}{shown(entry.name)}"
        is_folder = entry.is_dir(follow_symlinks=False)
        try:
            info = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        yield {
            "path": f"{name}/" if is_folder else name,
            "bytes": None if is_folder else info.st_size,
            "mode": f"{info.st_mode & 0o7777:o}",
            "is_link": entry.is_symlink(),
        }
        if is_folder and depth < _DEPTH:
            yield from _listed(Path(entry.path), shown, f"{name}/", depth + 1)


def _marked(name: str, mark: Callable[[str], str]) -> str:
    suffix = Path(name).suffix
    return mark(name) + (suffix if suffix in _SUFFIXES else "")
