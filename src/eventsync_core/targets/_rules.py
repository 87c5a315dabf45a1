from eventsync_core.targets._model import Deployment


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
