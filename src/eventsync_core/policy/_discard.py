from enum import StrEnum
from typing import Literal

from eventsync_core.events import Family


class OnDiscard(StrEnum):
    """What a policy without retention does with an event that may be bound for a target."""

    REFUSE = "refuse"
    AUDIT = "audit"


def may_discard(
    family: Family, on_discard: OnDiscard
) -> Literal["discard_allowed", "refused", "audit_recorded"]:
    """
    Say whether an event of *family* may be dropped: freely, not at all, or with an audit row.

    What is local only or discardable may be dropped; anything else, unknown families included,
    is treated as bound for a target.
    """
    if family in (Family.LOCAL_ONLY, Family.DISCARDABLE):
        return "discard_allowed"
    return "audit_recorded" if on_discard is OnDiscard.AUDIT else "refused"
