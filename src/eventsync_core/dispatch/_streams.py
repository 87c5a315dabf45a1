from collections.abc import Mapping, Sequence
from typing import NamedTuple

from eventsync_core.census import remaining
from eventsync_core.stores import Stores


class Streams(NamedTuple):
    """The streams that may go to a target; and those that may not, with what waits in each."""

    granted: Sequence[str]
    waiting: Mapping[str, int]


def granted_streams(
    stores: Stores, target_id: str, stream: str | None = None, *, at: int
) -> Streams:
    """
    Return how the streams stand with the target; with *stream*, how this one alone does.

    What waits is what a grant from the start would let go: not what the target has, nor what is
    held or stays here anyway.
    """
    grants = stores.grants.grants(target_id)
    live = [grant.stream for grant in grants if grant.is_live and stream in (None, grant.stream)]
    others = [
        head.stream
        for head in stores.journal.heads()
        if head.position and head.stream not in live and stream in (None, head.stream)
    ]
    counts = {name: waits(stores, target_id, name, at=at) for name in others}
    return Streams(live, {name: count for name, count in counts.items() if count})


def waits(stores: Stores, target_id: str, stream: str, *, at: int) -> int:
    """Return how many events of *stream* a grant from the start would let go."""
    return remaining(stores.backlog.tally(target_id, stream, at=at, above=0).classes())
