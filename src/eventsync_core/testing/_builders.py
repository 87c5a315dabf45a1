"""Smallest valid values, for tests that do not care about the rest."""

from typing import Any

import attrs

from eventsync_core.bodies import BodyKey, BodyUpload, hash_of
from eventsync_core.clock import SECOND
from eventsync_core.codec import write_document
from eventsync_core.events import Event, read_event
from eventsync_core.ledger import Holder
from eventsync_core.receivers import Batch, Permit
from eventsync_core.targets import Kind, Target, make_target

EPOCH = 1_700_000_000_000_000
"""When tests begin, in microseconds since 1970 UTC."""

HOLDER = Holder(pid=1, started_at=1, boot="boot")
"""A process that holds leases; no machine that runs tests is its machine."""


@attrs.define(eq=False)
class ManualClock:
    """A `Clock` that ticks one microsecond per call, and moves on further when told."""

    now: int = EPOCH

    def __call__(self) -> int:
        """Return the time, a microsecond later than the last."""
        self.now += 1
        return self.now

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass."""
        self.now += round(seconds * SECOND)


def make_envelope(event_id: str = "e1", **members: object) -> str:
    """Return the text of an event with *members* after its id."""
    return write_document({"event_id": event_id, **members})


def make_event(event_id: str = "e1", **members: object) -> Event:
    """Return the event that `make_envelope` writes."""
    return read_event(make_envelope(event_id, **members))


def make_events(count: int, **members: object) -> list[Event]:
    """Return *count* events with the ids `e1`, `e2` and so on."""
    return [make_event(f"e{number}", **members) for number in range(1, count + 1)]


def make_stub_target(name: str = "one") -> Target:
    """Return a target without network; equal names give equal targets."""
    return make_target(Kind.STUB, f"https://{name}.example")


def make_batch(target_id: str, *events: Event) -> Batch:
    """Return *events* on their way to the target, as if they had been permitted."""
    return Batch(
        Permit(target_id, "default", 1),
        tuple(event.event_id for event in events),
        tuple(event.text for event in events),
    )


def make_body(
    name: str = "a", *, content: str | None = None, content_hash: str | None = None, **facts: Any
) -> BodyUpload:
    """Return a body whose path, and without *content* its text, is made of *name*."""
    text = f"# {name}\n" if content is None else content
    key = BodyKey(
        project_uuid="0f8fad5b-d9cb-469f-a165-70867728950e",
        mission_slug="mission",
        target_branch="main",
        mission_type="software-dev",
        manifest_version="1",
        artifact_path=f"research/{name}.md",
        content_hash=hash_of(text) if content_hash is None else content_hash,
    )
    size_bytes = facts.pop("size_bytes", len(text.encode()))
    created_at = facts.pop("created_at", EPOCH)
    return BodyUpload(key=key, content=text, size_bytes=size_bytes, created_at=created_at, **facts)
