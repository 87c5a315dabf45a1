"""Who a target is: canonical URL, team and user; and what is known of it besides."""

from eventsync_core.ids import Kind
from eventsync_core.targets._back_off import (
    BackOff,
    Breaker,
    next_back_off,
    probe,
)
from eventsync_core.targets._health import Health, read_health
from eventsync_core.targets._limits import MOST_EVENTS, Limits, merge_limits, read_limits
from eventsync_core.targets._memory import MemoryTargetRegistry
from eventsync_core.targets._model import Deployment, Reset, Target, make_target
from eventsync_core.targets._port import TargetRegistry
from eventsync_core.targets._rules import merge, observe, register
from eventsync_core.targets._url import (
    canonical_url,
    holds_user_info,
    is_loopback,
    may_get_tokens,
    require_safe,
    without_user_info,
)

__all__ = [
    "MOST_EVENTS",
    "BackOff",
    "Breaker",
    "Deployment",
    "Health",
    "Kind",
    "Limits",
    "MemoryTargetRegistry",
    "Reset",
    "Target",
    "TargetRegistry",
    "canonical_url",
    "holds_user_info",
    "is_loopback",
    "make_target",
    "may_get_tokens",
    "merge",
    "merge_limits",
    "next_back_off",
    "observe",
    "probe",
    "read_health",
    "read_limits",
    "register",
    "require_safe",
    "without_user_info",
]
