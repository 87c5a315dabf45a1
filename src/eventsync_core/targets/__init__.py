"""Who a target is: canonical URL, team and user; what is deployed there is only noted."""

from eventsync_core.ids import Kind
from eventsync_core.targets._memory import MemoryTargetRegistry
from eventsync_core.targets._model import Deployment, Target, make_target
from eventsync_core.targets._port import TargetRegistry
from eventsync_core.targets._rules import merge
from eventsync_core.targets._url import canonical_url, is_loopback, without_user_info

__all__ = [
    "Deployment",
    "Kind",
    "MemoryTargetRegistry",
    "Target",
    "TargetRegistry",
    "canonical_url",
    "is_loopback",
    "make_target",
    "merge",
    "without_user_info",
]
