"""Which of the selected entries may go now: pure rules of order and packing."""

from collections.abc import Mapping, Sequence
from operator import attrgetter

import attrs

from eventsync_core.ledger import Candidate
from eventsync_core.targets import Limits

_WRAPPER_BYTES = len('{"events":[]}') - 1
REJECTED_BATCH = 100


@attrs.frozen
class Choice:
    """Candidates that may go, by position, and those that wait: position to due time."""

    go: tuple[Candidate, ...]
    wait: Mapping[int, int]


def choose(
    candidates: Sequence[Candidate], waiting: Mapping[str, Sequence[tuple[int, int]]]
) -> Choice:
    """
    Hold back every candidate behind an earlier entry of its aggregate that is not going.

    *waiting* lists, per aggregate, the first entries that make later ones wait, as
    (position, due at); more of them than there are candidates are never needed. Who waits
    becomes due with the last it waits for, and never earlier than it was.
    """
    go: list[Candidate] = []
    wait: dict[int, int] = {}
    going: set[int] = set()
    for candidate in sorted(candidates, key=attrgetter("position")):
        position = candidate.position
        ahead = waiting.get(candidate.aggregate or "", ())
        before = [
            wait.get(place, due) for place, due in ahead if place < position and place not in going
        ]
        if before:
            wait[position] = max(*before, candidate.due_at or 0)
            continue
        go.append(candidate)
        going.add(position)
    return Choice(tuple(go), wait)


def packing_room(limits: Limits) -> int:
    """Return how many bytes of envelopes, each with one separator, close a batch."""
    return max(limits.packing_bytes - _WRAPPER_BYTES, 1)


def tightest(first: Limits, second: Limits | None) -> Limits:
    """Return limits that both allow; one that names nothing allows what the other does."""
    if second is None:
        return first
    sizes = [limit for limit in (first.max_bytes, second.max_bytes) if limit is not None]
    return Limits(
        max_events=min(first.max_events, second.max_events),
        max_bytes=min(sizes, default=None),
        retry_least=first.retry_least or second.retry_least,
        retry_most=first.retry_most or second.retry_most,
    )


def fits(size: int, limits: Limits) -> bool:
    """Say whether a body of *size* bytes is within the hard limit."""
    return size <= limits.hard_bytes


def halves(
    candidates: Sequence[Candidate],
) -> tuple[tuple[Candidate, ...], tuple[Candidate, ...]]:
    """Cut at `len // 2`, keeping order; the left half is to be finished first."""
    middle = len(candidates) // 2
    return tuple(candidates[:middle]), tuple(candidates[middle:])
