"""Which server: claims with their sources in, one resolved target or a conflict out."""

from eventsync_core.authority._digest import (
    Hypotheses,
    Match,
    QueueFile,
    hypotheses,
    match_digest,
)
from eventsync_core.authority._model import Claim, Claims, Login, ResolvedTarget
from eventsync_core.authority._resolve import resolve

__all__ = [
    "Claim",
    "Claims",
    "Hypotheses",
    "Login",
    "Match",
    "QueueFile",
    "ResolvedTarget",
    "hypotheses",
    "match_digest",
    "resolve",
]
