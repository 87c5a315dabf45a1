import attrs

from eventsync_core.ids import Kind, lower_name, target_key
from eventsync_core.targets._back_off import BackOff
from eventsync_core.targets._limits import Limits
from eventsync_core.targets._url import canonical_url


@attrs.frozen(kw_only=True)
class Deployment:
    """What a server says of itself at `/api/v1/sync/health/`; recorded, never identity."""

    server_instance_id: str | None = None
    deployment_id: str | None = None
    environment_name: str | None = None
    git_sha: str | None = None


@attrs.frozen(kw_only=True)
class Reset:
    """
    A target that is another server than before, and may hold nothing of what it was sent.

    `changed_fields` name facts of its deployment, `previous` is the deployment before the
    first of them changed, `seen_at` when that was noticed, in microseconds since 1970 UTC.
    """

    changed_fields: tuple[str, ...]
    previous: Deployment
    seen_at: int


@attrs.frozen(kw_only=True)
class Target:
    """
    Where events go: canonical URL, team and user, and nothing else.

    For an external receiver the URL is its endpoint with its query, for Teamspace the
    server. `target_id` follows from the parts. `paused` says why nothing is sent there, empty
    when it may be. `back_off` comes of its own faults, `body_back_off` of those that may be of
    the bodies that met them, counted apart: events do not heed it. `limits` are those it named,
    `checked_at` is when its health was last asked for, `reset` is set until an operator has dealt
    with it.
    """

    target_id: str
    kind: Kind
    url: str
    team: str = ""
    user: str = ""
    deployment: Deployment | None = attrs.field(default=None, eq=False)
    paused: str = attrs.field(default="", eq=False)
    back_off: BackOff = attrs.field(factory=BackOff, eq=False)
    body_back_off: BackOff = attrs.field(factory=BackOff, eq=False)
    limits: Limits | None = attrs.field(default=None, eq=False)
    checked_at: int | None = attrs.field(default=None, eq=False)
    reset: Reset | None = attrs.field(default=None, eq=False)

    @property
    def longer_back_off(self) -> BackOff:
        """The one of the two that lasts longer: bodies heed both."""
        return max(self.back_off, self.body_back_off, key=lambda each: each.until)


def make_target(kind: Kind, url: str, *, team: str = "", user: str = "") -> Target:
    """
    Return the target of that *kind* at *url* for *team* and *user*.

    An e-mail address is compared without regard to the case of ASCII letters, as those of others
    may make two addresses one; a team is taken as it is.

    Raises:
        TargetUrlError: *url* cannot name a target.
    """
    place = canonical_url(url, keep_query=kind is Kind.EXTERNAL)
    who = lower_name(user)
    whose = team.strip()
    return Target(
        target_id=target_key(kind, place, whose, who), kind=kind, url=place, team=whose, user=who
    )
