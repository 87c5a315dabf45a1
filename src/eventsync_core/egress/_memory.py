import attrs

from eventsync_core.egress._model import Grant
from eventsync_core.egress._rules import change_grant
from eventsync_core.ledger import MemoryLedger
from eventsync_core.targets import TargetRegistry


@attrs.define
class MemoryGrants:
    """`Grants` that live as long as the object."""

    targets: TargetRegistry
    ledger: MemoryLedger
    _grants: dict[tuple[str, str], Grant] = attrs.field(factory=dict)

    def grant(
        self, target_id: str, stream: str, *, from_position: int, actor: str, reason: str, at: int
    ) -> Grant:
        """See `Grants.grant`."""
        self.targets.get(target_id)
        before = self._grants.get((target_id, stream))
        asked = Grant(
            target_id=target_id,
            stream=stream,
            from_position=from_position,
            generation=1,
            actor=actor,
            reason=reason,
            granted_at=at,
        )
        grant = change_grant(before, asked)
        self._grants[target_id, stream] = grant
        if before is not None and grant.from_position < before.from_position:
            widened = range(grant.from_position + 1, before.from_position + 1)
            self.ledger.owe(target_id, stream, widened, at=at)
        return grant

    def revoke(self, target_id: str, stream: str, *, at: int) -> None:
        """See `Grants.revoke`."""
        grant = self._grants.get((target_id, stream))
        if grant is not None and grant.is_live:
            self._grants[target_id, stream] = attrs.evolve(
                grant, revoked_at=at, generation=grant.generation + 1
            )

    def pause(self, target_id: str, stream: str, reason: str) -> None:
        """See `Grants.pause`."""
        grant = self._grants.get((target_id, stream))
        if grant is not None:
            self._grants[target_id, stream] = attrs.evolve(
                grant, paused=reason, generation=grant.generation + 1
            )

    def resume(self, target_id: str, stream: str) -> None:
        """See `Grants.resume`."""
        grant = self._grants.get((target_id, stream))
        if grant is not None and grant.paused:
            self.pause(target_id, stream, "")

    def get(self, target_id: str, stream: str) -> Grant | None:
        """See `Grants.get`."""
        return self._grants.get((target_id, stream))

    def grants(self, target_id: str) -> list[Grant]:
        """See `Grants.grants`."""
        found = [grant for grant in self._grants.values() if grant.target_id == target_id]
        return sorted(found, key=lambda grant: grant.stream)

    def reach(self, target_id: str, stream: str) -> int | None:
        """Return the position above which the stream is granted to the target, or None."""
        grant = self._grants.get((target_id, stream))
        return grant.from_position if grant is not None and grant.is_live else None
