"""Which server: claims with their sources in, one resolved target or a conflict out."""

from hashlib import sha256
from typing import Literal

import attrs

from eventsync_core.errors import TargetUrlError
from eventsync_core.targets import canonical_url

__all__ = ["Claims", "ResolvedTarget", "queue_file_name", "resolve"]


@attrs.frozen(kw_only=True)
class Claims:
    """
    What is said about the server, each by its source; empty text says nothing.

    `configured_server_url`, `team` and `user` stand in the home's config.toml under `[sync]`,
    `env_server_url` in SPEC_KITTY_SAAS_URL; `cached_scope` in the file active_queue_scope.
    """

    configured_server_url: str = ""
    env_server_url: str = ""
    user: str = ""
    team: str = ""
    cached_scope: str = ""


@attrs.frozen(kw_only=True)
class ResolvedTarget:
    """
    The one server, or none: with `override_mode` setup_only two sources disagree.

    Field names are the keys of `target_authority` in `sync status --json`
    (wire contract: nine keys with `queue_db_path`, which the caller adds).
    """

    configured_server_url: str | None
    env_server_url: str | None
    override_mode: Literal["none", "setup_only"]
    resolved_server_url: str | None
    user_id: str | None
    team_slug: str | None
    derived_queue_scope: str
    active_queue_scope_status: Literal["absent", "matches", "stale_non_authoritative"]

    @property
    def is_conflict(self) -> bool:
        """Environment and configuration name different servers."""
        return self.override_mode == "setup_only"


def resolve(claims: Claims) -> ResolvedTarget:
    """
    Return the server that *claims* agree on.

    URLs are compared in canonical form. Without a configured URL the environment's is used;
    two different ones are a conflict that resolves to nothing. There is no built-in server.
    """
    configured, env = claims.configured_server_url.strip(), claims.env_server_url.strip()
    differ = bool(configured and env) and _place(configured) != _place(env)
    resolved = None if differ else (configured or env or None)
    scope = _scope(resolved or "", claims.user, claims.team)
    return ResolvedTarget(
        configured_server_url=configured or None,
        env_server_url=env or None,
        override_mode="setup_only" if differ else "none",
        resolved_server_url=resolved and _place(resolved),
        user_id=claims.user.strip() or None,
        team_slug=claims.team.strip() or None,
        derived_queue_scope=scope,
        active_queue_scope_status=_compare(claims.cached_scope.strip(), scope),
    )


def queue_file_name(scope: str) -> str:
    """Return the name the old queues gave the file of *scope* (upstream: 16 hex digits)."""
    return f"queue-{sha256(scope.encode()).hexdigest()[:16]}.db"


def _place(url: str) -> str:
    try:
        return canonical_url(url)
    except TargetUrlError:
        return url


def _scope(server: str, user: str, team: str) -> str:
    parts = (server.strip().lower().rstrip("/"), user.strip().lower(), team.strip().lower())
    return "|".join(
        "".join(char if char.isascii() else f"_u{ord(char):04x}_" for char in part)
        for part in parts
    )


def _compare(cached: str, derived: str) -> Literal["absent", "matches", "stale_non_authoritative"]:
    if not cached:
        return "absent"
    return "matches" if cached == derived else "stale_non_authoritative"
