from collections.abc import Mapping, Sequence
from typing import NamedTuple

from eventsync_core.stores import Stores


class Streams(NamedTuple):
    """The streams that may go to a target, and those that hold events but may not, with counts."""

    granted: Sequence[str]
    waiting: Mapping[str, int]


def granted_streams(stores: Stores, target_id: str, stream: str | None = None) -> Streams:
    """Return how the streams stand with the target; with *stream*, how this one alone does."""
    grants = stores.grants.grants(target_id)
    live = [grant.stream for grant in grants if grant.is_live and stream in (None, grant.stream)]
    waiting = {
        head.stream: head.position
        for head in stores.journal.heads()
        if head.position and head.stream not in live and stream in (None, head.stream)
    }
    return Streams(live, waiting)
