from typing import Protocol

from eventsync_core.egress._model import Grant, GrantAct


class Grants(Protocol):
    """
    Who may be sent what; `GrantsContract` tests each promise.

    A grant that is not what was done to it by record is `unrecorded`, and can only be ended.
    Whatever changes a grant is on record among `acts`, in the same unit of work, with who did
    it, why and when; what changes nothing is not.
    """

    def grant(
        self,
        target_id: str,
        stream: str,
        *,
        from_position: int,
        actor: str,
        reason: str,
        at: int,
        from_body: int = 0,
    ) -> Grant:
        """
        Permit *stream* to go to the target above *from_position* and return the grant.

        Its bodies may go whose number is above *from_body*.
        A live grant is widened where one of the two is lower, never narrowed; a revoked one
        is renewed as asked. Entries that were passed over and become deliverable this way
        are owed. Any pause ends.

        Raises:
            UnknownTargetError: The target was never registered.
            GrantDamagedError: The one that stands there is not on record.
        """
        ...

    def revoke(self, target_id: str, stream: str, *, actor: str, reason: str, at: int) -> None:
        """
        End the permission; without one, or twice, nothing changes.

        The grant says who ended it, why and when.
        """
        ...

    def pause(self, target_id: str, stream: str, reason: str, *, actor: str, at: int) -> None:
        """Let the grant rest for *reason* until it is resumed or granted again."""
        ...

    def resume(self, target_id: str, stream: str, *, actor: str, reason: str, at: int) -> None:
        """End the rest of the grant; one that does not rest, or is not there, stays so."""
        ...

    def get(self, target_id: str, stream: str) -> Grant | None:
        """Return the grant, live or revoked; None if there never was one."""
        ...

    def grants(self, target_id: str) -> list[Grant]:
        """Return all grants to the target, in order of their streams' names."""
        ...

    def acts(self, target_id: str, *, limit: int = 1000) -> list[GrantAct]:
        """Return the latest of what was done to grants to the target, newest first."""
        ...

    def act_count(self, target_id: str) -> int:
        """Return how much was done to grants to the target in all."""
        ...
