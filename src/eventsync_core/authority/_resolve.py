from eventsync_core.authority._model import (
    Claim,
    Claims,
    Login,
    OverrideMode,
    ResolvedTarget,
    ScopeStatus,
)
from eventsync_core.authority._scope import escaped, queue_path, scope_of
from eventsync_core.errors import TargetUrlError
from eventsync_core.targets import canonical_url, without_user_info

_NOBODY = "default"
_NO_TEAM = "no-team"


def resolve(claims: Claims, *, home: str, process_wide: bool = False) -> ResolvedTarget:
    """
    Return the server that *claims* agree on, and who is known there.

    URLs are compared in canonical form. Without a configured one the environment's is used;
    there is no built-in server. Two different ones resolve to nothing, a conflict, unless a
    host asks with *process_wide* for the environment's in all of its process. User and team are
    the configured ones, else those of a login at the resolved server.
    """
    configured, env = claims.configured_server, claims.env_server
    differ = bool(configured.text and env.text) and place(configured.text) != place(env.text)
    mode = _mode(differ=differ, process_wide=process_wide)
    server = _server(configured, env, mode)
    resolved = place(server.text) if server.text else None
    login = claims.login if resolved and _is_at(claims.login, resolved) else Login()
    user = claims.user if claims.user.text else login.user
    team = claims.team if claims.team.text else login.team
    scope = scope_of(escaped(resolved or ""), escaped(user.text), escaped(team.text))
    cached = _cached_scope(claims)
    return ResolvedTarget(
        configured_server_url=_shown(configured),
        env_server_url=_shown(env),
        override_mode=mode,
        resolved_server_url=resolved,
        user_id=user.text or None,
        team_slug=team.text or None,
        derived_queue_scope=scope,
        queue_db_path=queue_path(home, scope),
        active_queue_scope_status=_compare(cached, scope),
        provenance={
            "configured_server_url": _source(configured),
            "env_server_url": _source(env),
            "override_mode": _why(claims, mode),
            "resolved_server_url": _why(claims, mode) if mode == "setup_only" else _source(server),
            "user_id": _source(user),
            "team_slug": _source(team),
            "derived_queue_scope": "resolved_server_url, user_id and team_slug",
            "queue_db_path": "the home and derived_queue_scope",
            "active_queue_scope_status": _source(cached),
        },
    )


def place(url: str) -> str:
    """Return the canonical form of *url*; what names no server as it stands, without a user."""
    try:
        return canonical_url(url)
    except TargetUrlError:
        return without_user_info(url)


def _mode(*, differ: bool, process_wide: bool) -> OverrideMode:
    if not differ:
        return "none"
    return "process_override" if process_wide else "setup_only"


def _server(configured: Claim, env: Claim, mode: OverrideMode) -> Claim:
    if mode == "setup_only":
        return Claim()
    is_configured = mode == "none" and configured.text
    return configured if is_configured else env


def _is_at(login: Login, server: str) -> bool:
    return bool(login.server.text) and place(login.server.text) == server


def _shown(claim: Claim) -> str | None:
    return without_user_info(claim.text) or None


def _source(claim: Claim) -> str:
    return claim.source if claim.text else _NOBODY


def _why(claims: Claims, mode: OverrideMode) -> str:
    configured, env = claims.configured_server, claims.env_server
    if mode == "setup_only":
        return f"{configured.source} and {env.source} disagree"
    if mode == "process_override":
        return f"{env.source} instead of {configured.source}, as the host asked"
    named = [claim.source for claim in (configured, env) if claim.text]
    return " and ".join(named) or _NOBODY


def _cached_scope(claims: Claims) -> Claim:
    """Return the scope an old program used last: as it noted it, else that of its login."""
    if claims.cached_scope.text:
        return claims.cached_scope
    login = claims.login
    if not (login.server.text and login.user.text):
        return Claim()
    scope = scope_of(login.server.text, login.user.text, login.team.text or _NO_TEAM)
    return Claim(scope, login.server.source)


def _compare(cached: Claim, derived: str) -> ScopeStatus:
    if not cached.text:
        return "absent"
    return "matches" if cached.text == derived else "stale_non_authoritative"
