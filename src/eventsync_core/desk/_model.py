from collections import Counter
from typing import Literal

import attrs

from eventsync_core.ledger import Act, Busy, Standing
from eventsync_core.receivers import Outcome

PAGE = 500
"""How many entries one unit of work changes."""

Skip = Literal["not_granted", "without_text", "superseded", "held"]


@attrs.frozen(kw_only=True)
class Selection:
    """
    Which entries are meant: those of which all that is said here holds.

    `outcomes` are last outcomes; `positions` (None: any) are places in the stream; `types`
    (empty: any) are event types; `reason` stands in the words of the last answer, whatever
    the case of letters; captured not before `captured_from` and before `captured_until`.
    """

    outcomes: frozenset[Outcome]
    positions: frozenset[tuple[str, int]] | None = None
    types: frozenset[str] = frozenset()
    reason: str = ""
    captured_from: int | None = None
    captured_until: int | None = None


@attrs.frozen(kw_only=True)
class Order:
    """What `actor` asks of a target's entries."""

    act: Act
    target_id: str
    selection: Selection
    actor: str


@attrs.define
class Account:
    """
    What came of an order, or would come of it.

    `changed` counts entries by the outcome that stood before. The others that were meant are
    left as they are: `held`, `not_granted` because the grant begins above them, `superseded`
    because a later event stands for them, or `without_text` because their payload is gone. Of a
    stream in `busy` somebody else has the lease. `found` are those of the named positions that
    were meant, in any of these ways. `settled`: that dealt with a reset noted of the target.
    """

    changed: Counter[Outcome] = attrs.field(factory=Counter)
    held: int = 0
    not_granted: int = 0
    superseded: int = 0
    without_text: int = 0
    busy: dict[str, Busy] = attrs.field(factory=dict)
    found: set[tuple[str, int]] = attrs.field(factory=set)
    settled: bool = False

    def skip(self, why: Skip) -> None:
        """Count one entry that is left as it is."""
        setattr(self, why, getattr(self, why) + 1)


def matches(selection: Selection, stream: str, standing: Standing) -> bool:
    """Say whether *standing*, an entry of *stream*, is one of those that are meant."""
    chosen, place = selection, (stream, standing.position)
    return (
        standing.row.outcome in chosen.outcomes
        and (chosen.positions is None or place in chosen.positions)
        and (not chosen.types or standing.event_type in chosen.types)
        and chosen.reason.casefold() in standing.said.casefold()
        and (chosen.captured_from is None or standing.captured_at >= chosen.captured_from)
        and (chosen.captured_until is None or standing.captured_at < chosen.captured_until)
    )


def skipped(standing: Standing, *, reach: int) -> Skip | None:
    """Return why the entry cannot be offered above *reach*, or None: it can."""
    if standing.position <= reach:
        return "not_granted"
    if not standing.has_text:
        return "without_text"
    if standing.is_superseded:
        return "superseded"
    return "held" if standing.is_held else None
