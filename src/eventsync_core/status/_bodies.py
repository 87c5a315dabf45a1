"""Which streams hold bodies for the current target, and why some of them do not go."""

from typing import Any

import attrs

from eventsync_core.codec import MOST_ITEMS
from eventsync_core.egress import Grant
from eventsync_core.errors import fix_document
from eventsync_core.ids import DEFAULT_STREAM, Kind
from eventsync_core.stores import Stores
from eventsync_core.targets import Target
from eventsync_core.upload import EventBefore, bodies_left_out, event_before, left_out_message


@attrs.frozen(kw_only=True)
class BodyStream:
    """
    A stream with bodies that the current target does not hold and has not refused.

    `left_out` is how many of them the grant leaves out, for they were added before it. `before`
    is the event that makes the others wait, where there is one. `fix_argv` is a command that
    lets them go.
    """

    stream: str
    waiting: int
    is_granted: bool
    left_out: int = 0
    before: EventBefore | None = None

    @property
    def message(self) -> str:
        """Why some or all of them may not go; empty where all may."""
        if not self.is_granted:
            return f"stream {self.stream} is not granted, bodies waiting: {self.waiting}"
        if self.before is not None:
            return self.before.refusal().message
        return left_out_message(self.stream, self.left_out) if self.left_out else ""

    @property
    def fix_argv(self) -> tuple[str, ...]:
        """A command that lets them go; empty where none is needed."""
        if self.before is not None:
            return self.before.refusal().fix_argv
        if self.is_granted and not self.left_out:
            return ()
        argv = ("eventsync", "target", "grant")
        return argv if self.stream == DEFAULT_STREAM else (*argv, "--project", self.stream)


def body_streams(stores: Stores, target: Target | None, *, at: int) -> tuple[BodyStream, ...]:
    """Return the streams with bodies for *target*, if it is one that takes them."""
    if target is None or target.kind is not Kind.TEAMSPACE:
        return ()
    found = []
    for stream in stores.bodies.streams():
        waiting = stores.bodies.waiting(target.target_id, stream)
        if waiting:
            grant = stores.grants.get(target.target_id, stream)
            found.append(_standing(stores, target, stream, grant, waiting, at))
    return tuple(found)


def _standing(
    stores: Stores, target: Target, stream: str, grant: Grant | None, waiting: int, at: int
) -> BodyStream:
    if grant is None or not grant.is_live:
        return BodyStream(stream=stream, waiting=waiting, is_granted=False)
    left_out = bodies_left_out(stores, grant)
    before = None
    if waiting > left_out:
        before = event_before(stores, target.target_id, stream, at=at)
    return BodyStream(
        stream=stream, waiting=waiting, is_granted=True, left_out=left_out, before=before
    )


def body_documents(streams: tuple[BodyStream, ...]) -> list[dict[str, Any]]:
    """Return them as JSON."""
    return [
        {
            "stream": each.stream,
            "waiting": each.waiting,
            "granted": each.is_granted,
            "left_out": each.left_out,
            "waits_for": None if each.before is None else each.before.event_id,
            "message": each.message,
            "fix": fix_document(each.fix_argv, "") if each.fix_argv else None,
        }
        for each in streams[:MOST_ITEMS]
    ]
