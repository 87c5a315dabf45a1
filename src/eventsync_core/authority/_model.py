from collections.abc import Mapping
from typing import Literal

import attrs

from eventsync_core.errors import ServerMissingError, TargetConflictError
from eventsync_core.targets import Kind, Target, make_target, may_get_tokens, require_safe

OverrideMode = Literal["none", "setup_only", "process_override"]
ScopeStatus = Literal["absent", "matches", "stale_non_authoritative"]

NINE = (
    "configured_server_url",
    "env_server_url",
    "override_mode",
    "resolved_server_url",
    "user_id",
    "team_slug",
    "derived_queue_scope",
    "queue_db_path",
    "active_queue_scope_status",
)


@attrs.frozen
class Claim:
    """What one source says, and the source in words; blank text says nothing."""

    value: str = ""
    source: str = ""

    @property
    def text(self) -> str:
        """What it says, without white space around it."""
        return self.value.strip()


@attrs.frozen(kw_only=True)
class Login:
    """Whom an earlier login at `server` was for; it says nothing about any other server."""

    server: Claim = Claim()
    user: Claim = Claim()
    team: Claim = Claim()


@attrs.frozen(kw_only=True)
class Claims:
    """
    What is said about the server, and about who is known there.

    `configured_server`, `user` and `team` are what the home's configuration says, `env_server`
    what the environment says. `login` counts where the configuration is silent. `cached_scope`
    is what an old program noted last; it is compared, never believed. `private_team` is the id
    that old programs used for a team of one person, to tell their queues.
    """

    configured_server: Claim = Claim()
    env_server: Claim = Claim()
    user: Claim = Claim()
    team: Claim = Claim()
    login: Login = Login()
    cached_scope: Claim = Claim()
    private_team: Claim = Claim()


@attrs.frozen(kw_only=True)
class ResolvedTarget:
    """
    The one server, or none, and who is known there.

    The nine fields before `provenance` are the keys of `target_authority` in `sync status
    --json` (wire contract). `provenance` names for each of the nine, in words, where it comes
    from. With `override_mode` setup_only two sources disagree and nothing is resolved.
    """

    configured_server_url: str | None
    env_server_url: str | None
    override_mode: OverrideMode
    resolved_server_url: str | None
    user_id: str | None
    team_slug: str | None
    derived_queue_scope: str
    queue_db_path: str
    active_queue_scope_status: ScopeStatus
    provenance: Mapping[str, str] = attrs.field(eq=False)

    @property
    def is_conflict(self) -> bool:
        """Environment and configuration name different servers, and neither was chosen."""
        return self.override_mode == "setup_only"

    @property
    def conflict(self) -> TargetConflictError | None:
        """The conflict as an error to raise, or None."""
        if not self.is_conflict:
            return None
        configured, env = self.configured_server_url or "", self.env_server_url or ""
        return TargetConflictError(configured, env, can_choose=may_get_tokens(env))

    def target(self) -> Target:
        """
        Return the Teamspace target that events for it go to.

        Raises:
            TargetConflictError: Two sources name different servers.
            ServerMissingError: None is named.
            TargetUrlError: It is not one that a token may be sent to.
        """
        conflict = self.conflict
        if conflict is not None:
            raise conflict
        place = self.resolved_server_url
        if place is None:
            raise ServerMissingError
        require_safe(place)
        return make_target(
            Kind.TEAMSPACE, place, team=self.team_slug or "", user=self.user_id or ""
        )

    def document(self) -> dict[str, str | None]:
        """Return the nine fields as JSON."""
        return {name: getattr(self, name) for name in NINE}
