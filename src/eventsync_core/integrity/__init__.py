"""Walk what is stored; report what does not hold, repair nothing, set the damaged aside."""

from eventsync_core.integrity._model import (
    COPIES_LEFT,
    GOOD_COPY,
    HOLDS_MENDED,
    MEND,
    TEXTS_MENDED,
    Verification,
    Verified,
)
from eventsync_core.integrity._quarantine import (
    Damage,
    damage_in,
    damaged,
    loose,
    named_damage,
    quarantine,
)
from eventsync_core.integrity._reconcile import Held, Reconciliation, reconcile
from eventsync_core.integrity._references import References, verify_references
from eventsync_core.integrity._verify import verify

__all__ = [
    "COPIES_LEFT",
    "GOOD_COPY",
    "HOLDS_MENDED",
    "MEND",
    "TEXTS_MENDED",
    "Damage",
    "Held",
    "Reconciliation",
    "References",
    "Verification",
    "Verified",
    "damage_in",
    "damaged",
    "loose",
    "named_damage",
    "quarantine",
    "reconcile",
    "verify",
    "verify_references",
]
