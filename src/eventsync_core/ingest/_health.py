from typing import Any

import attrs

from eventsync_core.ingest._batch import limits_document
from eventsync_core.targets import Deployment


def answer_health(deployment: Deployment) -> dict[str, Any]:
    """Return what the server says of itself: who it is, or null, and what a batch may hold."""
    return {**attrs.asdict(deployment), "sync_ingress": {"limits": limits_document()}}
