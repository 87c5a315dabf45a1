"""Which streams hold bodies for the current target, and why some of them do not go."""

from typing import Any

import attrs

from eventsync_core.codec import MOST_ITEMS
from eventsync_core.errors import fix_document
from eventsync_core.ids import DEFAULT_STREAM, Kind
from eventsync_core.stores import Stores
from eventsync_core.targets import Target
from eventsync_core.upload import EventBefore, event_before


@attrs.frozen(kw_only=True)
class BodyStream:
    """
    A stream with bodies that the current target does not hold and has not refused.

    `before` is the event that makes them wait, where there is one. `fix_argv` is a command that
    lets them go.
    """

    stream: str
    waiting: int
    is_granted: bool
    before: EventBefore | None = None

    @property
    def message(self) -> str:
        """Why none of them may go; empty where some may."""
        if not self.is_granted:
            return f"stream {self.stream} is not granted, bodies waiting: {self.waiting}"
        return "" if self.before is None else self.before.refusal().message

    @property
    def fix_argv(self) -> tuple[str, ...]:
        """A command that lets them go; empty where none is needed."""
        if self.is_granted:
            return () if self.before is None else self.before.refusal().fix_argv
        argv = ("eventsync", "target", "grant")
        return argv if self.stream == DEFAULT_STREAM else (*argv, "--project", self.stream)


def body_streams(stores: Stores, target: Target | None, *, at: int) -> tuple[BodyStream, ...]:
    """Return the streams with bodies for *target*, if it is one that takes them."""
    if target is None or target.kind is not Kind.TEAMSPACE:
        return ()
    live = {each.stream for each in stores.grants.grants(target.target_id) if each.is_live}
    found = []
    for stream in stores.bodies.streams():
        waiting = stores.bodies.waiting(target.target_id, stream)
        if waiting:
            is_granted = stream in live
            before = event_before(stores, target.target_id, stream, at=at) if is_granted else None
            found.append(
                BodyStream(stream=stream, waiting=waiting, is_granted=is_granted, before=before)
            )
    return tuple(found)


def body_documents(streams: tuple[BodyStream, ...]) -> list[dict[str, Any]]:
    """Return them as JSON."""
    return [
        {
            "stream": each.stream,
            "waiting": each.waiting,
            "granted": each.is_granted,
            "waits_for": None if each.before is None else each.before.event_id,
            "message": each.message,
            "fix": fix_document(each.fix_argv, "") if each.fix_argv else None,
        }
        for each in streams[:MOST_ITEMS]
    ]
