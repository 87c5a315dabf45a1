from collections.abc import Collection
from enum import StrEnum

import attrs

from eventsync_core.payloads import Kept
from eventsync_core.stores import Stores


@attrs.frozen(kw_only=True)
class Choice:
    """
    Which payloads are meant: those of which all that is said here holds.

    `targets` are those that must have the event (None: every known one); `types` (empty: any)
    are event types; captured before `captured_before`; of at least `at_least` bytes; not among
    the last `keep` entries of their stream.
    """

    targets: frozenset[str] | None = None
    types: frozenset[str] = frozenset()
    captured_before: int | None = None
    at_least: int = 0
    keep: int = 0


class Stay(StrEnum):
    """Why a payload stays where it is."""

    NOT_CHOSEN = "not_chosen"
    IN_FLIGHT = "in_flight"
    UNDELIVERED = "undelivered"


def why_stays(
    kept: Kept,
    choice: Choice,
    targets: Collection[str],
    *,
    head: int,
    in_flight: Collection[int] = (),
) -> Stay | None:
    """
    Return why the payload stays, or None: every one of *targets* has it, and there is one.

    *head* is the last position of its stream; *in_flight* are those on their way to a target.
    """
    if not _is_meant(kept, choice, head):
        return Stay.NOT_CHOSEN
    if kept.position in in_flight:
        return Stay.IN_FLIGHT
    is_delivered = bool(targets) and kept.delivered_to.issuperset(targets)
    return None if is_delivered else Stay.UNDELIVERED


def _is_meant(kept: Kept, choice: Choice, head: int) -> bool:
    return (
        kept.position <= head - choice.keep
        and kept.size >= choice.at_least
        and (not choice.types or kept.event_type in choice.types)
        and (choice.captured_before is None or kept.captured_at < choice.captured_before)
    )


def targets_of(stores: Stores, choice: Choice) -> frozenset[str]:
    """
    Return the targets that must have an event before its payload may go.

    Raises:
        UnknownTargetError: One that was named is not registered.
    """
    if choice.targets is None:
        return frozenset(target.target_id for target in stores.targets.targets())
    return frozenset(stores.targets.get(target_id).target_id for target_id in choice.targets)
