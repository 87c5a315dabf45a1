"""Events go before the bodies of their stream, and make them wait only so long."""

import attrs

from eventsync_core.egress import Refusal
from eventsync_core.ledger import Candidate, Lane
from eventsync_core.stores import Stores
from eventsync_core.upload._report import UploadStop

MOST_OFFERS = 3
"""An event that was offered so often, and is still not settled, makes no body wait any more."""

_DELIVER = ("eventsync", "sync", "now")
_EVENTS = 100
_BYTES = 262_144


@attrs.frozen
class EventBefore:
    """The event that the bodies of `stream` wait for: it can be delivered now, and goes first."""

    stream: str
    event_id: str
    position: int

    def refusal(self) -> Refusal:
        """Return that as the reason why no body may go, with the command that helps."""
        message = (
            f"bodies of stream {self.stream} wait for its event {self.event_id}, which goes first; "
            f"eventsync journal hold {self.event_id} lets them go without it"
        )
        return Refusal(UploadStop.EVENTS_FIRST, message, "eventsync sync now", _DELIVER)


def event_before(stores: Stores, target_id: str, stream: str, *, at: int) -> EventBefore | None:
    """
    Return an event that makes the bodies of *stream* wait, or None: they may go.

    It can be offered to the target, was due by *at*, and was offered less than `MOST_OFFERS`
    times. One that is held, refused, pending or waiting for its next attempt makes none wait.
    Of those that were offered before, the hundred that have been due the longest are looked at.
    """
    found, _ = stores.backlog.tail(target_id, stream, max_events=1, max_bytes=1)
    if found:
        return _before(stream, found[0])
    due = stores.backlog.due(
        target_id,
        stream,
        Lane.FIRST,
        now=at,
        after=(-1, 0),
        max_events=_EVENTS,
        max_bytes=_BYTES,
    )
    for candidate in due:
        entry = stores.ledger.entry(target_id, stream, candidate.position)
        if entry is None or entry.attempts < MOST_OFFERS:
            return _before(stream, candidate)
    return None


def _before(stream: str, candidate: Candidate) -> EventBefore:
    return EventBefore(stream, candidate.event_id, candidate.position)
