import attrs

from eventsync_core.errors import UnknownTargetError
from eventsync_core.targets._model import Target
from eventsync_core.targets._rules import merge


@attrs.define
class MemoryTargetRegistry:
    """A `TargetRegistry` that lives as long as the object."""

    _targets: dict[str, Target] = attrs.field(factory=dict)

    def register(self, target: Target, *, at: int) -> Target:  # noqa: ARG002 - a date nobody asks memory for
        """See `TargetRegistry.register`."""
        known = self._targets.get(target.target_id, target)
        stored = attrs.evolve(
            target,
            deployment=merge(known.deployment, target.deployment),
            paused=known.paused,
        )
        self._targets[target.target_id] = stored
        return stored

    def get(self, target_id: str) -> Target:
        """See `TargetRegistry.get`."""
        try:
            return self._targets[target_id]
        except KeyError:
            raise UnknownTargetError(target_id) from None

    def targets(self) -> list[Target]:
        """See `TargetRegistry.targets`."""
        return list(self._targets.values())

    def pause(self, target_id: str, reason: str) -> None:
        """See `TargetRegistry.pause`."""
        self._targets[target_id] = attrs.evolve(self.get(target_id), paused=reason)
