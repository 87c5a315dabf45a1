from collections.abc import Mapping, Sequence
from enum import StrEnum

import attrs

from eventsync_core.events import Hold
from eventsync_core.receivers import Outcome


class Class(StrEnum):
    """Where an entry stands with a target; the first that applies, in this order."""

    DELIVERED = "delivered"
    TERMINAL_FAILED = "terminal_failed"
    IN_FLIGHT = "in_flight"
    QUARANTINED = "quarantined"
    SUPERSEDED = "superseded"
    ARCHIVED_OR_PURGED_UNDELIVERED = "archived_or_purged_undelivered"
    LOCAL_ONLY = "local_only"
    HELD = "held"
    NOT_GRANTED = "not_granted"
    UNKNOWN_EFFECT = "unknown_effect"
    PENDING = "pending"
    REJECTED = "rejected"
    IN_BACKOFF = "in_backoff"
    OWED = "owed"


@attrs.frozen(kw_only=True)
class Facts:
    """
    What decides an entry's class for one target.

    `outcome` is the last answer in this round, or None. `in_flight` is true while a live
    lease carries it, false when a dead one did, None otherwise. `superseded`: a later event
    with its key stands in for it. `purged`: its payload was let go on record.
    """

    outcome: Outcome | None = None
    in_flight: bool | None = None
    superseded: bool = False
    purged: bool = False
    hold: Hold | None = None
    is_granted: bool = True


@attrs.frozen
class Group:
    """`count` entries of which the same facts hold."""

    facts: Facts
    count: int


_BY_OUTCOME = {
    Outcome.UNKNOWN_EFFECT: Class.UNKNOWN_EFFECT,
    Outcome.PENDING: Class.PENDING,
    Outcome.REJECTED: Class.REJECTED,
    Outcome.TRANSIENT: Class.IN_BACKOFF,
}


def classify(facts: Facts) -> Class:
    """Return the one class of an entry."""
    if facts.outcome is not None and facts.outcome.is_settled:
        delivered = facts.outcome.is_delivered
        return Class.DELIVERED if delivered else Class.TERMINAL_FAILED
    if facts.in_flight:
        return Class.IN_FLIGHT
    if facts.hold is Hold.QUARANTINED:
        return Class.QUARANTINED
    if facts.superseded:
        return Class.SUPERSEDED
    if facts.purged:
        return Class.ARCHIVED_OR_PURGED_UNDELIVERED
    return _of_deliverable(facts)


def _of_deliverable(facts: Facts) -> Class:
    if facts.hold is not None:
        return Class.LOCAL_ONLY if facts.hold is Hold.LOCAL_ONLY else Class.HELD
    if not facts.is_granted:
        return Class.NOT_GRANTED
    if facts.in_flight is not None:
        return Class.UNKNOWN_EFFECT
    return Class.OWED if facts.outcome is None else _BY_OUTCOME[facts.outcome]


@attrs.frozen(kw_only=True)
class Tally:
    """
    The entries of one stream as one target sees them.

    `captured` is the stream's head; the counts of `groups` should sum to it.
    """

    captured: int
    groups: Sequence[Group]

    def classes(self) -> dict[Class, int]:
        """Return how many entries each class holds, every class named."""
        counts = dict.fromkeys(Class, 0)
        for group in self.groups:
            counts[classify(group.facts)] += group.count
        return counts

    def without_grant(self) -> "Tally":
        """Return the same entries as they count where nothing of the stream may go."""
        groups = [
            Group(attrs.evolve(group.facts, is_granted=False), group.count) for group in self.groups
        ]
        return attrs.evolve(self, groups=groups)

    @property
    def gone(self) -> int:
        """How many entries may go, and cannot: their payload was archived or purged."""
        return sum(
            group.count
            for group in self.groups
            if classify(group.facts) is Class.ARCHIVED_OR_PURGED_UNDELIVERED
            and group.facts.is_granted
            and group.facts.hold is None
        )

    @property
    def is_coherent(self) -> bool:
        """Every captured entry is counted exactly once, and none negatively."""
        return (
            sum(group.count for group in self.groups) == self.captured
            and min((group.count for group in self.groups), default=0) >= 0
        )


def remaining(classes: Mapping[Class, int]) -> int:
    """
    Return how many entries are still to be delivered: `remaining_owed`.

    Counters that are damaged may say less than none; then it is none.
    """
    left = (
        classes[Class.OWED]
        + classes[Class.IN_BACKOFF]
        + classes[Class.UNKNOWN_EFFECT]
        + classes[Class.REJECTED]
    )
    return max(left, 0)
