"""What a home and the environment say of the server, and the queues that old programs left."""

import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eventsync_adapters.files._config import Config, source_of
from eventsync_adapters.files._environment import VARIABLES, Environment
from eventsync_core.authority import Claim, Claims, Login

__all__ = ["queue_files", "read_claims"]

_LOGIN = "credentials"
_SCOPE = "active_queue_scope"
_QUEUE = re.compile(r"queue-[0-9a-f]{16}\.db")
_LONGEST = 64 * 1024


def read_claims(home: Path, config: Config, environment: Environment) -> Claims:
    """
    Return what *config*, *environment* and the files of *home* say of the server. Never raises.

    Of the credentials three keys are read, server, user and team, never a token. A file that
    cannot be read or understood says nothing.
    """
    return Claims(
        configured_server=Claim(config.server_url, source_of("server_url")),
        env_server=Claim(environment.saas_url, VARIABLES["saas_url"]),
        user=Claim(config.user, source_of("user")),
        team=Claim(config.team, source_of("team")),
        private_team=Claim(config.private_team_id, source_of("private_team_id")),
        login=_login(home / _LOGIN),
        cached_scope=Claim(_text(home / _SCOPE), _SCOPE),
    )


def queue_files(home: Path) -> list[Path] | None:
    """Return the queues that old programs left in *home*, by name; None: nobody can tell."""
    folder = home / "queues"
    try:
        return sorted(path for path in folder.iterdir() if _QUEUE.fullmatch(path.name))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError):
        return None


def _login(path: Path) -> Login:
    text = _text(path)
    if not text:
        return Login()
    import tomllib  # noqa: PLC0415

    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError):
        return Login()
    return Login(
        server=_said(document, "server", "url"),
        user=_said(document, "user", "username"),
        team=_said(document, "user", "team_slug"),
    )


def _said(document: Mapping[str, Any], table: str, key: str) -> Claim:
    found = document.get(table)
    value = found.get(key) if isinstance(found, Mapping) else None
    return Claim(value if isinstance(value, str) else "", f"{_LOGIN} [{table}] {key}")


def _text(path: Path) -> str:
    """Return the text of a small file; nothing where there is none."""
    try:
        # Opening a pipe would wait for whoever writes it.
        if not stat.S_ISREG(path.stat().st_mode):
            return ""
        with path.open("rb") as file:
            return file.read(_LONGEST).decode("utf-8").strip()
    except (OSError, ValueError):
        return ""
