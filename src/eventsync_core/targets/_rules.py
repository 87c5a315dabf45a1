import attrs

from eventsync_core.targets._health import Health
from eventsync_core.targets._model import Deployment, Reset, Target

_TELLING = ("server_instance_id", "environment_name")


def merge(old: Deployment | None, new: Deployment | None) -> Deployment | None:
    """Return what is known of a deployment after *new* facts: those not named stay."""
    if old is None or new is None:
        return new or old
    return Deployment(
        server_instance_id=new.server_instance_id or old.server_instance_id,
        deployment_id=new.deployment_id or old.deployment_id,
        environment_name=new.environment_name or old.environment_name,
        git_sha=new.git_sha or old.git_sha,
    )


def detect_reset(before: Deployment | None, now: Deployment | None) -> tuple[str, ...]:
    """
    Return the facts by which a server is another than *before*; none: it is the same.

    Only its instance and its environment tell, and only where both sides name them: the other
    facts change with every ordinary deployment.
    """
    if before is None or now is None:
        return ()
    pairs = ((name, getattr(before, name), getattr(now, name)) for name in _TELLING)
    return tuple(name for name, old, new in pairs if old and new and old != new)


def register(known: Target | None, target: Target, *, at: int) -> Target:
    """Return *target* as it is stored: with all that is *known*, and the facts it brings."""
    bare = Target(
        target_id=target.target_id,
        kind=target.kind,
        url=target.url,
        team=target.team,
        user=target.user,
    )
    return _with_facts(known or bare, target.deployment, at=at)


def observe(target: Target, health: Health | None, *, at: int) -> Target:
    """
    Return *target* after its health was asked for; *health* is None when it did not answer.

    A change that `detect_reset` names is noted against the facts known until now, and stays
    noted; further ones are added to it. Limits that are named replace those known.
    """
    asked = attrs.evolve(target, checked_at=at)
    if health is None:
        return asked
    limits = health.limits or target.limits
    return _with_facts(attrs.evolve(asked, limits=limits), health.deployment, at=at)


def _with_facts(target: Target, facts: Deployment | None, *, at: int) -> Target:
    reset, changed = target.reset, detect_reset(target.deployment, facts)
    if changed and target.deployment is not None:
        reset = reset or Reset(changed_fields=(), previous=target.deployment, seen_at=at)
        names = tuple(name for name in _TELLING if name in {*reset.changed_fields, *changed})
        reset = attrs.evolve(reset, changed_fields=names)
    return attrs.evolve(target, deployment=merge(target.deployment, facts), reset=reset)
