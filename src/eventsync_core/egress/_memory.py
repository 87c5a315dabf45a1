import attrs

from eventsync_core.egress._model import Grant, GrantAct
from eventsync_core.egress._rules import change_grant, end_grant, rest_grant, verbs_between
from eventsync_core.ledger import MemoryLedger
from eventsync_core.targets import TargetRegistry


@attrs.define
class MemoryGrants:
    """`Grants` that live as long as the object."""

    targets: TargetRegistry
    ledger: MemoryLedger
    _grants: dict[tuple[str, str], Grant] = attrs.field(factory=dict)
    _acts: dict[str, list[GrantAct]] = attrs.field(factory=dict)

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
            from_body=from_body,
        )
        grant = change_grant(before, asked)
        self._put(before, grant, actor=actor, reason=reason, at=at)
        if before is not None and grant.from_position < before.from_position:
            widened = range(grant.from_position + 1, before.from_position + 1)
            self.ledger.owe(target_id, stream, widened, at=at)
        return grant

    def revoke(self, target_id: str, stream: str, *, actor: str, reason: str, at: int) -> None:
        """See `Grants.revoke`."""
        grant = self._grants.get((target_id, stream))
        if grant is not None:
            ended = end_grant(grant, actor=actor, reason=reason, at=at)
            self._put(grant, ended, actor=actor, reason=reason, at=at)

    def pause(self, target_id: str, stream: str, reason: str, *, actor: str, at: int) -> None:
        """See `Grants.pause`."""
        grant = self._grants.get((target_id, stream))
        if grant is not None:
            self._put(grant, rest_grant(grant, reason), actor=actor, reason=reason, at=at)

    def resume(self, target_id: str, stream: str, *, actor: str, reason: str, at: int) -> None:
        """See `Grants.resume`."""
        grant = self._grants.get((target_id, stream))
        if grant is not None:
            self._put(grant, rest_grant(grant, ""), actor=actor, reason=reason, at=at)

    def _put(self, before: Grant | None, after: Grant, *, actor: str, reason: str, at: int) -> None:
        self._grants[after.target_id, after.stream] = after
        done = self._acts.setdefault(after.target_id, [])
        for verb in verbs_between(before, after):
            done.append(
                GrantAct(
                    number=len(done) + 1,
                    stream=after.stream,
                    act=verb,
                    at=at,
                    actor=actor,
                    reason=reason,
                    from_position=after.from_position,
                    generation=after.generation,
                    from_body=after.from_body,
                )
            )

    def get(self, target_id: str, stream: str) -> Grant | None:
        """See `Grants.get`."""
        return self._grants.get((target_id, stream))

    def grants(self, target_id: str) -> list[Grant]:
        """See `Grants.grants`."""
        found = [grant for grant in self._grants.values() if grant.target_id == target_id]
        return sorted(found, key=lambda grant: grant.stream)

    def acts(self, target_id: str, *, limit: int = 1000) -> list[GrantAct]:
        """See `Grants.acts`."""
        return self._acts.get(target_id, [])[::-1][:limit]

    def act_count(self, target_id: str) -> int:
        """See `Grants.act_count`."""
        return len(self._acts.get(target_id, []))

    def reach(self, target_id: str, stream: str) -> int | None:
        """Return the position above which the stream is granted to the target, or None."""
        grant = self._grants.get((target_id, stream))
        return grant.from_position if grant is not None and grant.is_live else None
