from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Kept(NamedTuple):
    """An event as it was first received; `seq` counts from 1 without gaps."""

    seq: int
    event_id: str
    text: str


class Inbox(Protocol):
    """Keeps what was received, by id, for ever and as it came."""

    def take(self, events: Sequence[tuple[str, str]]) -> list[bool]:
        """
        Keep each (id, text) whose id is new and say for each, in order, whether it was.

        The text kept under an id never changes. All of *events* are stored, or none; they are
        as safe as the inbox can make them when this returns.
        """
        ...

    def received(self, *, after: int = 0, limit: int = 1_000) -> list[Kept]:
        """Return at most *limit* events above sequence number *after*, in order of arrival."""
        ...

    def get(self, event_id: str) -> str | None:
        """Return the text kept under that id, or None."""
        ...

    def count(self) -> int:
        """Return how many events are kept."""
        ...
