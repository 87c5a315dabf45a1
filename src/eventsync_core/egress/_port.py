from typing import Protocol

from eventsync_core.egress._model import Grant


class Grants(Protocol):
    """Who may be sent what; `GrantsContract` tests each promise."""

    def grant(
        self, target_id: str, stream: str, *, from_position: int, actor: str, reason: str, at: int
    ) -> Grant:
        """
        Permit *stream* to go to the target above *from_position* and return the grant.

        A live grant is widened where *from_position* is lower, never narrowed; a revoked one
        is renewed as asked. Entries that were passed over and become deliverable this way
        are owed. Any pause ends.

        Raises:
            UnknownTargetError: The target was never registered.
        """
        ...

    def revoke(self, target_id: str, stream: str, *, at: int) -> None:
        """End the permission; without one, or twice, nothing changes."""
        ...

    def pause(self, target_id: str, stream: str, reason: str) -> None:
        """Let the grant rest for *reason* until it is resumed or granted again."""
        ...

    def resume(self, target_id: str, stream: str) -> None:
        """End the rest of the grant; one that does not rest, or is not there, stays so."""
        ...

    def get(self, target_id: str, stream: str) -> Grant | None:
        """Return the grant, live or revoked; None if there never was one."""
        ...

    def grants(self, target_id: str) -> list[Grant]:
        """Return all grants to the target, in order of their streams' names."""
        ...
