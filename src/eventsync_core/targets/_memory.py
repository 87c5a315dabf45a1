from typing import Any

import attrs

from eventsync_core.errors import UnknownTargetError
from eventsync_core.targets._back_off import BackOff
from eventsync_core.targets._health import Health
from eventsync_core.targets._model import Target
from eventsync_core.targets._rules import observe, register


@attrs.define
class MemoryTargetRegistry:
    """A `TargetRegistry` that lives as long as the object."""

    _targets: dict[str, Target] = attrs.field(factory=dict)

    def register(self, target: Target, *, at: int) -> Target:
        """See `TargetRegistry.register`."""
        stored = register(self._targets.get(target.target_id), target, at=at)
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
        self._change(target_id, paused=reason)

    def set_back_off(self, target_id: str, back_off: BackOff) -> None:
        """See `TargetRegistry.set_back_off`."""
        self._change(target_id, back_off=back_off)

    def set_body_back_off(self, target_id: str, back_off: BackOff) -> None:
        """See `TargetRegistry.set_body_back_off`."""
        kept = attrs.evolve(back_off, no_connection=False)
        self._change(target_id, body_back_off=kept)

    def observe(self, target_id: str, health: Health | None, *, at: int) -> Target:
        """See `TargetRegistry.observe`."""
        target = observe(self.get(target_id), health, at=at)
        self._targets[target_id] = target
        return target

    def settle_reset(self, target_id: str) -> None:
        """See `TargetRegistry.settle_reset`."""
        self._change(target_id, reset=None)

    def _change(self, target_id: str, **facts: Any) -> None:
        self._targets[target_id] = attrs.evolve(self.get(target_id), **facts)
