from collections.abc import Mapping

import attrs

from eventsync_core.ids import one_line
from eventsync_core.targets._limits import Limits, read_limits
from eventsync_core.targets._model import Deployment

_LONGEST_FACT = 200


@attrs.frozen(kw_only=True)
class Health:
    """What a server says of itself; None for what it does not say."""

    deployment: Deployment | None = None
    limits: Limits | None = None


def read_health(document: object) -> Health:
    """
    Return what the answer of `GET /api/v1/sync/health/`, read from JSON, says.

    Whatever it holds, this does not raise: what makes no sense counts as not said.
    """
    if not isinstance(document, Mapping):
        return Health()
    deployment = Deployment(
        **{field.name: _fact(document.get(field.name)) for field in attrs.fields(Deployment)}
    )
    ingress = document.get("sync_ingress")
    limits = read_limits(ingress.get("limits")) if isinstance(ingress, Mapping) else None
    return Health(deployment=None if deployment == Deployment() else deployment, limits=limits)


def _fact(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    return one_line(value, _LONGEST_FACT) or None
