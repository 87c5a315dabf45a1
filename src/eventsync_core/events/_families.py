from collections.abc import Iterator, Mapping
from enum import StrEnum

import attrs

from eventsync_core.events._model import Event, Hold
from eventsync_core.ids import one_line

_LONGEST_NAME = 100


class Family(StrEnum):
    """What may become of events of a type; an unknown one is treated as bound for a target."""

    TARGET_BOUND = "target_bound"
    LOCAL_ONLY = "local_only"
    DISCARDABLE = "discardable"
    UNKNOWN = "unknown"


def _understood(table: Mapping[str, str]) -> Mapping[str, Family]:
    return {event_type: Family(word) for event_type, word in table.items()}


@attrs.frozen
class Families:
    """
    Event types with the family of each; a type that is not named is `unknown`.

    A family may be given by its word. What is done to the mapping later changes nothing here.

    Raises:
        ValueError: A word names no family.
    """

    _table: Mapping[str, Family] = attrs.field(factory=dict, converter=_understood)

    def of(self, event_type: str | None) -> Family:
        """Return the family of *event_type*; an event without a type has none that is known."""
        if event_type is None:
            return Family.UNKNOWN
        return self._table.get(event_type, Family.UNKNOWN)

    def extended(self, more: Mapping[str, str]) -> "Families":
        """Return these families with *more*, which wins; see `Families` for what it may hold."""
        return Families({**self._table, **more})

    def __iter__(self) -> Iterator[tuple[str, Family]]:
        """Yield every named type with its family, in order of their names."""
        return iter(sorted(self._table.items()))


_TARGET_BOUND = [
    "BuildRegistered",
    "WPStatusChanged",
    "WPCreated",
    "WPAssigned",
    "MissionCreated",
    "MissionClosed",
    "MissionStarted",
    "MissionCompleted",
    "PhaseEntered",
    "MissionRunStarted",
    "NextStepIssued",
    "NextStepAutoCompleted",
    "DecisionInputRequested",
    "DecisionInputAnswered",
    "MissionRunCompleted",
    "TokenUsageRecorded",
    "DiffSummaryRecorded",
    "HistoryAdded",
    "ErrorLogged",
    "DependencyResolved",
    "MissionDossierArtifactIndexed",
    "MissionDossierArtifactMissing",
    "MissionDossierSnapshotComputed",
    "MissionDossierParityDriftDetected",
    "MissionOriginBound",
    "ProofItemRecorded",
    "ReviewProofRecorded",
    "TestEvidenceCaptured",
    "BenchmarkEvidenceAttached",
    "SecurityScanCompleted",
    "PullRequestLineageRecorded",
    "HumanApprovalRecorded",
]

FAMILIES = Families(
    {
        **dict.fromkeys(_TARGET_BOUND, Family.TARGET_BOUND),
        **dict.fromkeys(("MissionReopened", "FollowUpRecorded"), Family.LOCAL_ONLY),
        **dict.fromkeys(("BuildHeartbeat", "PresenceHeartbeat"), Family.DISCARDABLE),
    }
)
"""The types that the older command line emits; nobody but itself was ever told the local ones."""


def as_family_says(event: Event, families: Families) -> Event:
    """Return *event*, held if its type is local only; the hold keeps what else is wrong with it."""
    if families.of(event.event_type) is not Family.LOCAL_ONLY:
        return event
    reason = f"events of type {one_line(event.event_type or '', _LONGEST_NAME)} are local only"
    # An invalid one says so too: once released, it would be offered.
    reason = f"{reason}; {event.hold_reason}" if event.hold_reason else reason
    return attrs.evolve(event, hold=Hold.LOCAL_ONLY, hold_reason=reason)
