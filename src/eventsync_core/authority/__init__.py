"""Which server: claims with their sources in, one resolved target or a conflict out."""

from eventsync_core.authority._digest import (
    Hypotheses,
    Match,
    QueueFile,
    hypotheses,
    match_digest,
)
from eventsync_core.authority._model import Claim, Claims, Login, OverrideMode, ResolvedTarget
from eventsync_core.authority._resolve import resolve
from eventsync_core.authority._scope import queue_digest

__all__ = [
    "Claim",
    "Claims",
    "Hypotheses",
    "Login",
    "Match",
    "OverrideMode",
    "QueueFile",
    "ResolvedTarget",
    "hypotheses",
    "match_digest",
    "queue_digest",
    "resolve",
]
