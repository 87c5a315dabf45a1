"""Walk what is stored; report what does not hold, repair nothing, set the damaged aside."""

from eventsync_core.integrity._model import Finding, Flaw, Verification, Verified
from eventsync_core.integrity._references import References, verify_references
from eventsync_core.integrity._verify import verify

__all__ = [
    "Finding",
    "Flaw",
    "References",
    "Verification",
    "Verified",
    "verify",
    "verify_references",
]
