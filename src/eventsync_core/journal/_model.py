from typing import Literal

import attrs

from eventsync_core.events import Event, Producer


@attrs.frozen
class Entry:
    """
    An event with its stream, position and capture facts.

    `chain` is the running hash of the stream up to and including this entry;
    `captured_at` is in microseconds since 1970 UTC; `producer` is who made it, where that was
    said. `is_purged`: its payload was let go on record. Then, and where the payload is missing,
    the text of its event is empty; everything else of it is what was captured. `damage` says
    that not all that is noted of it can be read; then it holds what can be.
    """

    event: Event
    stream: str
    position: int
    chain: bytes
    captured_at: int
    producer: Producer | None = None
    is_purged: bool = False
    damage: str = ""

    @property
    def has_text(self) -> bool:
        """Its payload is there; no event has an empty text."""
        return self.event.text != ""


@attrs.frozen
class Known:
    """What is needed of a stored event to judge a second one under its id."""

    event_id: str
    stream: str
    position: int
    canonical_digest: bytes
    payload_gone: bool = False


@attrs.frozen
class Appended:
    """
    What became of one event handed to `Journal.append`; it stands at `position`.

    `payload_gone`: it is a duplicate of one whose payload is not there, and is not stored.
    """

    event_id: str
    stream: str
    position: int
    state: Literal["stored", "held", "duplicate", "conflict"]
    payload_gone: bool = False


@attrs.frozen
class Head:
    """The end of a stream: its last position and chain, and the largest clock handed out."""

    stream: str
    position: int
    chain: bytes
    lamport: int
